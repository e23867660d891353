// The esp_ota_* functions of ESP-IDF v6.0 on virtual flash: what a running app calls to write, arm, confirm and roll back
// images. It decides nothing of its own; the hazards of the real functions (an entry is erased before it is rewritten,
// begin drops the fallback record) are kept. Encryption and boot loader updates are not part of it.

import { APP_DESCRIPTION_BYTES, APP_DESCRIPTION_OFFSET, decodeAppDescription } from "./app-description.js";
import { type AppDescription, type Chip, IMAGE_MAGIC, verifyPartitionImage } from "./app-image.js";
import { burnVersionOf, type Efuse, mayRun, secureVersionIn } from "./efuse.js";
import { ChipAborted, type EspError } from "./esp-error.js";
import { type Flash, SECTOR_BYTES } from "./flash.js";
import {
  activeEntry,
  EMPTY_SEQUENCE,
  type EntryIndex,
  isCrcRight,
  isInvalid,
  isValid,
  OTA_STATE,
  type Otadata,
  type OtadataEntry,
  readOtadata,
  selectEntry,
  sequenceCrc,
  slotOfSequence,
  writeOtadataEntry,
} from "./otadata.js";
import {
  APP_SUBTYPE_FACTORY,
  APP_SUBTYPE_OTA_0,
  APP_SUBTYPE_TEST,
  DATA_SUBTYPE_OTA,
  findPartition,
  OTA_SLOT_LIMIT,
  otaSlots,
  PARTITION_FLAG_READ_ONLY,
  PARTITION_TYPE_APP,
  PARTITION_TYPE_DATA,
  type Partition,
} from "./partition-table.js";

export { ESP_ERROR_CODES, type EspError } from "./esp-error.js";
export { OTA_STATE } from "./otadata.js";

/** How much begin erases: that many bytes, the whole partition, or nothing (each write erases what it enters). */
export type OtaSize = number | "unknown" | "sequential";

export interface OtaOptions {
  /** CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE. */
  readonly rollback: boolean;
  readonly chip: Chip;
  /** CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK. */
  readonly antiRollback?: Efuse | undefined;
  /** esp_restart, called by markInvalidAndReboot; it normally does not return. */
  readonly restart?: () => void;
  /** Called where an assertion of the real functions fails; without it, or when it returns, ChipAborted is thrown. */
  readonly abort?: () => void;
}

interface Writer {
  readonly partition: Partition;
  readonly erasesOnWrite: boolean;
  writtenBytes: number;
}

/** The functions for one boot of one app. Results are ESP-IDF's error names; a power cut is thrown by the flash. */
export class Ota {
  readonly running: Partition;
  readonly partitions: readonly Partition[];
  readonly #flash: Flash;
  readonly #options: OtaOptions;
  readonly #writers = new Map<number, Writer>();
  #lastHandle = 0;

  constructor(flash: Flash, partitions: readonly Partition[], running: Partition, options: OtaOptions) {
    this.#flash = flash;
    this.partitions = partitions;
    this.running = running;
    this.#options = options;
  }

  /** esp_ota_begin. The handle is 0 unless the result is ESP_OK. */
  begin(partition: Partition | undefined, size: OtaSize): { error: EspError; handle: number } {
    const conflict = this.#beginConflict(partition);
    if (partition === undefined || conflict !== "ESP_OK") return { error: conflict, handle: 0 };
    const handle = this.#open(partition, size === "sequential", 0);
    if (size !== "sequential") {
      const wholePartition = size === "unknown" || size === 0;
      const error = this.#erase(partition, 0, wholePartition ? partition.size : roundUp(size));
      if (error !== "ESP_OK") return { error, handle: 0 };
    }
    if (this.#options.rollback && isOtaSlot(partition)) this.#eraseLastBoot(true);
    return { error: "ESP_OK", handle };
  }

  /** esp_ota_resume: goes on at `offset` after a restart, without erasing and without touching otadata. */
  resume(
    partition: Partition | undefined,
    size: OtaSize,
    offset: number,
  ): { error: EspError; handle: number } {
    if (partition === undefined || offset > partition.size)
      return { error: "ESP_ERR_INVALID_ARG", handle: 0 };
    if (!this.partitions.includes(partition)) return { error: "ESP_ERR_NOT_FOUND", handle: 0 };
    if (partition.type === PARTITION_TYPE_APP && !isOtaSlot(partition)) {
      return { error: "ESP_ERR_INVALID_ARG", handle: 0 };
    }
    if (partition === this.running) return { error: "ESP_ERR_OTA_PARTITION_CONFLICT", handle: 0 };
    return { error: "ESP_OK", handle: this.#open(partition, size === "sequential", offset) };
  }

  /** esp_ota_write: appends. The first byte of an image must be 0xE9. */
  write(handle: number, bytes: Uint8Array): EspError {
    if (bytes.length === 0) return "ESP_OK";
    const writer = this.#writers.get(handle);
    if (writer === undefined) return "ESP_ERR_INVALID_ARG";
    if (writer.erasesOnWrite) {
      const error = this.#eraseAhead(writer, bytes.length);
      if (error !== "ESP_OK") return error;
    }
    const beginsImage = writer.writtenBytes === 0 && writer.partition.type === PARTITION_TYPE_APP;
    if (beginsImage && bytes[0] !== IMAGE_MAGIC) return "ESP_ERR_OTA_VALIDATE_FAILED";
    const error = this.#write(writer.partition, writer.writtenBytes, bytes);
    if (error === "ESP_OK") writer.writtenBytes += bytes.length;
    return error;
  }

  /** esp_ota_write_with_offset. @throws Error on a sequential handle, where the real function asserts. */
  writeWithOffset(handle: number, bytes: Uint8Array, offset: number): EspError {
    const writer = this.#writers.get(handle);
    if (writer === undefined) return "ESP_ERR_INVALID_ARG";
    if (writer.erasesOnWrite)
      throw new Error("esp_ota_write_with_offset needs a partition that begin erased");
    const error = this.#write(writer.partition, offset, bytes);
    if (error === "ESP_OK") writer.writtenBytes += bytes.length;
    return error;
  }

  /** esp_ota_end: verifies the whole image. The handle is closed either way. */
  end(handle: number): EspError {
    const writer = this.#writers.get(handle);
    if (writer === undefined) return "ESP_ERR_NOT_FOUND";
    this.#writers.delete(handle);
    if (writer.writtenBytes === 0) return "ESP_ERR_INVALID_ARG";
    if (writer.partition.type !== PARTITION_TYPE_APP) return "ESP_OK";
    return this.#validate(writer.partition);
  }

  /** esp_ota_abort */
  abort(handle: number): EspError {
    return this.#writers.delete(handle) ? "ESP_OK" : "ESP_ERR_NOT_FOUND";
  }

  /** esp_ota_set_boot_partition: verifies, then writes otadata (or erases it for the factory app). */
  setBoot(partition: Partition | undefined): EspError {
    if (partition === undefined) return "ESP_ERR_INVALID_ARG";
    if (this.#validate(partition) !== "ESP_OK") return "ESP_ERR_OTA_VALIDATE_FAILED";
    if (partition.type !== PARTITION_TYPE_APP) return "ESP_ERR_INVALID_ARG";
    if (partition.subtype === APP_SUBTYPE_FACTORY) {
      const otadata = this.#otadataPartition;
      return otadata === undefined ? "ESP_ERR_NOT_FOUND" : this.#erase(otadata, 0, otadata.size);
    }
    const { antiRollback } = this.#options;
    if (antiRollback !== undefined) {
      const secureVersion = secureVersionIn(this.#flash, partition);
      if (secureVersion === undefined) return "ESP_ERR_NOT_FOUND";
      if (!antiRollback.allows(secureVersion)) {
        const error = this.#erase(partition, 0, partition.size);
        return error === "ESP_OK" ? "ESP_ERR_OTA_SMALL_SEC_VER" : error;
      }
    }
    return this.#selectSlot(partition.subtype & 0x0f);
  }

  /** esp_ota_mark_app_valid_cancel_rollback */
  markValid(): EspError {
    const found = this.#readActive();
    if ("error" in found) return found.error;
    if (found.entry.state === OTA_STATE.VALID) return "ESP_OK";
    const error = this.#rewrite(found.active, { ...found.entry, state: OTA_STATE.VALID });
    const { antiRollback } = this.#options;
    if (error !== "ESP_OK" || antiRollback === undefined) return error;
    return burnVersionOf(this.#flash, this.running, antiRollback);
  }

  /** esp_ota_mark_app_invalid_rollback */
  markInvalid(): EspError {
    const found = this.#readActive();
    if ("error" in found) return found.error;
    if (!this.rollbackPossible()) return "ESP_ERR_OTA_ROLLBACK_FAILED";
    return this.#rewrite(found.active, { ...found.entry, state: OTA_STATE.INVALID });
  }

  /** esp_ota_mark_app_invalid_rollback_and_reboot: restarts when the result would be ESP_OK. */
  markInvalidAndReboot(): EspError {
    const error = this.markInvalid();
    if (error === "ESP_OK") this.#options.restart?.();
    return error;
  }

  /** esp_ota_get_state_partition. `state` is one of OTA_STATE or whatever lies in flash. */
  stateOf(partition: Partition | undefined): { error: EspError; state?: number } {
    if (partition === undefined) return { error: "ESP_ERR_INVALID_ARG" };
    if (!isOtaSlot(partition)) return { error: "ESP_ERR_NOT_SUPPORTED" };
    const otadata = this.#readOtadata();
    if (otadata === undefined || this.#slotCount === 0) return { error: "ESP_ERR_NOT_FOUND" };
    const slot = partition.subtype - APP_SUBTYPE_OTA_0;
    const entry = otadata.find(
      (candidate) => slotOfSequence(candidate.sequence, this.#slotCount) === slot && isCrcRight(candidate),
    );
    return entry === undefined ? { error: "ESP_ERR_NOT_FOUND" } : { error: "ESP_OK", state: entry.state };
  }

  /** esp_ota_get_next_update_partition: the slot after `from` (the running one unless given), around the end. */
  nextUpdatePartition(from: Partition = this.running): Partition | undefined {
    const slots = this.#existingSlots();
    const position = slots.indexOf(from);
    return (position === -1 ? undefined : slots[position + 1]) ?? slots[0];
  }

  /** esp_ota_get_boot_partition: what otadata selects, without a look at the images. */
  bootPartition(): Partition | undefined {
    const otadata = this.#readOtadata();
    if (otadata === undefined) return undefined;
    if ((isInvalid(otadata[0]) && isInvalid(otadata[1])) || this.#slotCount === 0) return this.#defaultBoot();
    const active = activeEntry(otadata);
    return active === undefined ? this.#defaultBoot() : this.#slotOf(otadata[active]);
  }

  /** esp_ota_get_last_invalid_partition: the slot that was rolled back from, if its image is still whole. */
  lastInvalid(): Partition | undefined {
    const otadata = this.#readOtadata();
    if (otadata === undefined || this.#slotCount === 0) return undefined;
    const condemned = (entry: OtadataEntry) =>
      entry.sequence !== EMPTY_SEQUENCE && isCrcRight(entry) && isInvalid(entry);
    const index = selectEntry(otadata, [condemned(otadata[0]), condemned(otadata[1])], "lowest");
    const partition = index === undefined ? undefined : this.#slotOf(otadata[index]);
    return partition !== undefined && this.#validate(partition) === "ESP_OK" ? partition : undefined;
  }

  /** esp_ota_check_rollback_is_possible */
  rollbackPossible(): boolean {
    const otadata = this.#readOtadata();
    if (otadata === undefined || this.#slotCount === 0) return false;
    const active = activeEntry(otadata);
    if (active === undefined) return false;
    const other = otadata[otherEntry(active)];
    const { antiRollback } = this.#options;
    const factory = antiRollback === undefined ? this.#app(APP_SUBTYPE_FACTORY) : undefined;
    const fallback = isValid(other) ? this.#slotOf(other) : factory;
    if (fallback === undefined || this.#validate(fallback) !== "ESP_OK") return false;
    return antiRollback === undefined || mayRun(this.#flash, fallback, antiRollback);
  }

  /** esp_ota_erase_last_boot_app_partition: erases the slot of the inactive entry, and that entry. */
  eraseLastBootApp(): EspError {
    return this.#eraseLastBoot(false);
  }

  /** esp_ota_get_partition_description */
  descriptionOf(partition: Partition): { error: EspError; description?: AppDescription } {
    if (partition.type !== PARTITION_TYPE_APP) return { error: "ESP_ERR_NOT_SUPPORTED" };
    if (APP_DESCRIPTION_OFFSET + APP_DESCRIPTION_BYTES > partition.size)
      return { error: "ESP_ERR_INVALID_SIZE" };
    const bytes = this.#flash.read(partition.offset + APP_DESCRIPTION_OFFSET, APP_DESCRIPTION_BYTES);
    const description = decodeAppDescription(bytes);
    return description === undefined ? { error: "ESP_ERR_NOT_FOUND" } : { error: "ESP_OK", description };
  }

  get #otadataPartition(): Partition | undefined {
    return findPartition(this.partitions, { type: PARTITION_TYPE_DATA, subtype: DATA_SUBTYPE_OTA });
  }

  /** Slots up to the first that is missing. */
  get #slotCount(): number {
    return otaSlots(this.partitions).length;
  }

  #beginConflict(partition: Partition | undefined): EspError {
    if (partition === undefined) return "ESP_ERR_INVALID_ARG";
    if (!this.partitions.includes(partition)) return "ESP_ERR_NOT_FOUND";
    if (partition.type !== PARTITION_TYPE_APP) return "ESP_OK";
    if (!isOtaSlot(partition)) return "ESP_ERR_INVALID_ARG";
    if (partition === this.running) return "ESP_ERR_OTA_PARTITION_CONFLICT";
    const onTrial = this.#options.rollback && this.stateOf(this.running).state === OTA_STATE.PENDING_VERIFY;
    return onTrial ? "ESP_ERR_OTA_ROLLBACK_INVALID_STATE" : "ESP_OK";
  }

  #open(partition: Partition, erasesOnWrite: boolean, writtenBytes: number): number {
    this.#lastHandle += 1;
    this.#writers.set(this.#lastHandle, { partition, erasesOnWrite, writtenBytes });
    return this.#lastHandle;
  }

  /** Erases the sectors that a write of `length` bytes enters for the first time. */
  #eraseAhead({ partition, writtenBytes }: Writer, length: number): EspError {
    const start = roundUp(writtenBytes);
    const end = roundUp(writtenBytes + length);
    return end > start ? this.#erase(partition, start, end - start) : "ESP_OK";
  }

  #selectSlot(slot: number): EspError {
    const otadata = this.#readOtadata();
    if (otadata === undefined) return "ESP_ERR_NOT_FOUND";
    const slotCount = this.#slotCount;
    if (slot >= slotCount) return "ESP_ERR_INVALID_ARG";
    const active = activeEntry(otadata);
    let index: EntryIndex = 0;
    let sequence = slot + 1;
    if (active !== undefined) {
      const current = otadata[active].sequence;
      const selected = slotOfSequence(current, slotCount) === slot;
      index = selected ? active : otherEntry(active);
      sequence = selected ? current : nextSequence(current, slot, slotCount);
    }
    const state = this.#options.rollback ? OTA_STATE.NEW : OTA_STATE.UNDEFINED;
    return this.#rewrite(index, { ...otadata[index], state, sequence, crc: sequenceCrc(sequence) });
  }

  #eraseLastBoot(keepsApp: boolean): EspError {
    const otadata = this.#readOtadata();
    const partition = this.#otadataPartition;
    if (otadata === undefined || partition === undefined) return "ESP_FAIL";
    const active = activeEntry(otadata);
    if (active === undefined || this.#slotCount === 0) return "ESP_FAIL";
    const inactive = otherEntry(active);
    const entry = otadata[inactive];
    if (entry.sequence === EMPTY_SEQUENCE || !isCrcRight(entry)) return "ESP_FAIL";
    const app = this.#slotOf(entry);
    if (app === undefined || app === this.running) return "ESP_FAIL";
    if (!keepsApp) {
      const error = this.#erase(app, 0, app.size);
      if (error !== "ESP_OK") return error;
    }
    return this.#erase(partition, inactive * SECTOR_BYTES, SECTOR_BYTES);
  }

  #readActive(): { active: EntryIndex; entry: OtadataEntry } | { error: EspError } {
    const otadata = this.#readOtadata();
    if (otadata === undefined) return { error: "ESP_ERR_NOT_FOUND" };
    const active = activeEntry(otadata);
    if (active === undefined || this.#slotCount === 0) return { error: "ESP_FAIL" };
    return { active, entry: otadata[active] };
  }

  #readOtadata(): Otadata | undefined {
    const partition = this.#otadataPartition;
    return partition === undefined ? undefined : readOtadata(this.#flash, partition);
  }

  #rewrite(index: EntryIndex, entry: OtadataEntry): EspError {
    const partition = this.#otadataPartition;
    if (partition === undefined) return "ESP_ERR_NOT_FOUND";
    if (isReadOnly(partition)) return "ESP_ERR_NOT_ALLOWED";
    writeOtadataEntry(this.#flash, partition, index, { ...entry, crc: sequenceCrc(entry.sequence) });
    return "ESP_OK";
  }

  #slotOf(entry: OtadataEntry): Partition | undefined {
    return otaSlots(this.partitions)[slotOfSequence(entry.sequence, this.#slotCount)];
  }

  #existingSlots(): Partition[] {
    return Array.from({ length: OTA_SLOT_LIMIT }, (_, slot) => this.#app(APP_SUBTYPE_OTA_0 + slot)).filter(
      (partition) => partition !== undefined,
    );
  }

  #defaultBoot(): Partition | undefined {
    return this.#app(APP_SUBTYPE_FACTORY) ?? this.#existingSlots()[0] ?? this.#app(APP_SUBTYPE_TEST);
  }

  #app(subtype: number): Partition | undefined {
    return findPartition(this.partitions, { type: PARTITION_TYPE_APP, subtype });
  }

  #validate(partition: Partition): EspError {
    const { chip, antiRollback, abort } = this.#options;
    try {
      const verdict = verifyPartitionImage(this.#flash, partition, { chip, stage: "app", antiRollback });
      return verdict.ok ? "ESP_OK" : "ESP_ERR_OTA_VALIDATE_FAILED";
    } catch (error) {
      if (error instanceof ChipAborted) abort?.();
      throw error;
    }
  }

  /** esp_partition_erase_range */
  #erase(partition: Partition, offset: number, length: number): EspError {
    if (isReadOnly(partition)) return "ESP_ERR_NOT_ALLOWED";
    if (offset > partition.size) return "ESP_ERR_INVALID_ARG";
    if (length > partition.size - offset) return "ESP_ERR_INVALID_SIZE";
    this.#flash.erase(partition.offset + offset, length);
    return "ESP_OK";
  }

  /** esp_partition_write */
  #write(partition: Partition, offset: number, bytes: Uint8Array): EspError {
    if (isReadOnly(partition)) return "ESP_ERR_NOT_ALLOWED";
    if (offset > partition.size) return "ESP_ERR_INVALID_ARG";
    if (bytes.length > partition.size - offset) return "ESP_ERR_INVALID_SIZE";
    this.#flash.write(partition.offset + offset, bytes);
    return "ESP_OK";
  }
}

/** Whether otadata can select it: not the factory app. */
export function isOtaSlot(partition: Partition): boolean {
  const slot = partition.subtype - APP_SUBTYPE_OTA_0;
  return partition.type === PARTITION_TYPE_APP && slot >= 0 && slot < OTA_SLOT_LIMIT;
}

function isReadOnly(partition: Partition): boolean {
  return (partition.flags & PARTITION_FLAG_READ_ONLY) !== 0;
}

function otherEntry(index: EntryIndex): EntryIndex {
  return index === 0 ? 1 : 0;
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES;
}

/**
 * The next sequence number for a slot: the real function counts up in steps of the slot count until it is not below the
 * current one, in 32 bits. Near the end it wraps around and can give the number that means "empty".
 * @throws Error where the real loop would never end.
 */
function nextSequence(current: number, slot: number, slotCount: number): number {
  let start = (slot + 1) % slotCount;
  for (let wraps = 0; wraps <= slotCount; wraps += 1) {
    const candidate = start + Math.max(0, Math.ceil((current - start) / slotCount)) * slotCount;
    if (candidate <= 0xffffffff) return candidate;
    start = candidate - 2 ** 32;
  }
  throw new Error(`esp_ota_set_boot_partition would loop for ever at sequence number ${current}`);
}
