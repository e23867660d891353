// Apps that update each other by radio, inside XS in a heap of a chip's size: a pair that is updated as one system, and a gateway that brings
// its node an image and then updates itself. Returns what each needed; decides nothing about how much that may be.

import { OWNER_TOKEN } from "../../host-sim/desk/desk.js";
import { buildFirmwareImage } from "../../host-sim/hardware/image/app-image.js";
import type { XsBridge, XsUse } from "../../host-sim/xs/bridge.js";
import { buildXs } from "../../host-sim/xs/build.js";
import { xsEngine } from "../../host-sim/xs/engine.js";
import type { XsHeap } from "../../host-sim/xs/heap.js";
import { MachineEnded } from "../../host-sim/xs/worker.js";
import { readRelease } from "../../release/signing.js";
import { describeSystem, signSystem } from "../../release/system.js";
import { setUpMesh, UPDATES } from "../journey/mesh/field.js";
import { setUpPair } from "../journey/pair/pair-rig.js";
import { Pusher } from "../journey/pusher.js";
import { type Rig, releaseKeys, releaseOf, START_TIME } from "../journey/rig.js";

/** Four chunks: memory does not depend on an image's size. */
const UPDATE_BYTES = 64 * 1024;
const SETTLING_MS = 30_000;
const SAMPLE_MS = 250;
const LIMIT_MS = 10 * 60_000;

/** What an app needed, the SDK's part of the heap not included. */
export interface RadioFigures {
  /** Live after a garbage collection, when it was in touch with its peer and the server and nothing was to be installed. */
  readonly idle: XsUse;
  /** At the peak of the updates. */
  readonly updating: XsUse;
  /** Of XS's stack, in slots, since the first start, with the setup page; to be trusted where the stack is much larger. */
  readonly stackCount: number;
}

/** What happened besides: restarts while it updated, and what XS printed. */
export interface RadioRun {
  readonly figures: Readonly<Record<string, RadioFigures>>;
  readonly restarts: readonly string[];
  readonly reports: readonly string[];
  /** It got to its end. */
  readonly isDone: boolean;
  readonly trace: readonly string[];
}

/** Samples what the machines of several devices use; a device has another machine after each restart. */
class Meter {
  readonly reports: string[] = [];
  readonly restarts: string[] = [];
  readonly #machines = new Map<string, XsBridge>();
  readonly #idle = new Map<string, XsUse>();
  readonly #peak = new Map<string, XsUse>();
  readonly #stack = new Map<string, number>();

  readonly #heap: XsHeap;

  constructor(heap: XsHeap) {
    this.#heap = heap;
  }

  engineOf = (name: string) =>
    xsEngine({
      program: buildXs().program,
      heap: this.#heap,
      onBoot: (machine) => this.#machines.set(name, machine),
      onReport: (text) => this.reports.push(`${name}: ${text}`),
    });

  sample(): void {
    for (const [name, machine] of this.#machines) {
      const use = useOf(machine);
      if (use === undefined) continue;
      const least = this.#peak.get(name)?.unclaimedBytes ?? Infinity;
      if ((use.unclaimedBytes ?? 0) <= least) this.#peak.set(name, use);
      this.#stack.set(name, Math.max(use.peakStackCount, this.#stack.get(name) ?? 0));
    }
  }

  /** What comes from now on is the update. */
  collect(): void {
    this.sample();
    this.#peak.clear();
    for (const [name, machine] of this.#machines) this.#idle.set(name, machine.collect());
  }

  get figures(): Record<string, RadioFigures> {
    const entries = [...this.#idle].map(([name, idle]) => {
      const figures = { idle, updating: this.#peak.get(name)!, stackCount: this.#stack.get(name)! };
      return [name, figures] as const;
    });
    return Object.fromEntries(entries);
  }

  /** Runs a rig's world. False: not within the limit. */
  async until({ desk, events }: Rig, is: () => boolean): Promise<boolean> {
    const { world } = desk;
    const eventCount = events.length;
    const limitMs = world.nowMs + LIMIT_MS;
    const hasCrashed = () =>
      events.slice(eventCount).some((event) => event.type === "restarted" && event.cause !== "restart");
    while (!is() && !hasCrashed() && world.nowMs < limitMs) {
      await world.runFor(SAMPLE_MS);
      this.sample();
    }
    for (const event of events.slice(eventCount))
      if (event.type === "restarted") this.restarts.push(event.cause);
    return is();
  }

  /** Both are heard, are started again with what they have saved, and have come to rest. */
  async rest(rig: Rig, types: readonly string[]): Promise<boolean> {
    const haveChecked = (from: number) => () =>
      types.every((type) => rig.checks.slice(from).some(({ device_type }) => device_type === type));
    const { devices, world } = rig.desk;
    for (const device of devices) device.powerOn();
    if (!(await this.until(rig, haveChecked(0)))) return false;
    for (const device of devices) {
      device.powerOff();
      device.powerOn();
    }
    if (!(await this.until(rig, haveChecked(rig.checks.length)))) return false;
    await world.runFor(SETTLING_MS);
    this.collect();
    return true;
  }

  run(rig: Rig, isDone: boolean): RadioRun {
    const { figures, restarts, reports } = this;
    return { figures, restarts, reports, isDone, trace: rig.trace };
  }
}

/** Undefined: between two boots. */
function useOf(machine: XsBridge): XsUse | undefined {
  try {
    return machine.use();
  } catch (error) {
    if (error instanceof MachineEnded) return undefined;
    throw error;
  }
}

/** An image that is installed like any other; what it does when it starts is nobody's concern here. */
const smallImage = (project: string): Uint8Array =>
  buildFirmwareImage({
    chip: "esp32",
    version: "1.1.0",
    project,
    bundle: `throw new Error("not to be started");//${"x".repeat(UPDATE_BYTES)}`,
    pair: { protocol: 1, minCompatible: 10_000 },
  });

/** `receiver` and `transmitter`, until the images of a system are staged on both. */
export async function measurePair(heap: XsHeap): Promise<RadioRun> {
  const meter = new Meter(heap);
  const pair = await setUpPair({ engineOf: meter.engineOf });
  try {
    const isAtRest = await meter.rest(pair, ["receiver", "transmitter"]);
    if (!isAtRest) return meter.run(pair, false);
    const members = [];
    for (const app of ["receiver", "transmitter"]) {
      const image = smallImage(app);
      const release = await releaseOf(image);
      await pair.server.upload(image, release, { is_stable: "false" });
      members.push({ release: readRelease(release).release });
    }
    const payload = describeSystem(members, { name: "pair", version: "1.1.0", created: START_TIME - 500 });
    const manifest = await signSystem(payload, (await releaseKeys()).privateKey);
    await pair.server.admin("POST", "/api/v1/systems", { manifest });
    const { receiver, transmitter } = pair.lines;
    const areStaged = () =>
      [receiver, transmitter].every((lines) => lines.some((line) => line.includes("1.1.0 is staged")));
    return meter.run(pair, await meter.until(pair, areStaged));
  } finally {
    await pair.close();
  }
}

/** The same pair, until images that its owner uploads to the receiver, for both, are staged on both. */
export async function measureUploads(heap: XsHeap): Promise<RadioRun> {
  const meter = new Meter(heap);
  const pair = await setUpPair({ engineOf: meter.engineOf });
  const pusher = new Pusher(pair.desk, pair.address);
  try {
    if (!(await meter.rest(pair, ["receiver", "transmitter"]))) return meter.run(pair, false);
    for (const app of ["receiver", "transmitter"] as const) {
      const image = smallImage(app);
      const headers = { "x-skyslot-release": await releaseOf(image) };
      const path = `/api/ota/upload?device=${app}`;
      const push = pusher.begin(image, { path, token: OWNER_TOKEN, headers });
      if (!(await meter.until(pair, () => push.over)) || push.status !== 200) return meter.run(pair, false);
    }
    await pair.post("/api/ota/install?device=both", "{}");
    const { transmitter } = pair.lines;
    const isStaged = () => transmitter.some((line) => line.includes("1.1.0 is staged"));
    return meter.run(pair, await meter.until(pair, isStaged));
  } finally {
    await pair.close();
  }
}

/** `gateway` and a `node`: it brings the node an image, then downloads one for itself. */
export async function measureMesh(heap: XsHeap): Promise<RadioRun> {
  const meter = new Meter(heap);
  const mesh = await setUpMesh({ nodeCount: 1, engineOf: meter.engineOf });
  try {
    const isAtRest = await meter.rest(mesh, ["gateway", "pir"]);
    if (!isAtRest) return meter.run(mesh, false);
    const firmware_id = await mesh.upload(smallImage("pir"));
    await mesh.server.admin("POST", UPDATES, { firmware_id, rule: "all" });
    const isStaged = () => mesh.lines("node 1").some((line) => line.includes("1.1.0 is staged"));
    if (!(await meter.until(mesh, isStaged))) return meter.run(mesh, false);
    const own = smallImage("gateway");
    await mesh.server.upload(own, await releaseOf(own));
    const isArmed = () => mesh.reports.some((report) => report.step === "armed");
    return meter.run(mesh, await meter.until(mesh, isArmed));
  } finally {
    await mesh.close();
  }
}
