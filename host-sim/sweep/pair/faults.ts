// What can happen to a pair while its system is updated, as data: one fault, by its id, or several, drawn by a seed.
//
//   receiver:57:byte:12     power of the receiver is cut in operation 57 of its flash, at this point of it (cuts.ts); likewise transmitter:…
//   frame:31:lost           frame 31 in the air is lost; or twice, late, unacknowledged
//   system:crashing-receiver   the system itself does not work; likewise crashing-transmitter, misfit
//   seed:4711               several faults, and a system that may be none that works

import type { AirConditions, FrameFate } from "../../network/espnow-air.js";
import { randomStream } from "../../world/random.js";
import type { CutPoint } from "../cuts.js";
import { APPS, type PairApp, type PairImages, type PairSystem } from "./images.js";

/** Times are on the world's clock, ms. */
export type Fault =
  /** In this operation since the beginning, those of a recovery counted. */
  | {
      readonly type: "cut";
      readonly app: PairApp;
      readonly operation: number;
      /** Absent: drawn by the run's id when it is known what the operation is. */
      readonly point?: CutPoint;
      readonly offMs: number;
    }
  /** Between two operations; both at once, as when the power of the house fails. */
  | { readonly type: "off"; readonly apps: readonly PairApp[]; readonly atMs: number; readonly offMs: number }
  | { readonly type: "frame"; readonly number: number; readonly fate: FrameFate }
  | { readonly type: "air"; readonly atMs: number; readonly forMs: number; readonly terms: AirTerms }
  /** The two do not hear each other. */
  | { readonly type: "apart"; readonly atMs: number; readonly forMs: number }
  | { readonly type: "server"; readonly atMs: number; readonly forMs: number }
  | { readonly type: "router"; readonly atMs: number; readonly forMs: number }
  /** The owner's: both go back. */
  | { readonly type: "cancel"; readonly atMs: number }
  /** While the job lasts a firmware that does not fit the transmitter is pushed to the receiver. */
  | { readonly type: "push"; readonly atMs: number };

type AirTerms = Pick<AirConditions, "loss" | "duplication" | "delayMs">;

/** What a run is about. */
export interface Ordeal {
  readonly id: string;
  /** That is published. */
  readonly system: PairSystem;
  readonly faults: readonly Fault[];
}

/** A journey without faults, as it was recorded: what there is to disturb. */
export interface JourneySize {
  readonly operationCounts: Readonly<Record<PairApp, number>>;
  readonly ms: number;
}

interface Drawing extends JourneySize {
  /** Of the sweep. */
  readonly seed: number;
}

/** How long power is away after a single cut. */
const OFF_MS = 3_000;
const FATES: readonly FrameFate[] = Object.freeze(["lost", "twice", "late", "unacknowledged"]);

/** @throws Error: it is not the id of anything */
export function ordealOf(id: string, images: PairImages, drawing: Drawing): Ordeal {
  const [kind, number = "", ...rest] = id.split(":");
  if (kind === "seed") return drawOrdeal(id, images, drawing);
  const broken = kind === "system" ? brokenSystems(images)[number] : undefined;
  if (broken) return { id, system: broken, faults: [] };
  const system = images.update;
  const count = Number(number);
  if (number === "" || !Number.isSafeInteger(count) || count < 0) throw new Error(`"${id}" has no number`);
  const app = APPS.find((known) => known === kind);
  const detail = rest.join(":");
  if (app !== undefined)
    return { id, system, faults: [{ type: "cut", app, operation: count, point: detail, offMs: OFF_MS }] };
  const fate = FATES.find((known) => known === detail);
  if (kind === "frame" && fate) return { id, system, faults: [{ type: "frame", number: count, fate }] };
  throw new Error(
    `"${id}" is none of receiver:57:byte:12, transmitter:57:after, frame:31:lost, system:misfit, seed:4711`,
  );
}

/** By their names in ids. */
export const brokenSystems = ({ crashing, misfit }: PairImages): Readonly<Record<string, PairSystem>> => ({
  "crashing-receiver": crashing.receiver,
  "crashing-transmitter": crashing.transmitter,
  misfit,
});

const MAX_FAULTS = 5;
/** A recovery does something to the flash, too. */
const BEYOND = 1.3;

function drawOrdeal(id: string, images: PairImages, drawing: Drawing): Ordeal {
  const random = randomStream(`pair/${drawing.seed}/${id}`);
  const count = 1 + Math.floor(random() * MAX_FAULTS);
  const system = drawSystem(images, random());
  return { id, system, faults: Array.from({ length: count }, () => drawFault(random, drawing)) };
}

/** One in three does not work. */
function drawSystem(images: PairImages, random: number): PairSystem {
  const systems = Object.values(brokenSystems(images));
  return systems[Math.floor(random * 3 * systems.length)] ?? images.update;
}

function drawFault(random: () => number, { operationCounts, ms }: JourneySize): Fault {
  const below = (bound: number): number => Math.floor(random() * bound);
  /** Short ones are more frequent: each power of two is as likely as the next. */
  const between = (leastMs: number, mostMs: number): number =>
    Math.round(leastMs * (mostMs / leastMs) ** random());
  const app = APPS[below(2)]!;
  const atMs = below(ms * BEYOND);
  const kind = random();
  if (kind < 0.4) {
    const operation = below(operationCounts[app] * BEYOND);
    return { type: "cut", app, operation, offMs: between(500, 120_000) };
  }
  if (kind < 0.5)
    return { type: "off", apps: random() < 0.5 ? APPS : [app], atMs, offMs: between(500, 300_000) };
  if (kind < 0.68) {
    const terms = { loss: random() * 0.5, duplication: random() * 0.2, delayMs: below(80) };
    return { type: "air", atMs, forMs: between(1_000, 300_000), terms };
  }
  if (kind < 0.76) return { type: "apart", atMs, forMs: between(1_000, 300_000) };
  if (kind < 0.84) return { type: "server", atMs, forMs: between(1_000, 300_000) };
  if (kind < 0.9) return { type: "router", atMs, forMs: between(1_000, 120_000) };
  return random() < 0.5 ? { type: "cancel", atMs } : { type: "push", atMs };
}
