// The least rate of a transfer. Silence is ended by a timer, but a sender of a byte now and then never lets it fire: it could keep the device
// for weeks from its checks, and from everyone else who has an update for it. So 16 KiB have to arrive in a minute.

import type { Failure } from "../errors.js";
import type { Job, Source } from "./job.js";

const PACE_BYTES = 16_384;
/** Of a download: 273 bytes a second. */
const PACE_MS = 60_000;
/** Of a push, whose sender may be silent for four times STALL_MS. */
const PUSH_PACE_MS = 180_000;
/** Of a push by the mesh, whose sixteen parts may each be asked for again after 30 s. */
const MESH_PACE_MS = 600_000;

/** The next bytes that have to arrive in time, from `offset` on. */
export const newPace = (offset: number, at: number): Pick<Job, "paceEnd" | "paceFromMs"> => ({
  paceEnd: offset + PACE_BYTES,
  paceFromMs: at,
});

/** Why a transfer that has come to `offset`, before its `paceEnd`, is given up; `undefined`: it is fast enough. */
export function paceFailure(
  { source, paceEnd, paceFromMs, release }: Job,
  offset: number,
  at: number,
): Failure | undefined {
  const elapsedMs = at - paceFromMs;
  if (elapsedMs <= paceOf(source)) return undefined;
  const count = offset - (paceEnd - PACE_BYTES);
  const seconds = Math.round(elapsedMs / 1000);
  return {
    code: "SERVER_STALLED",
    message: `only ${count} bytes in ${seconds} s, at byte ${offset} of ${release.size}`,
  };
}

const paceOf = (source: Source): number =>
  source.kind !== "push" ? PACE_MS : source.isSlow ? MESH_PACE_MS : PUSH_PACE_MS;
