// Everything that passed between one run of a device and its flash, in order. A device in a world with a fixed seed is deterministic:
// what it does follows from the world and from what it learns of its flash. So two flashes that give the same answers to this
// history have the same future (same-future.ts).
//
// The content of the slot that is written to reaches the firmware only as a digest: the observer (observer.ts) sees to that. Of such a
// digest the firmware learns whether it is one that was promised; all others are one and the same answer to it. Of an otadata entry
// with a wrong CRC nothing else is visible (entry-question.ts).

import type { FlashState } from "./flash-state.js";
import { sectorsOf } from "./flash-state.js";

export interface DigestPiece {
  readonly offset: number;
  readonly length: number;
  /** Numbers of the sectors' contents when the piece was read. */
  readonly numbers: readonly number[];
}

export type HistoryEntry =
  | { readonly kind: "read"; readonly offset: number; readonly length: number }
  | { readonly kind: "isErased"; readonly offset: number; readonly length: number }
  /** Of otadata; the answer as in entry-question.ts. */
  | { readonly kind: "entry"; readonly offset: number; readonly length: number; readonly answer: string }
  | { readonly kind: "write"; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: "erase"; readonly offset: number; readonly length: number }
  | {
      readonly kind: "digest";
      readonly algorithm: string;
      readonly pieces: readonly DigestPiece[];
      readonly answer: string;
    };

export class History {
  /** The flash when power came on. */
  readonly start: FlashState;
  readonly entries: HistoryEntry[] = [];
  readonly #bySector = new Map<number, number[]>();
  /** Kept for the next call: many cuts in a row ask about the same state and the same sectors. */
  #differing: { readonly state: FlashState; readonly sectors: readonly number[] } | undefined;
  #concerning: { readonly key: string; readonly found: readonly number[] } | undefined;

  constructor(start: FlashState) {
    this.start = start;
  }

  add(entry: HistoryEntry): void {
    this.#concerning = undefined;
    const index = this.entries.push(entry) - 1;
    if (entry.kind === "digest") {
      for (const { offset, length } of entry.pieces) this.#note(offset, length, index);
    } else {
      this.#note(entry.offset, lengthOf(entry), index);
    }
  }

  /** The sectors in which another flash differs from this one's start. */
  sectorsThatDiffer(state: FlashState): readonly number[] {
    if (this.#differing?.state !== state) {
      const sectors: number[] = [];
      for (let sector = 0; sector < state.length; sector += 1)
        if (state[sector] !== this.start[sector]) sectors.push(sector);
      this.#differing = { state, sectors };
    }
    return this.#differing.sectors;
  }

  /** Positions of the entries that concern any of these sectors, in order. */
  concerning(sectors: readonly number[]): readonly number[] {
    const key = sectors.join();
    if (this.#concerning?.key !== key) {
      const found = new Set(sectors.flatMap((sector) => this.#bySector.get(sector) ?? []));
      this.#concerning = { key, found: [...found].sort((first, second) => first - second) };
    }
    return this.#concerning.found;
  }

  #note(offset: number, length: number, index: number): void {
    for (const sector of sectorsOf(offset, length)) {
      const known = this.#bySector.get(sector);
      if (known === undefined) this.#bySector.set(sector, [index]);
      else known.push(index);
    }
  }
}

function lengthOf(entry: Exclude<HistoryEntry, { kind: "digest" }>): number {
  return entry.kind === "write" ? entry.bytes.length : entry.length;
}
