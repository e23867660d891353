// What is known of a device's memory: its free heap, as checks and pages report it, and the heap of XS, which an instrumented build
// (mcconfig -i) prints every second:
//
//   instruments key: Pixels drawn,…,System bytes free,…,Chunk used,Chunk available,Slot used,Slot available,…
//   instruments: 0,…,190000,…,29600,46112,32700,34816,…

/** Bytes, of a part of the journey. */
export interface MemoryUse {
  readonly lowestHeap?: number | undefined;
  /** XS slots and chunks in use at the peak, garbage included. */
  readonly slotPeak?: number | undefined;
  readonly chunkPeak?: number | undefined;
}

const KEY = "instruments key: ";
const VALUES = "instruments: ";

export class MemoryLog {
  #columns: readonly string[] = [];
  #use: { -readonly [Name in keyof MemoryUse]: MemoryUse[Name] } = {};

  /** Reads a line of the serial log, if it is about memory. */
  record(line: string): void {
    const key = line.indexOf(KEY);
    if (key >= 0) {
      this.#columns = line.slice(key + KEY.length).split(",");
      return;
    }
    const start = line.indexOf(VALUES);
    if (start < 0) return;
    const values = line.slice(start + VALUES.length).split(",");
    if (values.length !== this.#columns.length) return;
    const value = (column: string) => Number(values[this.#columns.indexOf(column)] ?? Number.NaN);
    this.noteHeap(value("System bytes free"));
    this.#use.slotPeak = highest(this.#use.slotPeak, value("Slot used"));
    this.#use.chunkPeak = highest(this.#use.chunkPeak, value("Chunk used"));
  }

  /** The device reported its free heap. */
  noteHeap(bytes: number | undefined): void {
    if (bytes !== undefined && bytes > 0)
      this.#use.lowestHeap = Math.min(bytes, this.#use.lowestHeap ?? bytes);
  }

  /** What was recorded since the last call. */
  take(): MemoryUse {
    const use = this.#use;
    this.#use = {};
    return use;
  }
}

const highest = (known: number | undefined, value: number): number | undefined =>
  Number.isFinite(value) ? Math.max(value, known ?? value) : known;

/** The worst of several parts. */
export function worstOf(parts: readonly MemoryUse[]): MemoryUse {
  const all = (name: keyof MemoryUse) =>
    parts.map((part) => part[name]).filter((value) => value !== undefined);
  const [heaps, slots, chunks] = [all("lowestHeap"), all("slotPeak"), all("chunkPeak")];
  return {
    ...(heaps.length > 0 ? { lowestHeap: Math.min(...heaps) } : {}),
    ...(slots.length > 0 ? { slotPeak: Math.max(...slots) } : {}),
    ...(chunks.length > 0 ? { chunkPeak: Math.max(...chunks) } : {}),
  };
}
