// The trial of a new image. It is validated only when it has shown that it can do what the next update needs: join the Wi-Fi, reach the
// server (a pushed image needs none) and stay joined for the trial time. Until then any restart brings the old image back: the boot loader
// sees PENDING_VERIFY and marks it ABORTED. A trial that has not passed by its deadline is rolled back here, and the reason is stored.
//
// A power cut while otadata was written may have left another state than PENDING_VERIFY. An image that the record shows as installed but
// not passed is then put on trial: its slot is armed again and the chip restarts, before the image can crash outside of a trial.
//
//   booted(pending_verify) ─► trial ── online and server reached, stable ──► validating ── markedValid ──► passed
//                               └───── deadline, or validation failed ─────► rolled back (restart)

import type { Effect } from "../effect.js";
import type { Booted, Raise, Stamped } from "../event.js";
import {
  type InstallRecord,
  isOnTrial,
  isRecorded,
  isUntried,
  MAX_REARMINGS,
  RECORD_KEY,
  readRecord,
  writeRecord,
} from "../update/record.js";
import { missingRollbackSupport } from "./rollback-support.js";

/** NVS key of the reason for the last roll back; read by the image that runs next. */
export const TRIAL_REASON_KEY = "trial.reason";

export interface TrialState {
  readonly phase: "none" | "trial" | "validating" | "passed" | "rolledBack";
  readonly online: boolean;
  readonly serverReached: boolean;
  /** The trial time has passed without losing the network. */
  readonly stable: boolean;
  readonly trialSeconds: number;
  readonly deadlineSeconds: number;
}

export const initialTrial: TrialState = Object.freeze({
  phase: "none",
  online: false,
  serverReached: false,
  stable: false,
  trialSeconds: 30,
  deadlineSeconds: 300,
});

type Step = readonly [TrialState, readonly (Effect | Raise)[]];

export function trialStep(state: TrialState, event: Stamped): Step {
  if (event.type === "booted") return begin(event);
  if (state.phase === "validating") return validationStep(state, event);
  if (state.phase !== "trial") return [state, []];
  switch (event.type) {
    case "online":
      return [
        { ...state, online: true },
        [{ type: "setTimer", timer: "trial", delayMs: state.trialSeconds * 1000 }],
      ];
    case "offline":
      return [{ ...state, online: false, stable: false }, [{ type: "clearTimer", timer: "trial" }]];
    case "serverReached":
      return validateWhenDone({ ...state, serverReached: true });
    case "saveFailed":
      return event.purpose === "trial" ? [state, [notPutOnTrial(event.message)]] : [state, []];
    case "appFailed":
      return rollBack(state, `the app failed: ${event.message}`);
    case "timerFired":
      if (event.timer === "trial") return validateWhenDone({ ...state, stable: true });
      return event.timer === "trialDeadline" ? deadlinePassed(state) : [state, []];
    default:
      return [state, []];
  }
}

/** What runs, once it has been validated. */
export function validated<Any extends Booted>(booted: Any): Any {
  const { stateTorn: _, ...image } = booted.image;
  return { ...booted, image: { ...image, slotState: "valid" } };
}

function begin(booted: Booted): Step {
  const { image, build, stored } = booted;
  // a pushed image may run where there is no server: the next one comes by the push port, which opens when the Wi-Fi is joined
  const record = readRecord(stored[RECORD_KEY]);
  const isPushed = record?.from === "push" && isRecorded(image, record);
  const limits = { trialSeconds: build.trialSeconds, deadlineSeconds: build.trialDeadlineSeconds };
  if (!isOnTrial(image, record)) return [{ ...initialTrial, ...limits }, []];
  return [
    { ...initialTrial, ...limits, phase: "trial", serverReached: isPushed },
    [
      // a restart would not help where the boot loader or the image does not support trials
      ...(isUntried(image, record) && missingRollbackSupport(booted) === undefined
        ? putOnTrial(booted, record)
        : []),
      { type: "setTimer", timer: "trialDeadline", delayMs: limits.deadlineSeconds * 1000 },
      {
        type: "log",
        level: "info",
        message: `trial run: ${limits.trialSeconds} s online${isPushed ? "" : " and the server reached"}, within ${limits.deadlineSeconds} s`,
      },
    ],
  ];
}

/**
 * Whether an untried image is put on trial by arming its slot again and a restart: once in a row, and MAX_REARMINGS times in all. Where that
 * does not help, only this firmware's own trial remains, which a crash does not end.
 */
export const needsRestartForTrial = (
  booted: Pick<Booted, "image" | "resetReason" | "restartNote" | "confirmsItself">,
  record: InstallRecord | undefined,
): boolean =>
  isUntried(booted.image, record) &&
  missingRollbackSupport(booted) === undefined &&
  (record?.rearmings ?? 0) < MAX_REARMINGS &&
  !(booted.resetReason === "software" && booted.restartNote === "update");

function putOnTrial(booted: Booted, record: InstallRecord | undefined): readonly Effect[] {
  const message = `${booted.image.slot} was never tried: power failed while its state was written`;
  if (!needsRestartForTrial(booted, record))
    return [{ type: "log", level: "error", message: `${message}, and it could not be put on trial` }];
  return [
    { type: "log", level: "warn", message: `${message}; restarting for its trial` },
    {
      type: "save",
      purpose: "trial",
      values: record ? { [RECORD_KEY]: writeRecord(armedAgain(record)) } : {},
      next: [{ type: "beginTrial" }],
    },
  ];
}

/** The record of an image that is about to be put on trial by arming its slot again. */
export const armedAgain = (record: InstallRecord): InstallRecord => ({
  ...record,
  armed: true,
  rearmings: (record.rearmings ?? 0) + 1,
});

/** Without a stored count it would restart for ever. Its own trial goes on. */
const notPutOnTrial = (why: string): Effect => ({
  type: "log",
  level: "error",
  message: `it could not be put on trial: ${why}`,
});

function validateWhenDone(state: TrialState): Step {
  if (!(state.online && state.serverReached && state.stable)) return [state, []];
  return [
    { ...state, phase: "validating" },
    [{ type: "clearTimer", timer: "trialDeadline" }, { type: "markValid" }],
  ];
}

function validationStep(state: TrialState, event: Stamped): Step {
  if (event.type === "markedValid") {
    return [
      { ...state, phase: "passed" },
      [
        { type: "forget", key: TRIAL_REASON_KEY },
        { type: "log", level: "info", message: "trial passed, image validated" },
        { type: "raise", event: { type: "trialPassed" } },
      ],
    ];
  }
  return event.type === "markValidFailed"
    ? rollBack(state, `validation failed: ${event.message}`)
    : [state, []];
}

function deadlinePassed(state: TrialState): Step {
  const missing = !state.online
    ? "the network was not joined"
    : !state.serverReached
      ? "the server was not reached"
      : "the network was not stable";
  return rollBack(state, `${missing} within ${state.deadlineSeconds} s`);
}

/** Longest reason that is stored: an app's error may be of any length. */
const MAX_REASON_LENGTH = 300;

function rollBack(state: TrialState, why: string): Step {
  const reason = why.slice(0, MAX_REASON_LENGTH);
  return [
    { ...state, phase: "rolledBack" },
    [
      { type: "store", key: TRIAL_REASON_KEY, value: reason },
      { type: "log", level: "error", message: `trial failed: ${reason}; rolling back` },
      { type: "raise", event: { type: "trialFailed", reason } },
      { type: "rollBack" },
    ],
  ];
}
