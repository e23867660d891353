// The pages of an NVS partition in order of writing, and the free ones. Chooses the page to write to and frees the one with most
// waste. One page is always kept free to move items into; it never looks into items but to repair at mount.
// Follows nvs_pagemanager.cpp of ESP-IDF v6.0.

import type { NvsError } from "./nvs-errors.js";
import { ENTRY_COUNT, itemType, NAMESPACE_ANY, type NvsItem } from "./nvs-item.js";
import { type NvsPage, PAGE_BYTES, pageState } from "./nvs-page.js";
import { loadPage } from "./nvs-page-load.js";
import type { NvsPartition } from "./nvs-partition.js";
import { type ItemQuery, newCursor } from "./nvs-query.js";

/** Entry counts over all pages; `available` is `free` less the page in reserve. */
export interface NvsStats {
  readonly used: number;
  readonly free: number;
  readonly available: number;
  readonly total: number;
  readonly namespaces: number;
}

/** Where an entry is, and what it is. */
export interface FoundItem {
  readonly page: NvsPage;
  readonly index: number;
  readonly item: NvsItem;
}

export class NvsPages {
  /** Pages with contents, oldest first; the last one is written to. */
  readonly list: NvsPage[] = [];
  readonly count: number;
  readonly #partition: NvsPartition;
  readonly #free: NvsPage[] = [];
  #nextSequence = 0;

  constructor(partition: NvsPartition, pageCount: number) {
    this.#partition = partition;
    this.count = pageCount;
  }

  get current(): NvsPage {
    return this.list[this.list.length - 1]!;
  }

  /** Reads all pages and finishes or undoes what a power cut interrupted. */
  load(): NvsError {
    for (let index = 0; index < this.count; index += 1) {
      const { error, page } = loadPage(this.#partition, index * PAGE_BYTES);
      if (error !== "ESP_OK") return error;
      this.#place(page);
    }
    if (this.list.length === 0) return this.#activate();
    this.#nextSequence = (this.current.sequence! + 1) >>> 0;
    this.#eraseReplacedItem();
    const error = this.#finishFreeing();
    if (error !== "ESP_OK") return error;
    return this.#free.length === 0 ? "ESP_ERR_NVS_NO_FREE_PAGES" : "ESP_OK";
  }

  /** Opens a new page to write to. With only one free page left, the page with most waste is moved into it and erased. */
  requestNewPage(): NvsError {
    if (this.#free.length === 0) return "ESP_ERR_NVS_INVALID_STATE";
    if (this.#free.length >= 2) return this.#activate();
    const wasteful = this.#mostWasteful();
    if (!wasteful) return "ESP_ERR_NVS_NOT_ENOUGH_SPACE";
    const usedCount = wasteful.usedCount;
    // Freeing is marked before a new page is opened: the mark is what a later mount goes by after a power cut.
    const error = wasteful.markFreeing();
    if (error !== "ESP_OK") return error;
    const moved = this.#moveToNewPage(wasteful);
    if (moved !== "ESP_OK") return moved;
    if (usedCount !== this.current.usedCount) return "ESP_FAIL";
    this.#release(wasteful);
    return "ESP_OK";
  }

  /** Marks a page as full, if it is not yet, and opens a new one. */
  closeAndRequest(page: NvsPage): NvsError {
    const error = page.state === pageState.full ? "ESP_OK" : page.markFull();
    return error === "ESP_OK" ? this.requestNewPage() : error;
  }

  /** The first match over all pages, oldest first. */
  find(query: ItemQuery): FoundItem | undefined {
    const cursor = newCursor();
    for (const page of this.list) {
      cursor.index = 0;
      if (page.findItem(query, cursor) === "ESP_OK") return { page, index: cursor.index, item: cursor.item };
    }
    return undefined;
  }

  /** Undefined if a page is being freed or unreadable, which an interrupted operation can leave behind. */
  stats(namespaces: number): NvsStats | undefined {
    let used = 0;
    for (const page of this.list) {
      if (page.state === pageState.freeing || page.state === pageState.invalid) return undefined;
      if (page.state === pageState.full || page.state === pageState.active) used += page.usedCount;
    }
    const total = (this.list.length + this.#free.length) * ENTRY_COUNT;
    const free = total - used;
    return { used, free, available: Math.max(0, free - ENTRY_COUNT), total, namespaces };
  }

  /** Into the list in order of sequence, behind equal ones; without contents it is free. */
  #place(page: NvsPage): void {
    const { sequence } = page;
    if (sequence === undefined) {
      this.#free.push(page);
      return;
    }
    const later = this.list.findIndex((other) => other.sequence! > sequence);
    this.list.splice(later < 0 ? this.list.length : later, 0, page);
  }

  /** The new value was written to the last page, but the old one on an earlier page was not erased yet. */
  #eraseReplacedItem(): void {
    const last = this.current;
    const cursor = newCursor();
    let found = false;
    while (
      last.findItem({ namespace: NAMESPACE_ANY, type: itemType.any, key: undefined }, cursor) === "ESP_OK"
    ) {
      cursor.index += cursor.item.span;
      found = true;
    }
    if (!found) return;
    const { namespace, type, key, chunkIndex } = cursor.item;
    if (this.#eraseBefore(last, { namespace, type, key, chunkIndex }) || type !== itemType.blobIndex) return;
    // A blob in the old format, replaced by one in the new.
    this.#eraseBefore(last, { namespace, type: itemType.blob, key, chunkIndex });
  }

  #eraseBefore(last: NvsPage, query: ItemQuery): boolean {
    const earlier = this.list.slice(0, this.list.indexOf(last));
    return earlier.some((page) => page.state !== pageState.freeing && page.eraseItem(query) === "ESP_OK");
  }

  /** Moves the items of a page once more whose freeing was interrupted; what was moved before is dropped. */
  #finishFreeing(): NvsError {
    const page = this.list.find((candidate) => candidate.state === pageState.freeing);
    if (!page) return "ESP_OK";
    const target = this.current;
    if (target.state === pageState.active) {
      target.erase();
      this.#release(target);
    }
    const error = this.#moveToNewPage(page);
    if (error === "ESP_OK") this.#release(page);
    return error;
  }

  #moveToNewPage(page: NvsPage): NvsError {
    const activated = this.#activate();
    if (activated !== "ESP_OK") return activated;
    const copied = page.copyItemsTo(this.current);
    if (copied !== "ESP_OK" && copied !== "ESP_ERR_NVS_NOT_FOUND") return copied;
    page.erase();
    return "ESP_OK";
  }

  #release(page: NvsPage): void {
    this.list.splice(this.list.indexOf(page), 1);
    this.#free.push(page);
  }

  #mostWasteful(): NvsPage | undefined {
    let best: NvsPage | undefined;
    for (const page of this.list) {
      if (page.usedCount < (best?.usedCount ?? ENTRY_COUNT)) best = page;
    }
    return best;
  }

  #activate(): NvsError {
    const page = this.#free.shift();
    if (!page) return "ESP_ERR_NVS_NOT_ENOUGH_SPACE";
    if (page.state === pageState.corrupt) page.erase();
    this.list.push(page);
    page.sequence = this.#nextSequence;
    this.#nextSequence = (this.#nextSequence + 1) >>> 0;
    return "ESP_OK";
  }
}
