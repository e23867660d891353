// The items of a mounted NVS partition: namespaces, integers, strings, and blobs that span pages. It never chooses or frees
// pages itself. Keys are the library's: bytes as characters (see `toKey`).
// Follows nvs_storage.cpp of ESP-IDF v6.0 as configured by default: a key has one value, whatever its type.

import { eraseOrphanedBlobs } from "./nvs-blob-repair.js";
import { NvsBlobs, nextVersion, type ReadResult } from "./nvs-blobs.js";
import type { NvsError } from "./nvs-errors.js";
import {
  integerBytes,
  isSameKey,
  isVariableLength,
  itemType,
  KEY_MAX_BYTES,
  NAMESPACE_INDEX,
  type NvsItem,
  versionOffset,
} from "./nvs-item.js";
import { pageState } from "./nvs-page.js";
import { type FoundItem, NvsPages, type NvsStats } from "./nvs-pages.js";
import type { NvsPartition } from "./nvs-partition.js";
import { type ItemQuery, newCursor } from "./nvs-query.js";

/** Namespace numbers are 1 to 254. */
const NAMESPACE_MAX_COUNT = 254;

export class NvsStorage {
  readonly pages: NvsPages;
  /** nvs_flash_deinit was called. */
  isClosed = false;
  readonly #blobs: NvsBlobs;
  /** Name and number of each namespace, in the order of creation. */
  readonly namespaces: { readonly name: string; readonly index: number }[] = [];

  constructor(partition: NvsPartition, pageCount: number) {
    this.pages = new NvsPages(partition, pageCount);
    this.#blobs = new NvsBlobs(this.pages);
  }

  /** Loads and repairs everything. Anything but ESP_OK: the storage must not be used. */
  mount(): NvsError {
    const error = this.pages.load();
    if (error !== "ESP_OK") return error;
    for (const page of this.pages.list) {
      const cursor = newCursor();
      const query = { namespace: NAMESPACE_INDEX, type: itemType.u8, key: undefined };
      while (page.findItem(query, cursor) === "ESP_OK") {
        this.namespaces.push({ name: cursor.item.key, index: cursor.item.data[0]! });
        cursor.index += cursor.item.span;
      }
    }
    eraseOrphanedBlobs(this.pages.list);
    return "ESP_OK";
  }

  /** The number of a namespace, made if it is new and `create` is set. Only the first 15 bytes of the name count. */
  openNamespace(name: string, create: boolean): { error: NvsError; index: number } {
    const known = this.namespaces.find((entry) => isSameKey(name, entry.name));
    if (known) return { error: "ESP_OK", index: known.index };
    if (!create) return { error: "ESP_ERR_NVS_NOT_FOUND", index: 0 };
    const taken = new Set(this.namespaces.map((entry) => entry.index));
    let index = 1;
    while (taken.has(index)) index += 1;
    if (index > NAMESPACE_MAX_COUNT) return { error: "ESP_ERR_NVS_NOT_ENOUGH_SPACE", index: 0 };
    const error = this.write(NAMESPACE_INDEX, itemType.u8, name, Uint8Array.of(index));
    if (error === "ESP_OK") this.namespaces.push({ name: name.slice(0, KEY_MAX_BYTES), index });
    return { error, index };
  }

  /** Sets a value; an equal one is not written again, one of another type is replaced. For blobs, `type` is `itemType.blob`. */
  write(namespace: number, type: number, key: string, data: Uint8Array): NvsError {
    const stored = type === itemType.blob ? itemType.blobIndex : type;
    const same = this.pages.find({ namespace, type: stored, key });
    const old = same ?? this.pages.find({ namespace, type: itemType.any, key });
    const oldSequence = old?.page.sequence;
    if (same && this.#isEqual(same, { namespace, type, key }, data)) return "ESP_OK";
    const error =
      type === itemType.blob
        ? this.#blobs.write(namespace, key, data, nextVersion(same?.item))
        : this.#writeSingle(namespace, type, key, data);
    if (error !== "ESP_OK" || !old) return error;
    return this.#eraseOld(old, oldSequence, namespace, key);
  }

  /** The bytes of a value. A type other than the stored one is ESP_ERR_NVS_NOT_FOUND. A blob that lost a chunk is erased. */
  read(namespace: number, type: number, key: string): ReadResult {
    const index =
      type === itemType.blob ? this.pages.find({ namespace, type: itemType.blobIndex, key }) : undefined;
    if (index) return this.#blobs.read(namespace, key, index.item);
    const found = this.pages.find({ namespace, type, key });
    if (!found) return { error: "ESP_ERR_NVS_NOT_FOUND" };
    if (!isVariableLength(type)) {
      return { error: "ESP_OK", bytes: found.item.data.slice(0, integerBytes(type)) };
    }
    const { error, payload } = found.page.readPayload(found.item, found.index);
    return error === "ESP_OK" ? { error, bytes: payload } : { error };
  }

  /** The type byte of a key's entry; undefined if there is none. */
  typeOf(namespace: number, key: string): number | undefined {
    return this.pages.find({ namespace, type: itemType.any, key })?.item.type;
  }

  erase(namespace: number, key: string): NvsError {
    const found = this.pages.find({ namespace, type: itemType.any, key });
    if (!found) return "ESP_ERR_NVS_NOT_FOUND";
    const { item, page, index } = found;
    if (item.type === itemType.blobIndex) return this.#blobs.erase(namespace, key, item.chunkStart);
    return page.eraseEntryAndSpan(index);
  }

  /** Erases every key of a namespace; the namespace itself stays. */
  eraseNamespace(namespace: number): NvsError {
    for (const page of this.pages.list) {
      let error: NvsError = "ESP_OK";
      while (error === "ESP_OK") error = page.eraseItem({ namespace, type: itemType.any, key: undefined });
      if (error !== "ESP_ERR_NVS_NOT_FOUND") return error;
    }
    return "ESP_OK";
  }

  stats(): NvsStats | undefined {
    return this.pages.stats(this.namespaces.length);
  }

  /** The first entry of each value, pages oldest first, namespace entries left out; a blob stands where its first chunk lies. */
  *items(namespace: number): Generator<NvsItem> {
    for (const page of this.pages.list) {
      const cursor = newCursor();
      while (page.findItem({ namespace, type: itemType.any, key: undefined }, cursor) === "ESP_OK") {
        const { item } = cursor;
        cursor.index += item.span;
        if (isListed(item)) yield item;
      }
    }
  }

  #isEqual(old: FoundItem, query: ItemQuery, data: Uint8Array): boolean {
    if (query.type === itemType.blob) return this.#blobs.isEqual(old.item, query, data);
    return old.page.compareItem(query, data) === "ESP_OK";
  }

  #writeSingle(namespace: number, type: number, key: string, data: Uint8Array): NvsError {
    const page = this.pages.current;
    const first = page.writeItem(namespace, type, key, data);
    if (first !== "ESP_ERR_NVS_PAGE_FULL") return first;
    const requested = this.pages.closeAndRequest(page);
    if (requested !== "ESP_OK") return requested;
    const second = this.pages.current.writeItem(namespace, type, key, data);
    return second === "ESP_ERR_NVS_PAGE_FULL" ? "ESP_ERR_NVS_NOT_ENOUGH_SPACE" : second;
  }

  #eraseOld(old: FoundItem, oldSequence: number | undefined, namespace: number, key: string): NvsError {
    const { item, page } = old;
    if (item.type === itemType.blobIndex) return this.#blobs.erase(namespace, key, item.chunkStart);
    // Freeing a page for the new value can have moved the old one.
    const stillThere = page.state === pageState.active || page.state === pageState.full;
    if (stillThere && page.sequence === oldSequence) return page.eraseEntryAndSpan(old.index);
    const moved = this.pages.find({ namespace, type: item.type, key });
    return moved ? moved.page.eraseEntryAndSpan(moved.index) : "ESP_ERR_NVS_NOT_FOUND";
  }
}

function isListed({ namespace, type, chunkIndex }: NvsItem): boolean {
  if (namespace === NAMESPACE_INDEX || type === itemType.blob || type === itemType.blobIndex) return false;
  const isFirstChunk = chunkIndex === versionOffset.zero || chunkIndex === versionOffset.one;
  return type !== itemType.blobData || isFirstChunk;
}
