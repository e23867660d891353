// The record that an update leaves in NVS when it arms a slot: what was installed, where, and how far it came. The slots and their states
// are the truth; the record says what was meant to happen, so that a boot can tell what became of it (outcome.ts).
//
// `armed` is written after otadata has been: a reset before that may leave any state there, one of an earlier attempt or a torn one.

import type { Effect } from "../effect.js";
import type { UpdateErrorCode } from "../errors.js";
import type { RunningImage } from "../event.js";
import { asJsonObject, type JsonObject, readJsonObject } from "../json.js";
import { type Installed, readPlace } from "../trust/sequence.js";

/** NVS key of the record. */
export const RECORD_KEY = "install";
/** NVS key of the SHA-256 of an image that its owner rolled back: the server may keep offering it, but it is not installed again. */
export const BLOCKED_IMAGE_KEY = "held";

/** What was pushed is unknown to the server, which gets no reports about it. */
export type Origin = "server" | "push";

/** How many times a slot is armed again when nothing shows that its image has run. */
export const MAX_REARMINGS = 3;

export interface InstallRecord {
  /** Where the image came from. Firmware that does not store this stores firmware id 0 of a push. */
  readonly from: Origin;
  /** The server's number; 0 of a push, which older firmware knows by it. */
  readonly firmwareId: number;
  readonly version: string;
  readonly build: number;
  readonly imageSha256: string;
  /** Label of the slot that the image was written to. */
  readonly slot: string;
  /** Trials that ended by a power loss or another reset from outside. */
  readonly powerLosses: number;
  /** How many times the slot was armed again because the image had not run; absent: 0. */
  readonly rearmings?: number;
  /** Otadata selects the slot; absent: not yet, or a reset came before this could be written. */
  readonly armed?: true;
  /** The image has passed its trial; absent: not yet. */
  readonly passed?: true;
  /** Its place among the releases of its type, if they have one. */
  readonly installed?: Installed;
  /** Why it failed, until the server has taken the report. */
  readonly failure?: InstallFailure;
}

export interface InstallFailure {
  /** ARM_FAILED: the image has never run, so it is not to blame. */
  readonly code: Extract<UpdateErrorCode, "ROLLED_BACK" | "ARM_FAILED">;
  readonly reason: string;
}

/** Whether the image that runs is the recorded one, in the recorded slot. */
export const isRecorded = (image: RunningImage, record: InstallRecord): boolean =>
  record.imageSha256 === image.imageSha256 && record.slot === image.slot;

/**
 * Whether an image runs that the boot loader did not put on trial although it has never passed one. Otadata's CRC covers only the sequence
 * number: a power cut while an entry is written or erased can leave a good entry with any state, VALID too.
 */
export function isUntried(image: RunningImage, record: InstallRecord | undefined): boolean {
  if (image.stateTorn) return true;
  if (image.slotState === "pending_verify" || image.slotState === "factory") return false;
  return record !== undefined && isRecorded(image, record) && !record.passed;
}

/** Whether the image that runs has yet to pass its trial. */
export const isOnTrial = (image: RunningImage, record: InstallRecord | undefined): boolean =>
  image.slotState === "pending_verify" || isUntried(image, record);

/** Short JSON: NVS strings hold 3999 bytes, this takes about 200, with a failure some hundred more. */
export const writeRecord = (record: InstallRecord): string => JSON.stringify(record);

export const storeRecord = (record: InstallRecord): Effect => ({
  type: "store",
  key: RECORD_KEY,
  value: writeRecord(record),
});

/**
 * A record that cannot be read counts as none: the slot states still show what runs. After a roll back older firmware reads it, and after an
 * update newer: fields are only added, and those that are not known are ignored.
 */
export function readRecord(text: string | undefined): InstallRecord | undefined {
  const value = text === undefined ? undefined : readJsonObject(text);
  const origin = value && readOrigin(value);
  if (!value || !origin) return undefined;
  const version = value.get("version");
  const build = value.get("build");
  const imageSha256 = value.get("imageSha256");
  const slot = value.get("slot");
  const powerLosses = value.get("powerLosses");
  const rearmings = value.get("rearmings");
  if (typeof version !== "string" || !isCount(build)) return undefined;
  if (typeof imageSha256 !== "string" || typeof slot !== "string" || !isCount(powerLosses)) return undefined;
  const failure = readFailure(asJsonObject(value.get("failure")));
  const installed = readPlace(asJsonObject(value.get("installed")));
  return {
    ...origin,
    version,
    build,
    imageSha256,
    slot,
    powerLosses,
    ...(isCount(rearmings) ? { rearmings } : {}),
    ...(value.get("armed") === true ? { armed: true } : {}),
    ...(value.get("passed") === true ? { passed: true } : {}),
    ...(installed ? { installed } : {}),
    ...(failure ? { failure } : {}),
  };
}

/** Where the image of a record came from. */
export function readOrigin(value: JsonObject): Pick<InstallRecord, "from" | "firmwareId"> | undefined {
  const from = value.get("from");
  const firmwareId = value.get("firmwareId");
  if (from === "push" || (from === undefined && firmwareId === 0)) return { from: "push", firmwareId: 0 };
  return isFirmwareId(firmwareId) ? { from: "server", firmwareId } : undefined;
}

/** As servers number firmware. */
export const isFirmwareId = (value: unknown): value is number => isCount(value) && value > 0;

/** A number beyond is not exact, or is written as `null`. */
export const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

function readFailure(value: JsonObject | undefined): InstallFailure | undefined {
  const code = value?.get("code");
  const reason = value?.get("reason");
  const isKnown = code === "ROLLED_BACK" || code === "ARM_FAILED";
  return isKnown && typeof reason === "string" ? { code, reason } : undefined;
}
