// Reads a page from flash at mount and repairs what a power cut left half done: entries begun but not marked, items without
// all of their payload, old values beside their new ones. It never moves or erases a page.
// Follows Page::load and mLoadEntryTable of ESP-IDF v6.0.

import { crc32 } from "../crc32.js";
import { BITMAP_WORD_COUNT, entryState } from "./nvs-bitmap.js";
import type { NvsError } from "./nvs-errors.js";
import { NO_ENTRY } from "./nvs-hash-list.js";
import { ENTRY_COUNT, isVariableLength, type NvsItem } from "./nvs-item.js";
import { BITMAP_OFFSET, FORMAT_VERSION, NvsPage, PAGE_BYTES, pageState } from "./nvs-page.js";
import type { NvsPartition } from "./nvs-partition.js";
import { newCursor } from "./nvs-query.js";

/** Loads the page at `offset`. A page that cannot be understood becomes corrupt, which is no error. */
export function loadPage(partition: NvsPartition, offset: number): { error: NvsError; page: NvsPage } {
  const page = new NvsPage(partition, offset);
  const header = partition.readRaw(offset, 32);
  const view = new DataView(header.buffer, header.byteOffset);
  const state = view.getUint32(0, true);
  page.state = pageState.corrupt;
  if (state === pageState.uninitialised) {
    if (partition.isErased(offset, PAGE_BYTES)) page.state = pageState.uninitialised;
    return { error: "ESP_OK", page };
  }
  if (view.getUint32(28, true) !== crc32(header.subarray(4, 28))) return { error: "ESP_OK", page };
  page.sequence = view.getUint32(4, true);
  page.version = view.getUint8(8);
  if (page.version < FORMAT_VERSION) return { error: "ESP_ERR_NVS_NEW_VERSION_FOUND", page };
  if (state === pageState.active || state === pageState.full || state === pageState.freeing) {
    page.state = state;
    loadBitmap(page);
    if (state === pageState.active) repairActivePage(page);
    else checkClosedPage(page);
  }
  return { error: "ESP_OK", page };
}

function loadBitmap(page: NvsPage): void {
  page.bitmap.load(page.partition.readRaw(page.offset + BITMAP_OFFSET, BITMAP_WORD_COUNT * 4));
  for (let index = 0; index < ENTRY_COUNT; index += 1) {
    if (page.bitmap.get(index) !== entryState.written) continue;
    if (page.firstUsed === NO_ENTRY) page.firstUsed = index;
    page.usedCount += 1;
  }
}

function repairActivePage(page: NvsPage): void {
  findFirstFree(page);
  eraseUnmarkedEntries(page);
  const last = checkActiveItems(page);
  if (last) eraseOlderThanLast(page, last);
}

function findFirstFree(page: NvsPage): void {
  for (let index = 0; index < ENTRY_COUNT && page.nextFree === NO_ENTRY; index += 1) {
    if (page.bitmap.get(index) === entryState.empty) page.nextFree = index;
  }
}

/** Entries that were written, at least in their first word, but not marked so in the bitmap. */
function eraseUnmarkedEntries(page: NvsPage): void {
  while (page.nextFree < ENTRY_COUNT && !page.partition.isErased(page.entryOffset(page.nextFree), 4)) {
    if (page.bitmap.get(page.nextFree) === entryState.written) page.usedCount -= 1;
    page.alterEntryState(page.nextFree, entryState.erased);
    page.nextFree += 1;
  }
}

interface LastItem {
  readonly index: number;
  readonly item: NvsItem;
}

/** Erases incomplete and replaced items; returns the last entry looked at unless it was erased before or is incomplete. */
function checkActiveItems(page: NvsPage): LastItem | undefined {
  let last: LastItem | undefined;
  const end = Math.min(page.nextFree, ENTRY_COUNT);
  for (let index = 0, span = 1; index < end; index += span) {
    span = 1;
    const state = page.bitmap.get(index);
    if (state === entryState.erased || state === entryState.illegal) {
      last = undefined;
      if (state === entryState.illegal) page.eraseEntryAndSpan(index);
      continue;
    }
    const item = page.readEntry(index);
    last = { index, item };
    if (!item.isConsistent(index)) {
      page.eraseEntryAndSpan(index);
      continue;
    }
    page.hashes.insert(item, index);
    const duplicate = page.hashes.find(item, 0);
    if (isVariableLength(item.type)) span = item.span;
    if (!isWhole(page, index, span)) {
      last = undefined;
      page.eraseEntryAndSpan(index);
      continue;
    }
    if (duplicate < index) page.eraseEntryAndSpan(duplicate);
  }
  return last;
}

/**
 * The last item replaces an older one of the same key. For a blob chunk the search takes any chunk of that blob, so the chunks
 * of the version before are lost here: the reason why overwriting a blob within a page is not safe against power cuts.
 */
function eraseOlderThanLast(page: NvsPage, last: LastItem): void {
  const cursor = newCursor();
  const { namespace, type, key } = last.item;
  if (page.findItem({ namespace, type, key }, cursor) !== "ESP_OK") return;
  if (cursor.index < last.index) page.eraseEntryAndSpan(cursor.index);
}

/** A full page, or one being freed: nothing is added to it, so only broken items are taken out. */
function checkClosedPage(page: NvsPage): void {
  for (let index = page.firstUsed, span = 1; index < ENTRY_COUNT; index += span) {
    span = 1;
    if (page.bitmap.get(index) !== entryState.written) continue;
    const item = page.readEntry(index);
    if (!item.isConsistent(index)) {
      page.eraseEntryAndSpan(index);
      continue;
    }
    page.hashes.insert(item, index);
    span = item.span;
    if (isVariableLength(item.type) && !isWhole(page, index, span)) page.eraseEntryAndSpan(index);
  }
}

function isWhole(page: NvsPage, index: number, span: number): boolean {
  for (let at = index; at < index + span; at += 1) {
    if (page.bitmap.get(at) !== entryState.written) return false;
  }
  return true;
}
