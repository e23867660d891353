// Which app boots next: the esp_ota_* functions of ESP-IDF v6.0 by which a running app arms, confirms and rolls back images,
// over the two entries of otadata. It decides nothing itself; the hazards of the real functions (an entry is erased before
// it is rewritten) are kept. ota-write.ts writes images.

import { burnVersionOf, type Efuse, mayRun, secureVersionIn } from "../efuse.js";
import { ChipAborted, type EspError } from "../esp-error.js";
import { type Flash, SECTOR_BYTES } from "../flash/flash.js";
import { type Chip, verifyPartitionImage } from "../image/app-image.js";
import { erasePartition, isReadOnly } from "../partitions/partition-access.js";
import {
  APP_SUBTYPE_FACTORY,
  APP_SUBTYPE_OTA_0,
  APP_SUBTYPE_TEST,
  DATA_SUBTYPE_OTA,
  findPartition,
  isOtaSlot,
  OTA_SLOT_LIMIT,
  otaSlots,
  PARTITION_TYPE_APP,
  PARTITION_TYPE_DATA,
  type Partition,
} from "../partitions/partition-table.js";
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

/** The functions for one boot of one app. Results are ESP-IDF's error names; a power cut is thrown by the flash. */
export class Ota {
  readonly running: Partition;
  readonly partitions: readonly Partition[];
  readonly #flash: Flash;
  readonly #options: OtaOptions;

  constructor(flash: Flash, partitions: readonly Partition[], running: Partition, options: OtaOptions) {
    this.#flash = flash;
    this.partitions = partitions;
    this.running = running;
    this.#options = options;
  }

  /** CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE. */
  get rollback(): boolean {
    return this.#options.rollback;
  }

  /** esp_ota_set_boot_partition: verifies, then writes otadata (or erases it for the factory app). */
  setBoot(partition: Partition | undefined): EspError {
    if (partition === undefined) return "ESP_ERR_INVALID_ARG";
    if (this.verify(partition) !== "ESP_OK") return "ESP_ERR_OTA_VALIDATE_FAILED";
    if (partition.type !== PARTITION_TYPE_APP) return "ESP_ERR_INVALID_ARG";
    if (partition.subtype === APP_SUBTYPE_FACTORY) {
      const otadata = this.#otadataPartition;
      return otadata === undefined
        ? "ESP_ERR_NOT_FOUND"
        : erasePartition(this.#flash, otadata, 0, otadata.size);
    }
    const { antiRollback } = this.#options;
    if (antiRollback !== undefined) {
      const secureVersion = secureVersionIn(this.#flash, partition);
      if (secureVersion === undefined) return "ESP_ERR_NOT_FOUND";
      if (!antiRollback.allows(secureVersion)) {
        const error = erasePartition(this.#flash, partition, 0, partition.size);
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

  /** esp_ota_get_state_partition. `state` is one of OTA_STATE or any other value in flash. */
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
    return partition !== undefined && this.verify(partition) === "ESP_OK" ? partition : undefined;
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
    if (fallback === undefined || this.verify(fallback) !== "ESP_OK") return false;
    return antiRollback === undefined || mayRun(this.#flash, fallback, antiRollback);
  }

  /** esp_ota_erase_last_boot_app_partition: erases the slot of the inactive entry, and that entry. */
  eraseLastBootApp(): EspError {
    return this.#eraseLastBoot(false);
  }

  /** What esp_ota_begin does with rollback: erases the inactive entry, which says how the fallback fared, if it can. */
  eraseFallbackEntry(): void {
    this.#eraseLastBoot(true);
  }

  /** Whether the image in the partition may run: ESP_OK or ESP_ERR_OTA_VALIDATE_FAILED. @throws ChipAborted */
  verify(partition: Partition): EspError {
    const { chip, antiRollback, abort } = this.#options;
    try {
      const verdict = verifyPartitionImage(this.#flash, partition, { chip, stage: "app", antiRollback });
      return verdict.ok ? "ESP_OK" : "ESP_ERR_OTA_VALIDATE_FAILED";
    } catch (error) {
      if (error instanceof ChipAborted) abort?.();
      throw error;
    }
  }

  get #otadataPartition(): Partition | undefined {
    return findPartition(this.partitions, { type: PARTITION_TYPE_DATA, subtype: DATA_SUBTYPE_OTA });
  }

  /** Slots up to the first that is missing. */
  get #slotCount(): number {
    return otaSlots(this.partitions).length;
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
    const state = this.rollback ? OTA_STATE.NEW : OTA_STATE.UNDEFINED;
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
      const error = erasePartition(this.#flash, app, 0, app.size);
      if (error !== "ESP_OK") return error;
    }
    return erasePartition(this.#flash, partition, inactive * SECTOR_BYTES, SECTOR_BYTES);
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
    return writeOtadataEntry(this.#flash, partition, index, { ...entry, crc: sequenceCrc(entry.sequence) });
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
}

function otherEntry(index: EntryIndex): EntryIndex {
  return index === 0 ? 1 : 0;
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
  throw new Error(`esp_ota_set_boot_partition would loop endlessly at sequence number ${current}`);
}
