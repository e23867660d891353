// Staging: an image that has to start together with those of other devices is proved and then waits in its slot. Checks go on meanwhile. It is
// armed only when its own SHA-256 is named, by a check's answer or by a machine of the app, and is given up after a week.
//
//   proving ─ held ─► staging ─ record stored ─► idle, staged ─ committed ─► committing ─ slot right ─► armingStaged ─ armed ─► restarting
//                                                  ▲      │ abandoned, a week over, another image comes: the slot's first sector is erased
//   booted, there is a record ─► restoring ────────┘      ▼
//                                    └─ slot wrong ─► given up, reported (and so is one that is wrong when it is committed, or cannot be armed)
//
// A power cut before the record of the installation is stored leaves it staged: the word comes again. After that the boot arms it
// (after-install.ts). The slot is proved again before it is armed, since days may have passed; after deep sleep not before, because each wake
// would hash it. Downloads nothing.

import { toHex } from "../bytes.js";
import { DAY_SECONDS, timeAt, toldAt } from "../clock.js";
import type { Effect } from "../effect.js";
import type { Failure, UpdateErrorCode } from "../errors.js";
import type { Booted, Raise, Stamped } from "../event.js";
import { installedWith } from "../trust/sequence.js";
import { recordAndArm, restartInto } from "./arm.js";
import { dated, isHeld } from "./hold.js";
import { type Job, originOfJob } from "./job.js";
import { hashForProof, proofOf } from "./proof.js";
import { pushStaged } from "./pushed-update.js";
import { type InstallRecord, RECORD_KEY } from "./record.js";
import { mayStart } from "./reservation.js";
import { failAttempt } from "./retry.js";
import { noteFlashFailure } from "./setbacks.js";
import {
  discardStaged,
  FORGET_STAGED,
  isStagedAs,
  NOTHING_STAGED,
  readStaged,
  STAGED_KEY,
  type Staged,
  storeStaged,
  writeStaged,
} from "./staged.js";
import {
  enter,
  errorFields,
  firstCheck,
  type Installing,
  nextAttempt,
  nextCheck,
  report,
  type Step,
  type UpdateState,
  withSetbacks,
} from "./state.js";
import { UNDO_KEY, writeUndo } from "./undo.js";

/** The leader of the update of several devices has forgotten this one by then, or is gone. */
export const MAX_STAGED_SECONDS = 7 * DAY_SECONDS;

/** What is known of an image that was proved, as records have it. */
export const provedImage = (
  state: UpdateState,
  job: Job,
): Pick<
  InstallRecord,
  "from" | "firmwareId" | "version" | "build" | "imageSha256" | "slot" | "installed"
> => {
  const { signed, release } = job;
  const installed = signed ? installedWith(state.trust.root, release.type, release.sequence) : undefined;
  return {
    ...originOfJob(job),
    version: release.version,
    build: release.build,
    imageSha256: signed ? release.imageSha256 : toHex(job.tail),
    slot: state.boot?.target?.label ?? "",
    ...(installed ? { installed } : {}),
  };
};

// ── it is complete

/** The slot is right. It is staged when its record is stored. */
export function stage(state: Installing, at: number): Step {
  const { job } = state;
  const attempt = nextAttempt(state);
  const values = { [STAGED_KEY]: writeStaged(stagedOf(state, job, at)) };
  return [enter(state, { phase: "staging", attempt, job }), [{ type: "save", purpose: "staged", values }]];
}

const stagedOf = (state: UpdateState, job: Job, at: number): Staged =>
  dated(
    {
      ...provedImage(state, job),
      size: job.release.size,
      proof: proofOf(job),
      ...compatibilityOf(job),
      until: 0,
      sinceMs: at,
    },
    toldAt(state.clock, at),
    MAX_STAGED_SECONDS,
  );

/** Of an unsigned image what it says itself; one of an older build does not. */
const compatibilityOf = ({ signed, release }: Job): Pick<Staged, "protocolVersion" | "minCompatible"> =>
  signed || release.protocolVersion > 0
    ? {
        protocolVersion: release.protocolVersion,
        ...(release.minCompatible === undefined ? {} : { minCompatible: release.minCompatible }),
      }
    : {};

export function stagingStep(state: Installing, event: Stamped): Step {
  const { job } = state;
  if (event.type === "saveFailed" && event.purpose === "staged") {
    const message = `the record of the staged image cannot be stored: ${event.message}`;
    return failAttempt(state, job, { code: "FLASH_FAILED", message }, event.random);
  }
  if (event.type !== "saved" || event.purpose !== "staged") return [state, []];
  const staged = stagedOf(state, job, event.at);
  const idle = enter(state, { phase: "idle", staged });
  return [
    idle,
    [
      {
        type: "log",
        level: "info",
        message: `${staged.version} is staged in ${staged.slot}, and starts when it is committed`,
      },
      ...report(state, staged, STAGED_REPORT(staged)),
      ...(job.source.kind === "push" ? [pushStaged(job.source, job.release, staged)] : []),
      { type: "raise", event: { type: "stagedChanged", staged } },
      nextCheck(idle, event.random),
    ],
  ];
}

const STAGED_REPORT = ({ size }: Staged) =>
  ({ status: "installing", step: "staged", bytes_downloaded: size }) as const;

// ── after a boot

/** Takes up what was staged before the boot, unless it is running, on its way to run, or in a slot that updates do not go to any more. */
export function restoreStaged(state: UpdateState, event: Booted & Stamped): Step {
  const text = event.stored[STAGED_KEY];
  if (text === undefined) return [state, []];
  const staged = readStaged(text);
  if (!staged || !mayStay(state, staged, event)) return [state, [FORGET_STAGED]];
  if (event.resetReason === "deep-sleep")
    return [{ ...state, staged }, [{ type: "raise", event: { type: "stagedChanged", staged } }]];
  const attempt = nextAttempt(state);
  return [enter(state, { phase: "restoring", attempt, staged }), [hashForProof(staged.proof, attempt)]];
}

function mayStay(
  { phase, onTrial, record }: UpdateState,
  staged: Staged,
  { image, target }: Booted,
): boolean {
  if (phase !== "idle" || onTrial || staged.slot !== target?.label) return false;
  // the installation of this very image has begun: the boot goes on with that
  const isCommitted = record?.imageSha256 === staged.imageSha256 && record.failure === undefined;
  return !isCommitted && staged.imageSha256 !== image.imageSha256;
}

// ── the word

/** @param sha256 of the image that is to start: only that one */
export function commit(state: UpdateState, sha256: string): Step {
  const { staged, phase } = state;
  if (!staged || !isStagedAs(staged, sha256))
    return refuseCommit(state, `no image with SHA-256 ${sha256} is staged here`);
  if (phase === "committing" || phase === "armingStaged") return [state, []];
  if (state.onTrial) return refuseCommit(state, "the firmware that runs is on trial");
  if (!mayStart(state)) return refuseCommit(state, state.reserved?.reason ?? "");
  const log: Effect = { type: "log", level: "info", message: `${staged.version} is committed` };
  // the slot is being hashed
  if (phase === "restoring") return [enter(state, { phase: "committing" }), [log]];
  if (phase !== "idle" && phase !== "checking") return refuseCommit(state, "another update is in progress");
  const attempt = nextAttempt(state);
  return [
    enter(state, { phase: "committing", attempt }),
    [...endCheck(state), log, hashForProof(staged.proof, attempt)],
  ];
}

const refuseCommit = (state: UpdateState, problem: string): Step => [
  state,
  [
    { type: "log", level: "warn", message: `not committed: ${problem}` },
    { type: "raise", event: { type: "commitEnded", problem } },
  ],
];

/** Ends a check that is under way. */
export const endCheck = ({ phase, attempt }: UpdateState): readonly Effect[] =>
  phase === "checking"
    ? [
        { type: "clearTimer", timer: "transfer" },
        { type: "closeRequest", attempt },
      ]
    : [];

/** Events in the phases restoring, committing and armingStaged. */
export function stagedStep(state: UpdateState, staged: Staged, event: Stamped): Step {
  switch (event.type) {
    case "slotHashed":
      return state.phase === "armingStaged" ? [state, []] : hashed(state, staged, event);
    case "slotArmed": {
      if (state.phase !== "armingStaged" || !state.record) return [state, []];
      return restartInto(state, state.record, staged, [
        { type: "raise", event: { type: "commitEnded" } },
        NOTHING_STAGED,
      ]);
    }
    case "slotFailed":
      return lost(
        state,
        staged,
        { code: state.phase === "armingStaged" ? "ARM_FAILED" : "FLASH_FAILED", message: event.message },
        event.random,
      );
    case "saveFailed": {
      if (event.purpose !== "record" || state.phase !== "armingStaged") return [state, []];
      const message = `the record of the installation cannot be stored: ${event.message}`;
      return lost(state, staged, { code: "FLASH_FAILED", message }, event.random);
    }
    default:
      return [state, []];
  }
}

function hashed(
  state: UpdateState,
  staged: Staged,
  { digest, random, at }: Stamped & { readonly digest: Uint8Array },
): Step {
  const { algorithm, length, digest: expected } = staged.proof;
  const found = toHex(digest);
  if (found !== expected) {
    const message = `the staged image is spoilt: the first ${length} bytes of ${staged.slot} have ${algorithm} ${found}, expected is ${expected}`;
    return lost(state, staged, { code: "IMAGE_MISMATCH", message }, random);
  }
  if (state.phase === "restoring") {
    const idle = enter(state, { phase: "idle" });
    return [idle, [{ type: "raise", event: { type: "stagedChanged", staged } }, firstCheck(random)]];
  }
  const { from, firmwareId, version, build, imageSha256, slot } = staged;
  const place = staged.installed ? { installed: staged.installed } : {};
  const record: InstallRecord = {
    from,
    firmwareId,
    version,
    build,
    imageSha256,
    slot,
    powerLosses: 0,
    ...place,
  };
  const attempt = nextAttempt(state);
  return [
    enter(state, { phase: "armingStaged", attempt, record }),
    [
      recordAndArm(
        record,
        attempt,
        { [UNDO_KEY]: writeUndo(staged.imageSha256, timeAt(state.clock, at)) },
        { [STAGED_KEY]: undefined },
      ),
    ],
  ];
}

/** It cannot start. What the slot still has of it is found by the next download; how often that happens is counted. */
function lost(state: UpdateState, staged: Staged, failure: Failure, random: number): Step {
  const { phase } = state;
  const isArming = phase === "armingStaged";
  const [counted, counting] = withSetbacks(state, noteFlashFailure(state.setbacks, staged.imageSha256));
  const attempt = nextAttempt(state);
  const idle = enter(counted, { phase: "idle", attempt, staged: undefined, ...(isArming ? NO_RECORD : {}) });
  return [
    idle,
    [
      { type: "log", level: "error", message: `${staged.version} is given up: ${failure.message}` },
      ...counting,
      FORGET_STAGED,
      ...(isArming ? [{ type: "forget", key: RECORD_KEY } as const] : []),
      ...failedReport(idle, staged, failure.code, failure.message),
      NOTHING_STAGED,
      ...(phase === "restoring"
        ? []
        : [{ type: "raise", event: { type: "commitEnded", problem: failure.message } } as const]),
      { type: "raise", event: { type: "updateFailed", ...failure } },
      nextCheck(idle, random),
    ],
  ];
}

const NO_RECORD = Object.freeze({ record: undefined });

const failedReport = (state: UpdateState, staged: Staged, code: UpdateErrorCode, message: string) =>
  report(state, staged, { status: "failed", step: "staged", ...errorFields(code, message) });

// ── given up

/** Ends the wait for an image that nobody has committed in time, and notes the end of that time once the server's time is known. */
export function watchStaged(
  state: UpdateState,
  at: number,
): readonly [UpdateState, readonly (Effect | Raise)[]] {
  const { staged } = state;
  if (!staged) return [state, []];
  const time = toldAt(state.clock, at);
  if (!isHeld(staged, time, at, MAX_STAGED_SECONDS))
    return giveUp(state, `nobody has committed it for ${MAX_STAGED_SECONDS / DAY_SECONDS} days`);
  const next = dated(staged, time, MAX_STAGED_SECONDS);
  return next === staged ? [state, []] : [{ ...state, staged: next }, [storeStaged(next)]];
}

/** It is not wanted any more, staged or on its way to be. What is being armed already is not stopped. */
export function abandon(state: UpdateState, why: string, random: number): Step {
  if ("job" in state && state.job.hold && state.phase !== "arming") {
    const failure = { code: "ABANDONED", message: `the update was given up: ${why}` } as const;
    const [next, effects] = failAttempt(state, state.job, failure, random);
    return [next, [...discardStaged(state.attempt), ...effects]];
  }
  if (state.phase === "armingStaged") return [state, []];
  const isHashing = state.phase === "restoring" || state.phase === "committing";
  const free = isHashing ? enter(state, { phase: "idle", attempt: nextAttempt(state) }) : state;
  const [next, effects] = giveUp(free, why);
  const ended: readonly Raise[] =
    state.phase === "committing" ? [{ type: "raise", event: { type: "commitEnded", problem: why } }] : [];
  return [next, [...effects, ...ended, ...(isHashing ? [nextCheck(next, random)] : [])]];
}

function giveUp(state: UpdateState, why: string): readonly [UpdateState, readonly (Effect | Raise)[]] {
  const { staged } = state;
  if (!staged) return [state, []];
  const message = `the staged ${staged.version} is given up: ${why}`;
  return [
    { ...state, staged: undefined },
    [
      { type: "log", level: "warn", message },
      ...discardStaged(state.attempt),
      ...failedReport(state, staged, "ABANDONED", message),
    ],
  ];
}
