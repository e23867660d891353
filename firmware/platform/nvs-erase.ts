// Erases the whole NVS partition: NVS itself only marks what is forgotten, and a password would stay legible in the flash. A power cut in
// the middle must not leave a part of it: so first a mark is stored, and the page with the mark is erased last. A boot that finds the
// mark does it again.
//
//   mark stored ─► every page but the active one erased ─► entries of the active page before the mark zeroed ─► that page erased
//
// The mark is the existence of a namespace: one entry, in the page that is active when it is made. The zeros are programmed over what
// is there, as NOR flash allows, so that an erase that is cut short brings nothing back.

import flash, { type Flash } from "embedded:storage/flash";
import KeyValue from "embedded:storage/key-value";
import type { Native } from "./native.js";

/** Label of the partition, and the namespace that is the mark, at most 15 characters. */
const PARTITION = "nvs";
const MARK = "skyslot.reset";

const PAGE_BYTES = 4096;
/** First word of a page (nvs_page.hpp). */
const ACTIVE = 0xfffffffe;
const BITMAP_OFFSET = 32;
const BITMAP_BYTES = 32;
const ENTRIES_OFFSET = 64;
const ENTRY_BYTES = 32;
const ENTRY_COUNT = 126;
/** Of the two bits of an entry in the bitmap. */
const WRITTEN = 2;

/** Whether an erasure was begun and not finished. */
export function isEraseBegun(): boolean {
  try {
    KeyValue.open({ path: MARK, mode: "r" }).close();
    return true;
  } catch {
    return false; // there is no such namespace
  }
}

/** Nothing of NVS may be open. If the flash fails, what follows is left: it is tried again at the next boot. */
export function eraseNvs(native: Native): void {
  try {
    KeyValue.open({ path: MARK }).close();
  } catch {
    // no room for the mark: a power cut from here on leaves a part
  }
  native.nvs_flash_deinit();
  try {
    erasePages(flash.open({ path: PARTITION }));
  } finally {
    native.nvs_flash_init();
  }
}

function erasePages(nvs: Flash): void {
  const pageCount = nvs.status().blocks;
  const active: number[] = [];
  for (let page = 0; page < pageCount; page++) {
    if (wordAt(nvs, page * PAGE_BYTES) === ACTIVE) active.push(page);
    else nvs.eraseBlock(page);
  }
  for (const page of active) {
    zeroEntries(nvs, page * PAGE_BYTES);
    nvs.eraseBlock(page);
  }
  nvs.close();
}

/** All entries but the last one that is written, which is the mark. */
function zeroEntries(nvs: Flash, offset: number): void {
  const bitmap = new Uint8Array(nvs.read(BITMAP_BYTES, offset + BITMAP_OFFSET));
  let last = ENTRY_COUNT - 1;
  while (last > 0 && (((bitmap[last >> 2] ?? 0) >> (2 * (last & 3))) & 3) !== WRITTEN) last--;
  const zeros = new ArrayBuffer(ENTRY_BYTES);
  for (let entry = 0; entry < last; entry++) nvs.write(zeros, offset + ENTRIES_OFFSET + entry * ENTRY_BYTES);
}

const wordAt = (nvs: Flash, offset: number): number => new DataView(nvs.read(4, offset)).getUint32(0, true);
