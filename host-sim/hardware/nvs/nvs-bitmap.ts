// The states of a page's entries, 2 bits each: the copy in memory of the page's bitmap. It never writes flash.

/** Words of the bitmap; the last four of its 256 bits stand for no entry. */
export const BITMAP_WORD_COUNT = 8;
const ENTRIES_PER_WORD = 16;

export const entryState = Object.freeze({ empty: 3, written: 2, illegal: 1, erased: 0 });

export class EntryBitmap {
  readonly #words: Uint32Array = new Uint32Array(BITMAP_WORD_COUNT).fill(0xffffffff);

  /** Takes over the 32 bytes of the bitmap as they are in flash. */
  load(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (let word = 0; word < BITMAP_WORD_COUNT; word += 1)
      this.#words[word] = view.getUint32(word * 4, true);
  }

  /** All entries empty. */
  clear(): void {
    this.#words.fill(0xffffffff);
  }

  get(index: number): number {
    return (this.#words[wordOf(index)]! >>> shiftOf(index)) & 3;
  }

  set(index: number, state: number): void {
    const word = wordOf(index);
    this.#words[word] = (this.#words[word]! & ~(3 << shiftOf(index))) | (state << shiftOf(index));
  }

  /** The 32 bits that hold an entry's state. */
  wordAt(index: number): number {
    return this.#words[wordOf(index)]!;
  }
}

/** Number of the bitmap word that holds an entry's state. */
export function wordOf(index: number): number {
  return Math.floor(index / ENTRIES_PER_WORD);
}

function shiftOf(index: number): number {
  return (index % ENTRIES_PER_WORD) * 2;
}
