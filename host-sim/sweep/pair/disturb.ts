// Has faults happen in a pair's house, each at its time. Judges nothing.

import { JOB_KEY } from "../../../firmware/core/system/job.js";
import { PUSH_RESTART_DELAY_MS } from "../../../firmware/core/update/pushed-update.js";
import { type Flash, type FlashOperation, PowerCut } from "../../hardware/flash/flash.js";
import { randomStream } from "../../world/random.js";
import { applyCut, cutPointsOf, leaveUnstable } from "../cuts.js";
import { otadataOf, placeOf } from "../places.js";
import type { Fault, Ordeal } from "./faults.js";
import type { PairHouse } from "./house.js";
import type { PairApp, PairImages } from "./images.js";

/** Out of reach, and as near as on the desk. */
const NEAR_DBM = -55;
const PUSH_PORT = 3232;
const SECOND_MS = 1000;

/** @returns when all of it is over, as long as the journey goes on: a cut in an operation that never comes is not waited for */
export function disturb(
  house: PairHouse,
  { id, faults }: Ordeal,
  images: PairImages,
): { readonly overMs: number } {
  for (const fault of faults) prepare(house, fault, images);
  cutIn(house, id, faults);
  const ends = faults.map((fault) => ("atMs" in fault ? fault.atMs + lengthOf(fault) : 0));
  return { overMs: Math.max(0, ...ends) };
}

function lengthOf(fault: Fault): number {
  if ("forMs" in fault) return fault.forMs;
  return "offMs" in fault ? fault.offMs : 0;
}

function prepare(house: PairHouse, fault: Fault, images: PairImages): void {
  const { desk, server } = house;
  const { world, network, home } = desk;
  const during = (begin: () => void, end: () => void): void => {
    if (!("atMs" in fault)) return;
    world.schedule(fault.atMs, begin);
    world.schedule(fault.atMs + lengthOf(fault), end);
  };
  switch (fault.type) {
    case "cut":
      return;
    case "frame":
      network.espNow.fates.set(fault.number, fault.fate);
      return;
    case "off":
      return during(
        () => {
          for (const app of fault.apps) house.device(app).powerOff();
        },
        () => {
          for (const app of fault.apps) house.device(app).powerOn();
        },
      );
    case "air":
      return during(
        () => network.espNow.change(fault.terms),
        () => network.espNow.change({ loss: 0, duplication: 0, delayMs: 0 }),
      );
    case "apart":
      return during(
        () => network.espNow.change({ rssi: () => undefined }),
        () => network.espNow.change({ rssi: () => NEAR_DBM }),
      );
    case "server":
      return during(
        () => {
          server.isFailing = true;
        },
        () => {
          server.isFailing = false;
        },
      );
    case "router":
      return during(
        () => home.setUp(false),
        () => home.setUp(true),
      );
    case "cancel":
      return void world.schedule(fault.atMs, () => ask(house, () => house.post("/api/system/cancel")));
    case "push":
      return void world.schedule(fault.atMs, () => push(house, images));
  }
}

/** Sent only while the job lasts. It may arrive later: then the owner may well install what does not fit, and takes it back (run.ts). */
function push(house: PairHouse, { misfit }: PairImages): void {
  const hasJob = () => house.stored("receiver", JOB_KEY) !== undefined;
  if (!hasJob()) return;
  const { image, manifest } = misfit.releases.receiver;
  const headers = { "content-type": "application/octet-stream", "x-skyslot-release": manifest };
  const request = async () => {
    const status = await house.post("/update", image, PUSH_PORT, headers);
    if (status === 200 && hasJob())
      house.problems.push("the receiver takes a push while its system is updated");
    return status;
  };
  house.isPushing = true;
  const end = () =>
    house.desk.world.schedule(PUSH_RESTART_DELAY_MS + SECOND_MS, () => {
      house.isPushing = false;
    });
  ask(house, () => request().finally(end));
}

/** What becomes of it is seen in the house. */
function ask(house: PairHouse, request: () => Promise<number>): void {
  request().then(
    (status) => house.note(`the owner is answered ${status}`),
    (error: unknown) => house.note(`the owner is not answered: ${String(error)}`),
  );
}

type Cut = Extract<Fault, { readonly type: "cut" }>;

function cutIn(house: PairHouse, id: string, faults: readonly Fault[]): void {
  const cuts = new Set(faults.filter((fault): fault is Cut => fault.type === "cut"));
  if (cuts.size === 0) return;
  house.onOperation = (app, number, operation, when) => {
    const cut = [...cuts].find((one) => one.app === app && one.operation === number);
    if (!cut) return;
    const random = randomStream(`${id}/${app}/${number}`);
    const point = cut.point ?? drawPoint(house, app, operation, random);
    if (when === "before" && point === "after") return;
    cuts.delete(cut);
    const { flash } = house.device(app);
    if (when === "before") tear(flash, operation, point, random);
    house.note(
      `${app}: operation ${number}, ${operation.kind} of ${operation.length} bytes at 0x${operation.offset.toString(16)}, is cut: ${point}`,
    );
    house.desk.world.schedule(cut.offMs, () => house.device(app).powerOn());
    throw new PowerCut(`cut ${point}`);
  };
}

function tear(flash: Flash, operation: FlashOperation, point: string, random: () => number): void {
  applyCut(flash.bytes, operation, point, random);
  if (point === "unstable") leaveUnstable(flash, operation);
}

function drawPoint(house: PairHouse, app: PairApp, operation: FlashOperation, random: () => number): string {
  const points = [...cutPointsOf(operation, placeOf(operation, otadataOf(house.device(app).partitions)))];
  return points[Math.floor(random() * points.length)]!;
}
