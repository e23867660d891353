// An update machine in a chosen phase, with its data, for tests that do not walk through all phases before it.

import type { PushOffer, Root } from "../../../firmware/core/event.js";
import { nominate } from "../../../firmware/core/trust/rotation.js";
import { FRESH_JOB, type Job } from "../../../firmware/core/update/job.js";
import type { InstallRecord } from "../../../firmware/core/update/record.js";
import { parseRelease, type SignedRelease } from "../../../firmware/core/update/release.js";
import type { Staged } from "../../../firmware/core/update/staged.js";
import {
  type Asking,
  enter,
  type Installing,
  initialUpdate,
  type Rotation,
  type UpdatePhase,
  type UpdateState,
} from "../../../firmware/core/update/state.js";
import { KEY } from "./events.js";
import { jws } from "./releases.js";
import { ROOT, rootText } from "./roots.js";

function parsed(): SignedRelease {
  const result = parseRelease(jws());
  if (!result.ok) throw new Error(result.failure.message);
  return result.value;
}
const SIGNED = parsed();
const UNVERIFIED = {
  release: SIGNED.release,
  verification: { left: SIGNED.signatures.map((signed) => ({ signed, key: KEY })), needed: 1, manifest: "" },
};

/** A download of the release in releases.ts, before its first byte. */
export const JOB: Job = Object.freeze<Job>({
  source: {
    kind: "server",
    firmwareId: 7,
    url: "http://updates.test/image",
    digestsUrl: undefined,
    releaseEnd: "",
  },
  release: SIGNED.release,
  signed: true,
  md5: undefined,
  ...FRESH_JOB,
  wholeOnly: false,
});

const PUSH: PushOffer = Object.freeze({ connection: 3, sizeBytes: JOB.release.size });
const RECORD: InstallRecord = Object.freeze({
  from: "server",
  firmwareId: 7,
  version: "1.1.0",
  build: 0,
  imageSha256: "c".repeat(64),
  slot: "ota_0",
  powerLosses: 0,
});

/** An image that waits in the slot. */
export const STAGED: Staged = Object.freeze({
  from: "server",
  firmwareId: 7,
  version: "1.1.0",
  build: 0,
  imageSha256: "c".repeat(64),
  slot: "ota_0",
  size: 100_000,
  proof: Object.freeze({ algorithm: "SHA256", length: 100_000, digest: "d".repeat(64) } as const),
  until: 0,
  sinceMs: 0,
});

export function inPhase(
  phase: UpdatePhase,
  state: UpdateState = initialUpdate,
  job: Partial<Job> = {},
): UpdateState {
  switch (phase) {
    case "idle":
    case "checking":
    case "restarting":
    case "reverting":
    case "fetchingRoot":
      return enter(state, { phase });
    case "verifyingRoot":
    case "storingRoot":
      return enter({ ...state, trust: { root: HELD, keys: [] } }, { phase, rotation: rotation() });
    case "fetchingStatement":
    case "verifyingStatement":
      return enter({ ...state, trust: { root: HELD, keys: [] } }, { phase, asking: ASKING });
    case "restoring":
    case "committing":
    case "armingStaged":
      return enter(state, { phase, staged: STAGED });
    case "verifying":
      return enter(state, { phase, unverified: { kind: "push", offer: PUSH, ...UNVERIFIED } });
    case "rearming":
      return enter(state, { phase, rearming: RECORD });
    default:
      return enter(state, { phase, job: { ...JOB, ...job } });
  }
}

const ASKING: Asking = Object.freeze({
  nonce: "0".repeat(32),
  offer: undefined,
  statement: { nonce: "0".repeat(32), type: "base", time: 1, expires: 2, newest: 0, withdrawn: [] },
});

const HELD: Root = { ...ROOT, fastForward: [] };

function rotation(): Rotation {
  const candidate = nominate(HELD, rootText({ ...ROOT, version: 2 }));
  if (!candidate.ok) throw new Error(candidate.failure.message);
  return { connection: 0, candidate: candidate.value };
}

/** The job of a machine that has one. */
export function jobOf(state: UpdateState): Job {
  if (!("job" in state)) throw new Error(`there is no job in phase ${state.phase}`);
  return state.job;
}

/** The same machine with its job changed. */
export const withJob = (state: UpdateState, changes: Partial<Job>): Installing => {
  if (!("job" in state)) throw new Error(`there is no job in phase ${state.phase}`);
  return { ...state, job: { ...state.job, ...changes } };
};
