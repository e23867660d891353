// What a search for an entry asks, and whether an entry answers it. It never touches a page.
// Follows Page::findItem of ESP-IDF v6.0, whose special cases for blobs decide what a mount repairs.

import type { NvsError } from "./nvs-errors.js";
import { CHUNK_ANY, isSameKey, itemType, NAMESPACE_ANY, NvsItem, versionOffset } from "./nvs-item.js";

/** What to look for on a page. A key of `undefined` is any key. */
export interface ItemQuery {
  readonly namespace: number;
  readonly type: number;
  readonly key: string | undefined;
  readonly chunkIndex?: number;
  readonly chunkStart?: number;
}

/** Where a search begins and, afterwards, where it ended and the last entry that it read (found or not). */
export interface ItemCursor {
  index: number;
  item: NvsItem;
}

/** A cursor at the start of a page. */
export function newCursor(): ItemCursor {
  return { index: 0, item: NvsItem.create(0, 0, 0, "", 0) };
}

/** ESP_OK if the entry answers the query, "skip" if the search goes on behind it. */
export function matchItem(item: NvsItem, query: ItemQuery): NvsError | "skip" {
  const { namespace, key, type, chunkIndex = CHUNK_ANY, chunkStart = versionOffset.any } = query;
  if (namespace !== NAMESPACE_ANY && item.namespace !== namespace) return "skip";
  if (key !== undefined && !isSameKey(key, item.key)) return "skip";
  if (type === itemType.blobData) {
    if (chunkIndex !== CHUNK_ANY && item.chunkIndex !== chunkIndex) return "skip";
    if (chunkIndex === CHUNK_ANY && item.type !== itemType.blobData) return "skip";
  }
  if (type === itemType.blob && chunkIndex === CHUNK_ANY) {
    // A search for a blob in the old format meets one in the new: its index or a chunk.
    if (item.type === itemType.blobIndex) return "ESP_ERR_NVS_TYPE_MISMATCH";
    if (item.type === itemType.blobData) return "skip";
  }
  if (type === itemType.blobIndex) {
    if (item.chunkIndex !== CHUNK_ANY) return "skip";
    if (chunkStart !== versionOffset.any && item.chunkStart !== chunkStart) return "skip";
  }
  if (type === itemType.any || item.type === type) return "ESP_OK";
  const wildcard = key === undefined && namespace === NAMESPACE_ANY && chunkIndex === CHUNK_ANY;
  return wildcard ? "skip" : "ESP_ERR_NVS_TYPE_MISMATCH";
}
