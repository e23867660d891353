// The note that an update leaves in NVS when it arms a slot, and what the next boot concludes from it. The slot and its state are
// the truth; the note only says what was meant to happen, so that the outcome can be told and a power cut told from a crash.

import type { RunningImage } from "./event.js";
import { isPowerLoss } from "./identity.js";

/** NVS key of the record. */
export const RECORD_KEY = "install";
/** NVS key of the SHA-256 of an image that its owner rolled back: the server may go on offering it, it is not wanted here. */
export const HELD_KEY = "held";

/** Firmware id of an image that was pushed: the server knows nothing of it, and is told nothing. */
export const PUSHED = 0;

export interface InstallRecord {
  readonly firmwareId: number;
  readonly version: string;
  readonly build: number;
  readonly imageSha256: string;
  /** Label of the slot that it was written to. */
  readonly slot: string;
  /** Trials that ended in a loss of power, of which one is forgiven. */
  readonly powerLosses: number;
  /** The image has passed its trial; absent: not yet. */
  readonly passed?: true;
}

/**
 * Whether an image runs that the boot loader has not put on trial although it has never passed one. Otadata's CRC covers the sequence
 * number alone: power that fails while an entry is written or erased can leave one that is good, but for any other state, VALID too.
 */
export function isUntried(image: RunningImage, record: InstallRecord | undefined): boolean {
  if (image.stateTorn) return true;
  if (image.slotState === "pending_verify" || image.slotState === "factory") return false;
  return record !== undefined && record.imageSha256 === image.imageSha256 && !record.passed;
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
  /** Power was lost during the trial: the image is not to blame, its slot is armed once more. */
  | { readonly kind: "rearm"; readonly record: InstallRecord }
  /** The old image is back. */
  | { readonly kind: "rolledBack"; readonly record: InstallRecord; readonly reason: string };

/**
 * What became of the last installation.
 *
 * @param trialReason what the new image wrote before it rolled itself back
 * @param resetReason how this boot came about: if the new image crashed, this is its crash
 * @param restartReason why the new image restarted the chip, if it did so itself
 * @param targetState state of the slot that is not running: ABORTED or INVALID if it was tried
 */
export function judgeInstallation(
  record: InstallRecord | undefined,
  image: RunningImage,
  targetState: string,
  trialReason: string | undefined,
  resetReason: string,
  restartReason?: string,
): Outcome {
  if (!record) return { kind: "none" };
  if (image.imageSha256 === record.imageSha256) {
    return { kind: isOnTrial(image, record) ? "onTrial" : "validated", record };
  }
  if (trialReason) return { kind: "rolledBack", record, reason: trialReason };
  if (targetState === "valid") {
    return { kind: "rearm", record };
  }
  if (isPowerLoss(resetReason)) {
    if (record.powerLosses === 0) return { kind: "rearm", record: { ...record, powerLosses: 1 } };
    return {
      kind: "rolledBack",
      record,
      reason: `power was lost ${record.powerLosses + 1} times during the trial run`,
    };
  }
  const reason =
    restartReason === undefined
      ? (REASONS[resetReason] ?? `restart (${resetReason}) during the trial run`)
      : `restart (${restartReason}) during the trial run`;
  return { kind: "rolledBack", record, reason };
}

const REASONS: Readonly<Record<string, string>> = Object.freeze({
  software: "the new firmware threw an error or restarted during its trial run",
  panic: "the new firmware crashed during its trial run",
  "task-watchdog": "the new firmware hung during its trial run (task watchdog)",
  "interrupt-watchdog": "the new firmware hung during its trial run (interrupt watchdog)",
});

/** Short JSON: NVS strings hold 3999 bytes, this takes about 150. */
export const writeRecord = (record: InstallRecord): string => JSON.stringify(record);

/** A record that cannot be read counts as none: the slot states still say what runs. */
export function readRecord(text: string | undefined): InstallRecord | undefined {
  if (text === undefined) return undefined;
  try {
    const { firmwareId, version, build, imageSha256, slot, powerLosses, passed } = JSON.parse(
      text,
    ) as Partial<InstallRecord>;
    if (typeof firmwareId !== "number" || typeof version !== "string" || typeof build !== "number")
      return undefined;
    if (typeof imageSha256 !== "string" || typeof slot !== "string" || typeof powerLosses !== "number")
      return undefined;
    const record = { firmwareId, version, build, imageSha256, slot, powerLosses };
    return passed === true ? { ...record, passed } : record;
  } catch {
    return undefined;
  }
}
