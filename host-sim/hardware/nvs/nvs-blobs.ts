// Blobs of a mounted NVS partition. A blob is one chunk or more, each on a separate page, and an index that counts them. The
// chunks of a new version are numbered from 0x80 if those of the old are from 0x00, and the other way round; the index is written
// behind them, and only then is the old version erased. This file never decides whether a blob is to be written.
// Follows the multi-page blobs of nvs_storage.cpp of ESP-IDF v6.0.

import { crc32 } from "../crc32.js";
import type { NvsError } from "./nvs-errors.js";
import {
  CHUNK_MAX_BYTES,
  ENTRY_BYTES,
  ENTRY_COUNT,
  itemType,
  type NvsItem,
  versionOffset,
} from "./nvs-item.js";
import type { NvsPage } from "./nvs-page.js";
import type { NvsPages } from "./nvs-pages.js";
import { type ItemQuery, newCursor } from "./nvs-query.js";

/** Chunk numbers of one version. */
const CHUNK_MAX_COUNT = 127;

export interface ReadResult {
  readonly error: NvsError;
  readonly bytes?: Uint8Array;
}

export class NvsBlobs {
  readonly #pages: NvsPages;

  constructor(pages: NvsPages) {
    this.#pages = pages;
  }

  /** Whether the blob that `index` describes has exactly these bytes. */
  isEqual(index: NvsItem, { namespace, key }: ItemQuery, data: Uint8Array): boolean {
    if (data.length !== index.blobBytes) return false;
    let offset = 0;
    for (let chunk = 0; chunk < index.chunkCount; chunk += 1) {
      const query = { namespace, type: itemType.blobData, key, chunkIndex: index.chunkStart + chunk };
      const found = this.#pages.find(query);
      if (!found) return false;
      const { sizeBytes } = found.item;
      if (sizeBytes > data.length - offset) return false;
      // The library takes this checksum from the start of the data for every chunk, so a blob of several chunks is never equal.
      if (crc32(data.subarray(0, sizeBytes)) !== found.item.payloadCrc) return false;
      if (found.page.compareItem(query, data.subarray(offset, offset + sizeBytes)) !== "ESP_OK") return false;
      offset += sizeBytes;
    }
    return true;
  }

  /** All bytes of the blob that `index` describes. If a chunk is missing, the blob is erased. */
  read(namespace: number, key: string, index: NvsItem): ReadResult {
    const bytes = new Uint8Array(index.blobBytes);
    let offset = 0;
    let error: NvsError = "ESP_OK";
    for (let chunk = 0; chunk < index.chunkCount && error === "ESP_OK"; chunk += 1) {
      const chunkIndex = index.chunkStart + chunk;
      const found = this.#pages.find({ namespace, type: itemType.blobData, key, chunkIndex });
      if (!found) {
        error = "ESP_ERR_NVS_NOT_FOUND";
      } else if (found.item.sizeBytes > bytes.length - offset) {
        error = "ESP_ERR_NVS_INVALID_LENGTH";
      } else {
        const read = found.page.readPayload(found.item, found.index);
        if (read.error !== "ESP_OK") return { error: read.error };
        bytes.set(read.payload, offset);
        offset += read.payload.length;
      }
    }
    if (error !== "ESP_OK") this.erase(namespace, key, versionOffset.any);
    if (offset !== bytes.length) return { error: "ESP_FAIL" };
    return error === "ESP_OK" ? { error, bytes } : { error };
  }

  /** Writes chunks and index of a new version; the old one stays. */
  write(namespace: number, key: string, data: Uint8Array, version: number): NvsError {
    const pageMaxCount = Math.min(this.#pages.count - 1, CHUNK_MAX_COUNT);
    if (data.length > pageMaxCount * CHUNK_MAX_BYTES) return "ESP_ERR_NVS_VALUE_TOO_LONG";
    const room = this.#makeRoomForFirstChunk(data.length);
    if (room !== "ESP_OK") return room;
    const chunkPages: NvsPage[] = [];
    const error = this.#writeChunks(namespace, key, data, version, chunkPages);
    if (error === "ESP_OK") return error;
    // As the library does: the chunks are counted from 0 whatever the version, so those from 0x80 stay until the next mount.
    chunkPages.forEach((page, chunkIndex) => {
      page.eraseItem({ namespace, type: itemType.blobData, key, chunkIndex });
    });
    return error === "ESP_ERR_NVS_PAGE_FULL" ? "ESP_ERR_NVS_NOT_ENOUGH_SPACE" : error;
  }

  /** Erases the index first, which makes the chunks orphans, then the chunks of that version (or of both). */
  erase(namespace: number, key: string, version: number): NvsError {
    const query = { namespace, type: itemType.blobIndex, key, chunkStart: version };
    const index = this.#pages.find(query);
    if (!index) return "ESP_ERR_NVS_NOT_FOUND";
    index.page.eraseEntryAndSpan(index.index);
    if (version === versionOffset.any) {
      const other = this.#pages.find(query);
      if (other) other.page.eraseEntryAndSpan(other.index);
      this.#eraseAllChunks(namespace, key);
      return "ESP_OK";
    }
    for (let chunk = 0; chunk < index.item.chunkCount; chunk += 1) {
      const found = this.#pages.find({
        namespace,
        type: itemType.blobData,
        key,
        chunkIndex: version + chunk,
      });
      if (!found) return "ESP_ERR_NVS_NOT_FOUND";
      found.page.eraseEntryAndSpan(found.index);
    }
    return "ESP_OK";
  }

  /** A blob that does not fit whole starts on a new page unless the current one has at least a tenth of a page left. */
  #makeRoomForFirstChunk(sizeBytes: number): NvsError {
    for (;;) {
      const page = this.#pages.current;
      const tailroom = page.tailroomBytes;
      const tooSmall = tailroom < sizeBytes || (tailroom === 0 && sizeBytes === 0);
      if (!tooSmall || tailroom >= Math.floor(CHUNK_MAX_BYTES / 10)) return "ESP_OK";
      const error = this.#pages.closeAndRequest(page);
      if (error !== "ESP_OK") return error;
      if (this.#pages.current.tailroomBytes === tailroom) return "ESP_ERR_NVS_NOT_ENOUGH_SPACE";
    }
  }

  #writeChunks(
    namespace: number,
    key: string,
    data: Uint8Array,
    version: number,
    chunkPages: NvsPage[],
  ): NvsError {
    let offset = 0;
    for (let chunk = 0; ; ) {
      const page = this.#pages.current;
      const tailroom = page.tailroomBytes;
      if (tailroom === 0) return "ESP_ERR_NVS_NOT_ENOUGH_SPACE";
      const part = data.subarray(offset, offset + Math.min(tailroom, data.length - offset));
      const error = page.writeItem(namespace, itemType.blobData, key, part, version + chunk);
      chunk += 1;
      if (error !== "ESP_OK") return error;
      chunkPages.push(page);
      offset += part.length;
      // The index needs an entry too.
      if (offset < data.length || tailroom - part.length < ENTRY_BYTES) {
        const requested = this.#pages.closeAndRequest(page);
        if (requested !== "ESP_OK") return requested;
      }
      if (offset === data.length) return this.#writeBlobIndex(namespace, key, data.length, chunk, version);
    }
  }

  #writeBlobIndex(
    namespace: number,
    key: string,
    sizeBytes: number,
    chunkCount: number,
    chunkStart: number,
  ): NvsError {
    const data = new Uint8Array(8).fill(0xff);
    new DataView(data.buffer).setUint32(0, sizeBytes, true);
    data.set([chunkCount, chunkStart], 4);
    return this.#pages.current.writeItem(namespace, itemType.blobIndex, key, data);
  }

  #eraseAllChunks(namespace: number, key: string): void {
    for (const page of this.#pages.list) {
      const cursor = newCursor();
      while (
        cursor.index < ENTRY_COUNT &&
        page.findItem({ namespace, type: itemType.blobData, key }, cursor) === "ESP_OK"
      ) {
        page.eraseEntryAndSpan(cursor.index);
        cursor.index += cursor.item.span;
      }
    }
  }
}

/** The first chunk number of the version that follows the one of `oldIndex`, or of the first. */
export function nextVersion(oldIndex: NvsItem | undefined): number {
  return oldIndex?.chunkStart === versionOffset.zero ? versionOffset.one : versionOffset.zero;
}
