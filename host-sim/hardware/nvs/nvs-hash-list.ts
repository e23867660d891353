// The hashes of a page's live entries, by which NVS finds an item without reading the flash (nvs_item_hash_list.cpp of ESP-IDF
// v6.0). Like that list it keeps the order of insertion, and hashes may collide: the page reads the entry that is found.

import type { NvsItem } from "./nvs-item.js";

/** No such entry. */
export const NO_ENTRY = 0xffffffff;

export class NvsHashList {
  #entries: { readonly hash: number; readonly index: number }[] = [];

  /** @param index of the item's first entry in its page */
  insert(item: NvsItem, index: number): void {
    this.#entries.push({ hash: item.hash(), index });
  }

  /** The first inserted index, from `start` on, of an entry with the same namespace, key and chunk; NO_ENTRY if there is none. */
  find(item: NvsItem, start: number): number {
    const hash = item.hash();
    return this.#entries.find((entry) => entry.index >= start && entry.hash === hash)?.index ?? NO_ENTRY;
  }

  erase(index: number): void {
    const at = this.#entries.findIndex((entry) => entry.index === index);
    if (at >= 0) this.#entries.splice(at, 1);
  }

  clear(): void {
    this.#entries = [];
  }
}
