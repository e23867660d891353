// What a boot concludes from the last installation, and how its result is told until the server has taken it. Judging is
// install-record.ts's; this turns the judgement into state and effects. Begins no download.

import { TRIAL_REASON_KEY } from "./boot-validation.js";
import { missingRollBack } from "./confirmation.js";
import type { Effect } from "./effect.js";
import type { Booted, Raise, Stamped } from "./event.js";
import {
  HELD_KEY,
  type InstallRecord,
  isOnTrial,
  judgeInstallation,
  type Outcome,
  PUSHED,
  RECORD_KEY,
  readRecord,
  writeRecord,
} from "./install-record.js";
import { meantRestart } from "./restart-cause.js";
import { readServerToken } from "./server-token.js";
import { initialUpdate, nextCheck, report, type Step, told, type UpdateState } from "./update-state.js";
import type { Report } from "./wire.js";

/** An image that was rolled back is left alone for so long: what made it fail may pass, but flash wears. */
const HOLD_AFTER_ROLL_BACK_MS = 600_000;

export function begin(event: Booted & Stamped): Step {
  const record = readRecord(event.stored[RECORD_KEY]);
  const bootCount = (Number(event.stored.boots) || 0) + 1;
  const outcome = judgeInstallation(
    record,
    event.image,
    event.target?.state ?? "undefined",
    event.stored[TRIAL_REASON_KEY],
    event.resetReason,
    meantRestart(event),
  );
  const state: UpdateState = {
    ...initialUpdate,
    boot: event,
    serverToken: readServerToken(event.stored),
    bootCount,
    record: outcome.kind === "none" ? undefined : outcome.record,
    onTrial: isOnTrial(event.image, record),
    held: heldByOwner(event.stored[HELD_KEY]),
  };
  const [next, effects] = concluded(state, outcome, event.at);
  return [next, [{ type: "store", key: "boots", value: `${bootCount}` }, ...effects]];
}

/** Left alone until another release is offered. */
const heldByOwner = (imageSha256: string | undefined): UpdateState["held"] =>
  imageSha256 ? { imageSha256, untilMs: Number.POSITIVE_INFINITY } : undefined;

function concluded(state: UpdateState, outcome: Outcome, at: number): Step {
  switch (outcome.kind) {
    case "none":
      return [state, []];
    case "onTrial": {
      const isAlone = state.boot !== undefined && missingRollBack(state.boot) !== undefined;
      const step = isAlone ? "trial without roll back" : "trial";
      return [state, [...report(state, outcome.record, { status: "installing", step })]];
    }
    case "validated":
      return [state, conclude(state, outcome.record, { status: "success", step: "validated" })];
    case "rearm": {
      const attempt = state.attempt + 2;
      return [
        { ...state, attempt, phase: "arming", rearming: outcome.record },
        [
          {
            type: "log",
            level: "warn",
            message: `power was lost during the trial of ${outcome.record.version}, trying once more`,
          },
          { type: "store", key: RECORD_KEY, value: writeRecord(outcome.record) },
          { type: "armSlot", attempt },
        ],
      ];
    }
    case "rolledBack":
      return [
        {
          ...state,
          held: state.held ?? {
            imageSha256: outcome.record.imageSha256,
            untilMs: at + HOLD_AFTER_ROLL_BACK_MS,
          },
        },
        [
          {
            type: "log",
            level: "error",
            message: `${outcome.record.version} was rolled back: ${outcome.reason}`,
          },
          ...conclude(state, outcome.record, {
            status: "failed",
            step: "rolled back",
            ...told("ROLLED_BACK", outcome.reason),
          }),
        ],
      ];
  }
}

/** The slot that holds the image of a trial which power ended is armed again; nothing else happens meanwhile. */
export function rearmStep(state: UpdateState, event: Stamped): Step {
  if (event.type === "slotArmed")
    return [{ ...state, phase: "restarting" }, [{ type: "restart", reason: "update" }]];
  if (event.type !== "slotFailed" || !state.rearming) return [state, []];
  const idle: UpdateState = { ...state, phase: "idle", rearming: undefined };
  const reason = `power was lost during the trial run, and its slot could not be armed again: ${event.message}`;
  return [
    idle,
    [
      ...conclude(idle, state.rearming, {
        status: "failed",
        step: "rolled back",
        ...told("ROLLED_BACK", reason),
      }),
      nextCheck(idle, 0),
    ],
  ];
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
  ...(record.firmwareId === PUSHED
    ? []
    : [{ type: "store", key: RECORD_KEY, value: writeRecord(record) } as const]),
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
  if (!record || taken.firmware_id !== record.firmwareId) return [state, []];
  if (taken.status !== "success" && taken.status !== "failed") return [state, []];
  return [{ ...state, record: undefined }, FORGET_RECORD];
}
