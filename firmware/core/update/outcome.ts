// What a boot concludes from the last installation, and how its result is told until the server has taken it. Judging is
// update/record.ts's; this turns the judgement into state and effects. Begins no download.

import type { Effect } from "../effect.js";
import type { Booted, Raise, Stamped } from "../event.js";
import { readServerToken } from "../server/server-token.js";
import { needsRealTrial, TRIAL_REASON_KEY } from "../trial/boot-validation.js";
import { missingRollBack } from "../trial/confirmation.js";
import { meantRestart } from "../trial/restart-cause.js";
import type { Report } from "../wire.js";
import { describeHold, guardAtBoot, holdTold, OFFER_HELD_KEY } from "./offer-guard.js";
import {
  evaluateInstallation,
  HELD_KEY,
  type InstallFailure,
  type InstallRecord,
  isOnTrial,
  type Outcome,
  PUSHED,
  RECORD_KEY,
  readRecord,
  storeRecord,
} from "./record.js";
import {
  enter,
  initialUpdate,
  nextAttempt,
  nextCheck,
  report,
  type Step,
  told,
  type UpdateState,
  withGuard,
} from "./state.js";

/** An image that was rolled back is left alone for so long: what made it fail may pass, but flash wears. */
const HOLD_AFTER_FAILURE_MS = 600_000;

export function begin(event: Booted & Stamped): Step {
  const record = readRecord(event.stored[RECORD_KEY]);
  const bootCount = (Number(event.stored.boots) || 0) + 1;
  const outcome = evaluateInstallation(record, {
    image: event.image,
    target: event.target,
    ...(event.bootSlot === undefined ? {} : { bootSlot: event.bootSlot }),
    resetReason: event.resetReason,
    restartReason: meantRestart(event),
    trialReason: event.stored[TRIAL_REASON_KEY],
  });
  const state: UpdateState = {
    ...initialUpdate,
    boot: event,
    serverToken: readServerToken(event.stored),
    bootCount,
    record: outcome.kind === "none" ? undefined : outcome.record,
    onTrial: isOnTrial(event.image, record),
    held: heldByOwner(event.stored[HELD_KEY]),
  };
  const [guarded, guarding] = guardBegun(state, event);
  const [next, effects] = concluded(guarded, outcome, event);
  return [next, [{ type: "store", key: "boots", value: `${bootCount}` }, ...guarding, ...effects]];
}

/** What is held back is told until the server has heard it; in the house when it begins. */
function guardBegun(state: UpdateState, event: Booted & Stamped): Step {
  const [next, effects] = withGuard(state, guardAtBoot(event));
  const { held } = next.guard;
  if (!held) return [next, effects];
  const code = "OFFER_CRASHES";
  const message = describeHold(held.suspect);
  const isNew = event.stored[OFFER_HELD_KEY] === undefined;
  const { firmwareId } = held.suspect;
  return [
    next,
    [
      ...effects,
      ...(held.isTold
        ? []
        : report(next, { firmwareId }, { status: "failed", step: "held", ...told(code, message) })),
      ...(isNew ? [{ type: "raise", event: { type: "updateFailed", code, message } } as const] : []),
    ],
  ];
}

/** Left alone until another release is offered. */
const heldByOwner = (imageSha256: string | undefined): UpdateState["held"] =>
  imageSha256 ? { imageSha256, untilMs: Number.POSITIVE_INFINITY } : undefined;

function concluded(state: UpdateState, outcome: Outcome, event: Booted & Stamped): Step {
  switch (outcome.kind) {
    case "none":
      return [state, []];
    case "onTrial":
      return trialBegun(state, outcome.record, event);
    case "validated":
      return [state, conclude(state, outcome.record, { status: "success", step: "validated" })];
    case "rearm": {
      const attempt = nextAttempt(state);
      const { record, why } = outcome;
      return [
        enter(state, { phase: "rearming", attempt, rearming: record }),
        [
          { type: "log", level: "warn", message: `${record.version} is armed once more: ${why}` },
          storeRecord(record),
          { type: "armSlot", attempt },
        ],
      ];
    }
    case "failed":
      return failed(state, outcome.record, outcome.failure, event.at);
  }
}

/** It runs, so it was armed: its record says so from now on, before it can crash; and that its slot is armed anew, where that comes next. */
function trialBegun(state: UpdateState, found: InstallRecord, event: Booted): Step {
  const isArmedAnew = needsRealTrial(event, found);
  const record: InstallRecord = {
    ...found,
    armed: true,
    ...(isArmedAnew ? { rearmings: (found.rearmings ?? 0) + 1 } : {}),
  };
  return [
    { ...state, record },
    [
      ...(found.armed && !isArmedAnew ? [] : [storeRecord(record)]),
      ...report(state, record, {
        status: "installing",
        step: missingRollBack(event) === undefined ? "trial" : "trial without roll back",
      }),
    ],
  ];
}

/** The judgement is kept: at the next boot nobody knows any more how this one came about. */
function failed(state: UpdateState, record: InstallRecord, failure: InstallFailure, at: number): Step {
  const { code, reason } = failure;
  const wasRolledBack = code === "ROLLED_BACK";
  return [
    {
      ...state,
      record,
      held: state.held ?? { imageSha256: record.imageSha256, untilMs: at + HOLD_AFTER_FAILURE_MS },
    },
    [
      {
        type: "log",
        level: "error",
        message: `${record.version} ${wasRolledBack ? "was rolled back" : "failed"}: ${reason}`,
      },
      ...(record.firmwareId === PUSHED ? [] : [storeRecord(record)]),
      ...conclude(state, record, {
        status: "failed",
        step: wasRolledBack ? "rolled back" : "failed",
        ...told(code, reason),
      }),
    ],
  ];
}

/** The slot that is armed again after a restart that was not the image's doing; nothing else happens meanwhile. */
export function rearmStep(state: UpdateState, rearming: InstallRecord, event: Stamped): Step {
  if (event.type === "slotArmed") {
    const restart = { type: "restart", reason: "update" } as const;
    return [enter(state, { phase: "restarting" }), [storeRecord({ ...rearming, armed: true }), restart]];
  }
  if (event.type !== "slotFailed") return [state, []];
  const wasInterrupted = rearming.powerLosses > 0;
  const failure: InstallFailure = {
    code: wasInterrupted ? "ROLLED_BACK" : "ARM_FAILED",
    reason: `${wasInterrupted ? "its trial run was interrupted" : "it was never started"}, and its slot could not be armed again: ${event.message}`,
  };
  const idle = enter(state, { phase: "idle" });
  const [next, effects] = failed(idle, { ...rearming, failure }, failure, event.at);
  return [next, [...effects, nextCheck(next, 0)]];
}

export function trialPassed(state: UpdateState, event: Stamped): Step {
  const boot = state.boot && { ...state.boot, image: { ...state.boot.image, slotState: "valid" as const } };
  const record: InstallRecord | undefined = state.record && { ...state.record, passed: true };
  const valid: UpdateState = { ...state, boot, record, onTrial: false };
  const told = record ? concludePassed(valid, record) : [];
  return [valid, [...told, ...(valid.phase === "idle" ? [nextCheck(valid, event.random)] : [])]];
}

/** Noted as well as told: the state in otadata alone does not prove that the trial was passed (see isUntried). */
const concludePassed = (state: UpdateState, record: InstallRecord): readonly (Effect | Raise)[] => [
  ...(record.firmwareId === PUSHED ? [] : [storeRecord(record)]),
  ...conclude(state, record, { status: "success", step: "validated" }),
];

/** Tells the server the result. Of an image that was pushed it is told nothing: its record has served already. */
function conclude(
  state: UpdateState,
  record: InstallRecord,
  fields: Pick<Report, "status" | "step" | "error_code" | "error_message">,
): readonly (Effect | Raise)[] {
  return record.firmwareId === PUSHED ? FORGET_RECORD : report(state, record, fields);
}

const FORGET_RECORD: readonly Effect[] = Object.freeze([
  Object.freeze({ type: "forget", key: RECORD_KEY } as const),
  Object.freeze({ type: "forget", key: TRIAL_REASON_KEY } as const),
]);

/** The result has arrived: the record has served. */
export function reportTaken(state: UpdateState, taken: Report): Step {
  const { record } = state;
  if (taken.error_code === "OFFER_CRASHES") return withGuard(state, holdTold(state.guard, taken.firmware_id));
  if (!record || taken.firmware_id !== record.firmwareId) return [state, []];
  if (taken.status !== "success" && taken.status !== "failed") return [state, []];
  return [{ ...state, record: undefined }, FORGET_RECORD];
}
