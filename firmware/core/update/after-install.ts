// The boots after an installation: acts on its outcome (outcome.ts), with a trial, by arming the slot again or by a failure, and reports
// the result until the server has taken it. Starts no download.

import { clockAtBoot } from "../clock.js";
import { readDigits } from "../digits.js";
import type { Effect } from "../effect.js";
import type { Failure } from "../errors.js";
import type { Booted, Raise, Stamped } from "../event.js";
import { readServerTokens } from "../server/server-token.js";
import { armedAgain, needsRestartForTrial, TRIAL_REASON_KEY, validated } from "../trial/boot-validation.js";
import { intendedRestart } from "../trial/restart-cause.js";
import { missingRollbackSupport } from "../trial/rollback-support.js";
import { freshnessAtBoot } from "../trust/freshness.js";
import { readInstalled, SEQUENCE_KEY, storeInstalled } from "../trust/sequence.js";
import { asksForStatements } from "../trust/statement.js";
import { type Trust, trustAtBoot } from "../trust/trust.js";
import type { Report } from "../wire.js";
import { raiseFreshness } from "./freshness-update.js";
import { blockReported, countAtBoot, describeBlock, OFFER_BLOCK_KEY } from "./offer-crashes.js";
import { evaluateInstallation, type Outcome } from "./outcome.js";
import {
  BLOCKED_IMAGE_KEY,
  type InstallFailure,
  type InstallRecord,
  isOnTrial,
  RECORD_KEY,
  readRecord,
  storeRecord,
  writeRecord,
} from "./record.js";
import { readSetbacks, SETBACKS_KEY } from "./setbacks.js";
import { restoreStaged } from "./staging.js";
import {
  enter,
  errorFields,
  initialUpdate,
  nextAttempt,
  nextCheck,
  report,
  type Step,
  type UpdateState,
  withOfferCrashes,
} from "./state.js";
import { undoUntil } from "./undo.js";

/** How long an image that was rolled back is not tried again: the cause may pass, but flash wears. */
const BLOCK_AFTER_FAILURE_MS = 600_000;

export function updateBooted(event: Booted & Stamped): Step {
  const record = readRecord(event.stored[RECORD_KEY]);
  const bootCount = readBootCount(event.stored.boots) + 1;
  const { trust, problem } = trustAtBoot(event.build, event.stored);
  const outcome = evaluateInstallation(record, {
    image: event.image,
    target: event.target,
    ...(event.bootSlot === undefined ? {} : { bootSlot: event.bootSlot }),
    resetReason: event.resetReason,
    restartReason: intendedRestart(event),
    trialReason: event.stored[TRIAL_REASON_KEY],
  });
  const state: UpdateState = {
    ...initialUpdate,
    boot: event,
    clock: clockAtBoot(event.image.compileDate, event.stored),
    serverTokens: readServerTokens(event.stored),
    bootCount,
    record: outcome.kind === "none" ? undefined : outcome.record,
    onTrial: isOnTrial(event.image, record),
    setbacks: readSetbacks(event.stored[SETBACKS_KEY]),
    blockedImage: blockedByOwner(event.stored[BLOCKED_IMAGE_KEY]),
    undoUntil: undoUntil(event),
    trust,
    installed: readInstalled(event.stored[SEQUENCE_KEY], event.identity.type),
    freshness: freshnessAtBoot(event, trust),
  };
  const [counted, reporting] = reportBlock(state, event);
  const [after, effects] = applyOutcome(counted, outcome, event);
  const [next, restoring] = restoreStaged(after, event);
  return [
    next,
    [
      { type: "store", key: "boots", value: `${bootCount}` },
      ...announceTrust(trust, problem),
      ...announceFreshness(state),
      ...reporting,
      ...effects,
      ...restoring,
    ],
  ];
}

/** The root is shown; one that cannot be read counts as none, which a person should know. */
const announceTrust = ({ root }: Trust, problem: Failure | undefined): readonly (Effect | Raise)[] => [
  ...(problem ? [{ type: "raise", event: { type: "updateFailed", ...problem } } as const] : []),
  ...(root ? [{ type: "raise", event: { type: "rootHeld", root } } as const] : []),
];

/** Since when there is none, as the boot before has stored it. */
const announceFreshness = ({ trust, freshness }: UpdateState): readonly Raise[] =>
  asksForStatements(trust) ? [raiseFreshness(freshness)] : [];

/** What is no count, or has reached the end of what servers store, begins again: a count that a server refuses would end all checks. */
const readBootCount = (text = ""): number => readDigits(text, 8) ?? 0;

/** A blocked offer is reported until the server has taken the report; shown on the device's page when the block begins. */
function reportBlock(state: UpdateState, event: Booted & Stamped): Step {
  const [next, effects] = withOfferCrashes(state, countAtBoot(event));
  const { block } = next.offerCrashes;
  if (!block) return [next, effects];
  const code = "OFFER_CRASHES";
  const message = describeBlock(block.suspect);
  const isNew = event.stored[OFFER_BLOCK_KEY] === undefined;
  return [
    next,
    [
      ...effects,
      ...(block.isReported
        ? []
        : report(next, block.suspect, { status: "failed", step: "held", ...errorFields(code, message) })),
      ...(isNew ? [{ type: "raise", event: { type: "updateFailed", code, message } } as const] : []),
    ],
  ];
}

/** Not installed again until another release is offered. */
const blockedByOwner = (imageSha256: string | undefined): UpdateState["blockedImage"] =>
  imageSha256 ? { imageSha256, untilMs: Number.POSITIVE_INFINITY } : undefined;

function applyOutcome(state: UpdateState, outcome: Outcome, event: Booted & Stamped): Step {
  switch (outcome.kind) {
    case "none":
      return [state, []];
    case "onTrial":
      return trialBegun(state, outcome.record, event);
    case "validated":
      return [state, reportResult(state, outcome.record, { status: "success", step: "validated" })];
    case "rearm": {
      const attempt = nextAttempt(state);
      const { record, why } = outcome;
      return [
        enter(state, { phase: "rearming", attempt, rearming: record }),
        [
          { type: "log", level: "warn", message: `${record.version} is armed again: ${why}` },
          // without the count it would be armed again for ever
          {
            type: "save",
            purpose: "rearm",
            values: { [RECORD_KEY]: writeRecord(record) },
            next: [{ type: "armSlot", attempt, imageSha256: record.imageSha256 }],
          },
        ],
      ];
    }
    case "failed":
      return failed(state, outcome.record, outcome.failure, event.at, isKnown(event));
  }
}

/** It runs, so its slot was armed: the record says so from now on, before the image can crash; and that the slot is armed again, if so. */
function trialBegun(state: UpdateState, found: InstallRecord, event: Booted): Step {
  const isArmedAgain = needsRestartForTrial(event, found);
  const record: InstallRecord = isArmedAgain ? armedAgain(found) : { ...found, armed: true };
  return [
    { ...state, record },
    [
      // that it is armed again is stored before it is: see boot-validation.ts
      ...(found.armed || isArmedAgain ? [] : [storeRecord(record)]),
      ...report(state, record, {
        status: "installing",
        step: missingRollbackSupport(event) === undefined ? "trial" : "trial without roll back",
      }),
    ],
  ];
}

/** An earlier boot has found out already. */
const isKnown = ({ stored }: Booted): boolean => readRecord(stored[RECORD_KEY])?.failure !== undefined;

/**
 * The failure is stored: the next boot no longer knows the reason of this one's reset. It stays until the server has read it, that of a push
 * until another update is installed, and the device's page shows it.
 */
function failed(
  state: UpdateState,
  record: InstallRecord,
  failure: InstallFailure,
  at: number,
  isKnown: boolean,
): Step {
  const { code, reason } = failure;
  const { version, from } = record;
  const wasRolledBack = code === "ROLLED_BACK";
  return [
    {
      ...state,
      record,
      blockedImage: state.blockedImage ?? {
        imageSha256: record.imageSha256,
        untilMs: at + BLOCK_AFTER_FAILURE_MS,
      },
    },
    [
      {
        type: "log",
        level: isKnown ? "warn" : "error",
        message: `${version} ${wasRolledBack ? "was rolled back" : "failed"}: ${reason}`,
      },
      ...(isKnown ? [] : [storeRecord(record)]),
      ...(from === "push" ? [FORGET_REASON] : []),
      { type: "raise", event: { type: "installationFailed", version, code, reason } },
      ...report(state, record, {
        status: "failed",
        step: wasRolledBack ? "rolled back" : "failed",
        ...errorFields(code, reason),
      }),
    ],
  ];
}

/** The slot is armed again, because the image was not to blame. Nothing else happens meanwhile. */
export function rearmStep(state: UpdateState, rearming: InstallRecord, event: Stamped): Step {
  if (event.type === "slotArmed") {
    const restart = { type: "restart", reason: "update" } as const;
    return [enter(state, { phase: "restarting" }), [storeRecord({ ...rearming, armed: true }), restart]];
  }
  const isNotStored = event.type === "saveFailed" && event.purpose === "rearm";
  if (event.type !== "slotFailed" && !isNotStored) return [state, []];
  const wasInterrupted = rearming.powerLosses > 0;
  const failure: InstallFailure = {
    code: wasInterrupted ? "ROLLED_BACK" : "ARM_FAILED",
    reason: `${wasInterrupted ? "its trial run was interrupted" : "it was never started"}, and its slot could not be armed again: ${event.message}`,
  };
  const idle = enter(state, { phase: "idle" });
  const [next, effects] = failed(idle, { ...rearming, failure }, failure, event.at, false);
  return [next, [...effects, nextCheck(next, 0)]];
}

export function trialPassed(state: UpdateState, event: Stamped): Step {
  const boot = state.boot && validated(state.boot);
  const record = state.record && passedRecord(state.record);
  const installed = record?.installed ?? state.installed;
  const valid: UpdateState = { ...state, boot, record, installed, onTrial: false };
  const result = record ? recordPassed(valid, record) : [];
  return [
    valid,
    [
      ...placeStored(valid, record),
      ...result,
      ...(valid.phase === "idle" ? [nextCheck(valid, event.random)] : []),
    ],
  ];
}

/** Before the record that says that the trial was passed: an image without that passes it once more, and then this is stored. */
const placeStored = (state: UpdateState, record: InstallRecord | undefined): readonly Effect[] =>
  record?.installed && state.boot ? [storeInstalled(record.installed, state.boot.identity.type)] : [];

/** A failure of before is over. */
function passedRecord({ failure: _, ...record }: InstallRecord): InstallRecord {
  return { ...record, passed: true };
}

/** Stored as well as reported: the state in otadata alone does not prove that the trial was passed (see isUntried). */
const recordPassed = (state: UpdateState, record: InstallRecord): readonly (Effect | Raise)[] => [
  ...(record.from === "push" ? [] : [storeRecord(record)]),
  ...reportResult(state, record, { status: "success", step: "validated" }),
];

/** Reports the result to the server. A pushed image is not reported: its record has served its purpose. */
function reportResult(
  state: UpdateState,
  record: InstallRecord,
  fields: Pick<Report, "status" | "step" | "error_code" | "error_message">,
): readonly (Effect | Raise)[] {
  return record.from === "push" ? FORGET_RECORD : report(state, record, fields);
}

const FORGET_REASON: Effect = Object.freeze({ type: "forget", key: TRIAL_REASON_KEY });
const FORGET_RECORD: readonly Effect[] = Object.freeze([
  Object.freeze({ type: "forget", key: RECORD_KEY } as const),
  FORGET_REASON,
]);

/** The server has the result: the record has served its purpose. Another result with the same firmware is of an earlier attempt. */
export function reportTaken(state: UpdateState, taken: Report): Step {
  const { record } = state;
  if (taken.error_code === "OFFER_CRASHES")
    return withOfferCrashes(state, blockReported(state.offerCrashes, taken.firmware_id));
  if (record?.from !== "server" || taken.firmware_id !== record.firmwareId || !isResultOf(record, taken))
    return [state, []];
  return [{ ...state, record: undefined }, FORGET_RECORD];
}

function isResultOf(
  { passed, failure }: InstallRecord,
  { status, error_code, error_message }: Report,
): boolean {
  if (!failure) return passed === true && status === "success";
  const told = errorFields(failure.code, failure.reason);
  return status === "failed" && error_code === told.error_code && error_message === told.error_message;
}
