// Contents of whole flashes, many of them at once: each sector's contents are kept once and known by a number, so that a state is a
// list of numbers, two states are compared sector by sector, and a flash is brought into a state by writing what differs.

import { createHash } from "node:crypto";
import { SECTOR_BYTES } from "../hardware/flash/flash-operation.js";

/** The number of each sector's contents. Not to be changed. */
export type FlashState = Int32Array;

/** The contents that any sector has had. */
export class SectorStore {
  readonly #numbers = new Map<string, number>();
  readonly #contents: Uint8Array[] = [];

  numberOf(contents: Uint8Array): number {
    const digest = createHash("sha1").update(contents).digest("base64");
    const known = this.#numbers.get(digest);
    if (known !== undefined) return known;
    const number = this.#contents.push(contents.slice()) - 1;
    this.#numbers.set(digest, number);
    return number;
  }

  contentsOf(number: number): Uint8Array {
    const contents = this.#contents[number];
    if (contents === undefined) throw new Error(`there is no sector contents ${number}`);
    return contents;
  }

  withChanges({ state, changed }: ChangedState): FlashState {
    const whole = state.slice();
    for (const [sector, contents] of changed) whole[sector] = this.numberOf(contents);
    return whole;
  }

  stateOf(bytes: Uint8Array): FlashState {
    const count = bytes.length / SECTOR_BYTES;
    return Int32Array.from({ length: count }, (_, sector) =>
      this.numberOf(bytes.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES)),
    );
  }
}

/** A state with some sectors of other contents, of which most are forgotten soon. */
export interface ChangedState {
  readonly state: FlashState;
  readonly changed: ReadonlyMap<number, Uint8Array>;
}

/** A flash whose contents are replaced again and again, only where they differ. */
export class LoadedFlash {
  readonly #store: SectorStore;
  readonly #bytes: Uint8Array;
  readonly #numbers: Int32Array;

  /** @param bytes the flash's live contents */
  constructor(store: SectorStore, bytes: Uint8Array) {
    this.#store = store;
    this.#bytes = bytes;
    this.#numbers = new Int32Array(bytes.length / SECTOR_BYTES).fill(UNKNOWN);
  }

  load(state: FlashState): void {
    for (let sector = 0; sector < state.length; sector += 1) {
      const number = state[sector]!;
      if (this.#numbers[sector] === number) continue;
      this.#bytes.set(this.#store.contentsOf(number), sector * SECTOR_BYTES);
      this.#numbers[sector] = number;
    }
  }

  /** These bytes have changed. */
  touched(offset: number, length: number): void {
    for (const sector of sectorsOf(offset, length)) this.#numbers[sector] = UNKNOWN;
  }

  /** The number of what a sector holds now. */
  numberOf(sector: number): number {
    if (this.#numbers[sector] === UNKNOWN) {
      const contents = this.#bytes.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
      this.#numbers[sector] = this.#store.numberOf(contents);
    }
    return this.#numbers[sector]!;
  }

  state(): FlashState {
    return this.#numbers.map((_, sector) => this.numberOf(sector));
  }
}

const UNKNOWN = -1;

/** The sectors that a range of bytes covers. */
export function* sectorsOf(offset: number, length: number): Iterable<number> {
  if (length === 0) return;
  const last = Math.floor((offset + length - 1) / SECTOR_BYTES);
  for (let sector = Math.floor(offset / SECTOR_BYTES); sector <= last; sector += 1) yield sector;
}
