// The note that an update leaves in NVS around the arming of a slot, and what a boot concludes from it. The slot and its state are
// the truth; the note says what was meant to happen, and how far it came: so an image is judged only if it has run, power that failed
// is told from a crash, and whatever is tried once more is counted. A judgement is written down: the reset reason is known only once.
//
//   what runs      the record says     otadata says of its slot    this boot came         conclusion
//   ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
//   the recorded   anything            on trial, or not passed     anyhow                 onTrial
//   the recorded   anything            anything else               anyhow                 validated
//   another        failed              anything                    anyhow                 failed: what was judged before
//   another        the image left a reason for its roll back       anyhow                 failed: that reason
//   another        passed              anything                    by a roll back         failed: the owner wanted the old one
//   another        passed              anything                    otherwise              rearm (a), else failed: does not start any more
//   another        not armed           anything                    anyhow                 rearm (a), else failed: never started
//   another        armed               anything                    from outside           rearm (b), else failed: interrupted
//   another        armed               it is selected              by the firmware        failed: the boot loader did not start it
//   another        armed               aborted, invalid            by the firmware        failed: it crashed, hung, restarted
//   another        armed               anything else: it was lost  by the firmware        rearm (a), else failed: never started
//
//   (a) at most MAX_REARMINGS times, (b) at most MAX_INTERRUPTIONS times, both only where the slot is still the one that is written to
//
// "Armed" is written when otadata has been: a reset before that may leave any state there, one of an earlier attempt or a torn one.

import type { Effect } from "../effect.js";
import type { UpdateErrorCode } from "../errors.js";
import type { Booted, RunningImage } from "../event.js";
import { isFromOutside } from "../identity.js";

/** NVS key of the record. */
export const RECORD_KEY = "install";
/** NVS key of the SHA-256 of an image that its owner rolled back: the server may go on offering it, it is not wanted here. */
export const HELD_KEY = "held";

/** Firmware id of an image that was pushed: the server knows nothing of it, and is told nothing. */
export const PUSHED = 0;

/** An image that nothing shows to have run is armed again so often, in all. */
export const MAX_REARMINGS = 3;
/** How many trials may end by something outside the firmware without being counted against the image. */
const MAX_INTERRUPTIONS = 1;

export interface InstallRecord {
  readonly firmwareId: number;
  readonly version: string;
  readonly build: number;
  readonly imageSha256: string;
  /** Label of the slot that it was written to. */
  readonly slot: string;
  /** Trials that power or another reset from outside has ended. */
  readonly powerLosses: number;
  /** Times that the slot was armed again although the image had not run; absent: 0. */
  readonly rearmings?: number;
  /** Otadata has selected the slot; absent: not yet, or nobody came to write it down. */
  readonly armed?: true;
  /** The image has passed its trial; absent: not yet. */
  readonly passed?: true;
  /** The judgement, until the server has taken it. */
  readonly failure?: InstallFailure;
}

export interface InstallFailure {
  /** ARM_FAILED: it has never run, so nothing is said against it. */
  readonly code: Extract<UpdateErrorCode, "ROLLED_BACK" | "ARM_FAILED">;
  readonly reason: string;
}

const isRecorded = (image: RunningImage, record: InstallRecord): boolean =>
  record.imageSha256 === image.imageSha256 && record.slot === image.slot;

/**
 * Whether an image runs that the boot loader has not put on trial although it has never passed one. Otadata's CRC covers the sequence
 * number alone: power that fails while an entry is written or erased can leave one that is good, but for any other state, VALID too.
 */
export function isUntried(image: RunningImage, record: InstallRecord | undefined): boolean {
  if (image.stateTorn) return true;
  if (image.slotState === "pending_verify" || image.slotState === "factory") return false;
  return record !== undefined && isRecorded(image, record) && !record.passed;
}

/** Whether the image that runs has yet to pass its trial. */
export const isOnTrial = (image: RunningImage, record: InstallRecord | undefined): boolean =>
  image.slotState === "pending_verify" || isUntried(image, record);

export type Outcome =
  /** Nothing was installed, or it has been told already. */
  | { readonly kind: "none" }
  /** The new image runs, and its trial has just begun. */
  | { readonly kind: "onTrial"; readonly record: InstallRecord }
  /** The new image runs and is valid; the server may not know yet. */
  | { readonly kind: "validated"; readonly record: InstallRecord }
  /** The image is not to blame: its slot is armed once more. */
  | { readonly kind: "rearm"; readonly record: InstallRecord; readonly why: string }
  /** The old image is back, and stays. */
  | { readonly kind: "failed"; readonly record: InstallRecord; readonly failure: InstallFailure };

/** What a boot knows beside the record. */
export interface BootFacts extends Pick<Booted, "image" | "target" | "bootSlot" | "resetReason"> {
  /** What the new image wrote before it rolled itself back. */
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
  if (record.passed) return gone(record, facts);
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
    failed(record, "ARM_FAILED", `the new image was never started: ${tries(record, facts)}`)
  );
}

function gone(record: InstallRecord, facts: BootFacts): Outcome {
  if (facts.restartReason === "roll-back")
    return rolledBack(record, "it was rolled back by its owner after its trial");
  const why = "it is validated, but does not start any more";
  return rearmed(record, facts, why) ?? rolledBack(record, `${why}: ${tries(record, facts)}`);
}

function interrupted(record: InstallRecord, facts: BootFacts): Outcome {
  const powerLosses = record.powerLosses + 1;
  if (powerLosses > MAX_INTERRUPTIONS || !isNext(record, facts))
    return rolledBack(
      record,
      `its trial run was interrupted ${timesOf(powerLosses)}, at last by a reset (${facts.resetReason})`,
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
  if (rearmings > MAX_REARMINGS || !isNext(record, facts)) return undefined;
  const { armed: _, ...again } = { ...record, rearmings };
  return { kind: "rearm", record: again, why: `${why} (${rearmings} of ${MAX_REARMINGS})` };
}

/** What is armed is the slot that the next update goes to. */
const isNext = (record: InstallRecord, { target }: BootFacts): boolean => target?.label === record.slot;

const timesOf = (count: number): string => (count === 1 ? "once" : `${count} times`);

const tries = (record: InstallRecord, facts: BootFacts): string =>
  isNext(record, facts)
    ? `arming its slot ${MAX_REARMINGS} times more did not help, at last there was ${resetOf(facts)}`
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

/** Short JSON: NVS strings hold 3999 bytes, this takes about 200, with a failure some hundred more. */
export const writeRecord = (record: InstallRecord): string => JSON.stringify(record);

export const storeRecord = (record: InstallRecord): Effect => ({
  type: "store",
  key: RECORD_KEY,
  value: writeRecord(record),
});

/** A record that cannot be read counts as none: the slot states still say what runs. */
export function readRecord(text: string | undefined): InstallRecord | undefined {
  if (text === undefined) return undefined;
  try {
    const { firmwareId, version, build, imageSha256, slot, powerLosses, rearmings, armed, passed, failure } =
      JSON.parse(text) as Partial<InstallRecord>;
    if (typeof firmwareId !== "number" || typeof version !== "string" || typeof build !== "number")
      return undefined;
    if (typeof imageSha256 !== "string" || typeof slot !== "string" || typeof powerLosses !== "number")
      return undefined;
    return {
      firmwareId,
      version,
      build,
      imageSha256,
      slot,
      powerLosses,
      ...(typeof rearmings === "number" ? { rearmings } : {}),
      ...(armed === true ? { armed } : {}),
      ...(passed === true ? { passed } : {}),
      ...(isFailure(failure) ? { failure } : {}),
    };
  } catch {
    return undefined;
  }
}

const isFailure = (value: Partial<InstallFailure> | null | undefined): value is InstallFailure =>
  (value?.code === "ROLLED_BACK" || value?.code === "ARM_FAILED") && typeof value.reason === "string";
