// Makes room for a push. It is authorised by the owner's token, so it comes before a check and before a download: those end here, cleanly, and
// follow later by themselves, since the flash is their only record of progress. It has to wait for what cannot be stopped halfway: another push,
// an image that is complete, a trial.
//
//   idle, checking ─────────────────────────────────────────────────────────► the push begins
//   verifying an offer, resuming, fetching, requesting, streaming, waiting ─► the download ends, the push begins
//   the same of another push, proving, arming, restarting, rearming, trial ─► 409, with what it waits for
//   reverting ──────────────────────────────────────────────────────────────► 409
//   staging, and what is staged while it is proved or armed ────────────────► 409; what only waits is replaced

import type { Effect } from "../effect.js";
import type { UpdateState } from "./state.js";
import { enter, nextAttempt } from "./state.js";

/** What a push has to wait for, as a sentence for its sender; undefined: for nothing. */
export function busyReason(state: UpdateState): string | undefined {
  if (state.onTrial) return "this firmware is on its trial run, try again when it is validated";
  switch (state.phase) {
    case "idle":
    case "checking":
    case "fetchingRoot":
    case "fetchingStatement":
    case "verifyingStatement":
      return undefined;
    case "verifyingRoot":
    case "storingRoot":
      return "the trust root is being replaced, try again";
    case "reverting":
      return "the device is about to go back to its other image, try again after that";
    case "restarting":
    case "rearming":
    case "committing":
    case "armingStaged":
      return `${BUSY}: the device is about to restart into it, try again when it is validated`;
    case "restoring":
      return `${BUSY}: ${state.staged?.version} is staged and is being verified, try again`;
    case "verifying":
      return state.unverified.kind === "push" ? ANOTHER_PUSH : undefined;
    default: {
      const { source, release } = state.job;
      if (source.kind === "push") return ANOTHER_PUSH;
      if (!hasArrived(state)) return undefined;
      return `${BUSY}: ${release.version} has arrived and is being verified, try again when it is validated`;
    }
  }
}

const hasArrived = ({ phase }: UpdateState): boolean =>
  phase === "proving" || phase === "staging" || phase === "arming";

const BUSY = "another update is in progress";
const ANOTHER_PUSH = `${BUSY}: an image is being pushed`;

/** Ends the check or the download. Its slot operations have been carried out; their events, which may be queued, are stale. */
export function makeRoom(state: UpdateState): readonly [UpdateState, readonly Effect[]] {
  if (state.phase === "idle") return [state, []];
  const stopped = stoppedUpdate(state);
  const message = `the update to ${stopped} stops, because an image is pushed; it goes on with a later check`;
  return [
    enter(state, { phase: "idle", attempt: nextAttempt(state) }),
    [
      ...(stopped === undefined ? [] : [{ type: "log", level: "warn", message } as const]),
      { type: "clearTimer", timer: "transfer" },
      { type: "clearTimer", timer: "retry" },
      { type: "closeRequest", attempt: state.attempt },
    ],
  ];
}

/** Its version and how far it came. */
function stoppedUpdate(state: UpdateState): string | undefined {
  if (state.phase === "verifying") return state.unverified.release.version;
  if (!("job" in state)) return undefined;
  const { release, verifiedBytes } = state.job;
  return `${release.version}, at byte ${verifiedBytes} of ${release.size},`;
}
