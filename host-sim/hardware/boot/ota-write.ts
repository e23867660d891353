// esp_ota_begin to esp_ota_end of ESP-IDF v6.0: an app writes an image into the other slot. The hazards of the real functions
// are kept: begin erases the record of the fallback before the first byte has arrived. ota.ts decides which app boots.
//
//   begin ─► handle ── write … ─► end (verifies the image) or abort: the handle is closed

import type { EspError } from "../esp-error.js";
import { type Flash, SECTOR_BYTES } from "../flash/flash.js";
import { IMAGE_MAGIC } from "../image/app-image.js";
import { erasePartition, writePartition } from "../partitions/partition-access.js";
import { isOtaSlot, PARTITION_TYPE_APP, type Partition } from "../partitions/partition-table.js";
import type { Ota } from "./ota.js";
import { OTA_STATE } from "./otadata.js";

/** How much begin erases: that many bytes, the whole partition, or nothing (each write erases what it enters). */
export type OtaSize = number | "unknown" | "sequential";

interface Writer {
  readonly partition: Partition;
  readonly erasesOnWrite: boolean;
  writtenBytes: number;
}

/** What one boot of one app has open. Results are ESP-IDF's error names; a power cut is thrown by the flash. */
export class OtaWriters {
  readonly #flash: Flash;
  readonly #ota: Ota;
  readonly #writers = new Map<number, Writer>();
  #lastHandle = 0;

  constructor(flash: Flash, ota: Ota) {
    this.#flash = flash;
    this.#ota = ota;
  }

  /** esp_ota_begin. The handle is 0 unless the result is ESP_OK. */
  begin(partition: Partition | undefined, size: OtaSize): { error: EspError; handle: number } {
    const conflict = this.#conflict(partition);
    if (partition === undefined || conflict !== "ESP_OK") return { error: conflict, handle: 0 };
    const handle = this.#open(partition, size === "sequential");
    if (size !== "sequential") {
      const wholePartition = size === "unknown" || size === 0;
      const length = wholePartition ? partition.size : roundUp(size);
      const error = erasePartition(this.#flash, partition, 0, length);
      if (error !== "ESP_OK") return { error, handle: 0 };
    }
    if (this.#ota.rollback && isOtaSlot(partition)) this.#ota.eraseFallbackEntry();
    return { error: "ESP_OK", handle };
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
    return this.#writeAt(writer, writer.writtenBytes, bytes);
  }

  /** esp_ota_write_with_offset. @throws Error on a sequential handle, where the real function asserts. */
  writeWithOffset(handle: number, bytes: Uint8Array, offset: number): EspError {
    const writer = this.#writers.get(handle);
    if (writer === undefined) return "ESP_ERR_INVALID_ARG";
    if (writer.erasesOnWrite)
      throw new Error("esp_ota_write_with_offset needs a partition that begin erased");
    return this.#writeAt(writer, offset, bytes);
  }

  /** esp_ota_end: verifies the whole image. The handle is closed either way. */
  end(handle: number): EspError {
    const writer = this.#writers.get(handle);
    if (writer === undefined) return "ESP_ERR_NOT_FOUND";
    this.#writers.delete(handle);
    if (writer.writtenBytes === 0) return "ESP_ERR_INVALID_ARG";
    if (writer.partition.type !== PARTITION_TYPE_APP) return "ESP_OK";
    return this.#ota.verify(writer.partition);
  }

  /** esp_ota_abort */
  abort(handle: number): EspError {
    return this.#writers.delete(handle) ? "ESP_OK" : "ESP_ERR_NOT_FOUND";
  }

  #conflict(partition: Partition | undefined): EspError {
    const { partitions, running, rollback } = this.#ota;
    if (partition === undefined) return "ESP_ERR_INVALID_ARG";
    if (!partitions.includes(partition)) return "ESP_ERR_NOT_FOUND";
    if (partition.type !== PARTITION_TYPE_APP) return "ESP_OK";
    if (!isOtaSlot(partition)) return "ESP_ERR_INVALID_ARG";
    if (partition === running) return "ESP_ERR_OTA_PARTITION_CONFLICT";
    const onTrial = rollback && this.#ota.stateOf(running).state === OTA_STATE.PENDING_VERIFY;
    return onTrial ? "ESP_ERR_OTA_ROLLBACK_INVALID_STATE" : "ESP_OK";
  }

  #open(partition: Partition, erasesOnWrite: boolean): number {
    this.#lastHandle += 1;
    this.#writers.set(this.#lastHandle, { partition, erasesOnWrite, writtenBytes: 0 });
    return this.#lastHandle;
  }

  /** Erases the sectors that a write of `length` bytes enters for the first time. */
  #eraseAhead({ partition, writtenBytes }: Writer, length: number): EspError {
    const start = roundUp(writtenBytes);
    const end = roundUp(writtenBytes + length);
    return end > start ? erasePartition(this.#flash, partition, start, end - start) : "ESP_OK";
  }

  #writeAt(writer: Writer, offset: number, bytes: Uint8Array): EspError {
    const error = writePartition(this.#flash, writer.partition, offset, bytes);
    if (error === "ESP_OK") writer.writtenBytes += bytes.length;
    return error;
  }
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES;
}
