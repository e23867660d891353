// What became of the last installation, as a boot concludes it from the record, the slots and the reset reason. An image is blamed only if
// it has run, a power loss is not taken for a crash, and whatever is tried again is counted. A failure is stored in the record, because
// the reset reason is known at one boot only.
//
//   what runs      the record says     otadata says of its slot    reset                  outcome
//   ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
//   the recorded   anything            on trial, or not passed     any                    onTrial
//   the recorded   anything            anything else               any                    validated
//   another        failed              anything                    any                    failed: the stored failure
//   another        the image stored a reason for its roll back     any                    failed: that reason
//   another        passed              anything                    by a roll back         failed: the owner wanted the old one
//   another        passed              anything                    otherwise              rearm (a), else failed: no longer starts
//   another        not armed           anything                    any                    rearm (a), else failed: never started
//   another        armed               anything                    from outside           rearm (b), else failed: interrupted
//   another        armed               it is selected              by the firmware        failed: the boot loader did not start it
//   another        armed               aborted, invalid            by the firmware        failed: it crashed, hung, restarted
//   another        armed               anything else: it was lost  by the firmware        rearm (a), else failed: never started
//
//   (a) up to MAX_REARMINGS times, (b) up to MAX_INTERRUPTIONS times, both only while the slot is still the one that updates go to

import type { Booted } from "../event.js";
import { isFromOutside } from "../identity.js";
import { type InstallFailure, type InstallRecord, isOnTrial, isRecorded, MAX_REARMINGS } from "./record.js";

/** How many trials may end by a reset from outside without counting against the image. */
const MAX_INTERRUPTIONS = 1;

export type Outcome =
  /** Nothing was installed, or its result has been reported. */
  | { readonly kind: "none" }
  /** The new image runs, and its trial has just begun. */
  | { readonly kind: "onTrial"; readonly record: InstallRecord }
  /** The new image runs and is valid; the server may not know yet. */
  | { readonly kind: "validated"; readonly record: InstallRecord }
  /** The image is not to blame: its slot is armed again. */
  | { readonly kind: "rearm"; readonly record: InstallRecord; readonly why: string }
  /** The old image is back, and stays. */
  | { readonly kind: "failed"; readonly record: InstallRecord; readonly failure: InstallFailure };

/** What a boot knows besides the record. */
export interface BootFacts extends Pick<Booted, "image" | "target" | "bootSlot" | "resetReason"> {
  /** What the new image stored before it rolled itself back. */
  readonly trialReason?: string | undefined;
  /** Why the firmware restarted the chip, if it did so itself. */
  readonly restartReason?: string | undefined;
}

/** What became of the last installation: the table above, row by row. */
export function evaluateInstallation(record: InstallRecord | undefined, facts: BootFacts): Outcome {
  if (!record) return { kind: "none" };
  const { image, trialReason } = facts;
  if (isRecorded(image, record)) return { kind: isOnTrial(image, record) ? "onTrial" : "validated", record };
  if (record.failure) return { kind: "failed", record, failure: record.failure };
  if (trialReason) return rolledBack(record, trialReason);
  if (record.passed) return noLongerStarts(record, facts);
  if (!record.armed) return neverStarted(record, facts);
  if (isFromOutside(facts.resetReason)) return interrupted(record, facts);
  if (facts.bootSlot === record.slot)
    return rolledBack(record, "the boot loader did not start the new image");
  const state = facts.target?.state;
  if (state !== "aborted" && state !== "invalid") return neverStarted(record, facts);
  return rolledBack(record, trialEnd(facts));
}

function neverStarted(record: InstallRecord, facts: BootFacts): Outcome {
  const why = `it was not started: ${resetOf(facts)} while its slot was armed`;
  return (
    rearmed(record, facts, why) ??
    failed(record, "ARM_FAILED", `the new image was never started: ${rearmingsUsedUp(record, facts)}`)
  );
}

function noLongerStarts(record: InstallRecord, facts: BootFacts): Outcome {
  if (facts.restartReason === "roll-back")
    return rolledBack(record, "it was rolled back by its owner after its trial");
  const why = "it is validated, but no longer starts";
  return rearmed(record, facts, why) ?? rolledBack(record, `${why}: ${rearmingsUsedUp(record, facts)}`);
}

function interrupted(record: InstallRecord, facts: BootFacts): Outcome {
  const powerLosses = record.powerLosses + 1;
  if (powerLosses > MAX_INTERRUPTIONS || !isTargetSlot(record, facts))
    return rolledBack(
      record,
      `its trial run was interrupted ${timesOf(powerLosses)}, the last time by a reset (${facts.resetReason})`,
    );
  const { armed: _, ...again } = { ...record, powerLosses };
  return {
    kind: "rearm",
    record: again,
    why: `its trial run was interrupted by a reset (${facts.resetReason})`,
  };
}

function rearmed(record: InstallRecord, facts: BootFacts, why: string): Outcome | undefined {
  const rearmings = (record.rearmings ?? 0) + 1;
  if (rearmings > MAX_REARMINGS || !isTargetSlot(record, facts)) return undefined;
  const { armed: _, ...again } = { ...record, rearmings };
  return { kind: "rearm", record: again, why: `${why} (${rearmings} of ${MAX_REARMINGS})` };
}

/** Only the slot that the next update goes to can be armed. */
const isTargetSlot = (record: InstallRecord, { target }: BootFacts): boolean => target?.label === record.slot;

const timesOf = (count: number): string => (count === 1 ? "once" : `${count} times`);

const rearmingsUsedUp = (record: InstallRecord, facts: BootFacts): string =>
  isTargetSlot(record, facts)
    ? `arming its slot again ${MAX_REARMINGS} times did not help, the last time there was ${resetOf(facts)}`
    : `${record.slot} is not the slot that can be armed`;

const resetOf = ({ resetReason, restartReason }: BootFacts): string =>
  restartReason === undefined ? `a reset (${resetReason})` : `a restart (${restartReason})`;

const trialEnd = ({ resetReason, restartReason }: BootFacts): string =>
  restartReason === undefined
    ? (REASONS[resetReason] ?? `restart (${resetReason}) during the trial run`)
    : `restart (${restartReason}) during the trial run`;

const rolledBack = (record: InstallRecord, reason: string): Outcome => failed(record, "ROLLED_BACK", reason);

function failed(record: InstallRecord, code: InstallFailure["code"], reason: string): Outcome {
  const failure = { code, reason };
  return { kind: "failed", record: { ...record, failure }, failure };
}

const REASONS: Readonly<Record<string, string>> = Object.freeze({
  software: "the new firmware threw an error or restarted during its trial run",
  panic: "the new firmware crashed during its trial run",
  "task-watchdog": "the new firmware hung during its trial run (task watchdog)",
  "interrupt-watchdog": "the new firmware hung during its trial run (interrupt watchdog)",
  "deep-sleep": "the new firmware went to sleep during its trial run",
});
