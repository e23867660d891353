// Takes out what is left of blobs that were not written or erased to the end: an index whose chunks do not add up, and chunks
// without an index. Works on mounted pages; it never touches a blob that is whole.

import { CHUNK_ANY, isSameKey, itemType, NAMESPACE_ANY, type NvsItem, versionOffset } from "./nvs-item.js";
import { type NvsPage, pageState } from "./nvs-page.js";
import { newCursor } from "./nvs-query.js";

interface BlobIndex {
  readonly item: NvsItem;
  seenBytes: number;
  seenCount: number;
}

/** The two passes that every mount makes over `pages` (in order of writing). */
export function eraseOrphanedBlobs(pages: readonly NvsPage[]): void {
  const indexes = findAll(pages, itemType.blobIndex).map(({ item }) => ({
    item,
    seenBytes: 0,
    seenCount: 0,
  }));
  const whole = eraseMismatchedIndexes(pages, indexes);
  forEachItem(pages, itemType.blobData, (page, chunk) => {
    const hasIndex = whole.some(
      ({ item }) =>
        isSameBlob(item, chunk) && isWithin(chunk, item.chunkStart, item.chunkStart + item.chunkCount),
    );
    if (hasIndex) return;
    const { namespace, type, key, chunkIndex } = chunk;
    page.eraseItem({ namespace, type, key, chunkIndex });
  });
}

/** Erases each index whose chunks have another total size or count than it says; returns the others. */
function eraseMismatchedIndexes(
  pages: readonly NvsPage[],
  indexes: readonly BlobIndex[],
): readonly BlobIndex[] {
  for (const { item: chunk } of findAll(pages, itemType.blobData)) {
    const index = indexes.find(({ item }) => {
      const end = item.chunkStart === versionOffset.zero ? versionOffset.one : versionOffset.any;
      return isSameBlob(item, chunk) && isWithin(chunk, item.chunkStart, end);
    });
    if (!index) continue;
    index.seenBytes += chunk.sizeBytes;
    index.seenCount += 1;
  }
  return indexes.filter((index) => {
    const { item, seenBytes, seenCount } = index;
    if (seenBytes === item.blobBytes && seenCount === item.chunkCount) return true;
    eraseIndex(pages, item);
    return false;
  });
}

function eraseIndex(pages: readonly NvsPage[], { namespace, key, chunkStart }: NvsItem): void {
  const query = { namespace, type: itemType.blobIndex, key, chunkIndex: CHUNK_ANY, chunkStart };
  pages.some((page) => page.state !== pageState.uninitialised && page.eraseItem(query) === "ESP_OK");
}

function isSameBlob(index: NvsItem, chunk: NvsItem): boolean {
  return index.namespace === chunk.namespace && isSameKey(index.key, chunk.key);
}

function isWithin({ chunkIndex }: NvsItem, begin: number, end: number): boolean {
  return chunkIndex >= begin && chunkIndex < end;
}

function findAll(pages: readonly NvsPage[], type: number): { page: NvsPage; item: NvsItem }[] {
  const found: { page: NvsPage; item: NvsItem }[] = [];
  forEachItem(pages, type, (page, item) => found.push({ page, item }));
  return found;
}

function forEachItem(
  pages: readonly NvsPage[],
  type: number,
  visit: (page: NvsPage, item: NvsItem) => void,
): void {
  for (const page of pages) {
    const cursor = newCursor();
    while (page.findItem({ namespace: NAMESPACE_ANY, type, key: undefined }, cursor) === "ESP_OK") {
      const { item } = cursor;
      visit(page, item);
      cursor.index += item.span;
    }
  }
}
