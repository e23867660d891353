// The NOR flash of one virtual device: erase sets a sector or a block to 0xFF, a write only clears bits, each takes its time, and power
// can fail at any unit of work. It is the only part of a device that survives a restart. It holds what a real chip would hold: unless it
// is strict (strict-writes.ts) it takes a write over programmed bytes, and it never repairs anything. flash-tear.ts has what a power cut
// inside an operation leaves, sector-faults.ts what worn-out sectors do.

import { BLOCK_BYTES, type FlashOperation, PAGE_BYTES, SECTOR_BYTES, WORD_BYTES } from "./flash-operation.js";
import { drawTear, tearOperation } from "./flash-tear.js";
import { FlashFailure, SectorFaults } from "./sector-faults.js";
import { checkErased, type StrictWrites } from "./strict-writes.js";

export { type FlashOperation, SECTOR_BYTES } from "./flash-operation.js";

/** How long the chip is busy. */
export interface FlashTimings {
  readonly eraseSectorMs: number;
  /** 64 KiB in one go. */
  readonly eraseBlockMs: number;
  /** A whole page; a part of one takes its share. */
  readonly programPageMs: number;
  /** Minimum time to program, even a single byte. */
  readonly programByteMs: number;
}

/** A typical part, such as Winbond's W25Q64JV. */
const TYPICAL_TIMINGS: FlashTimings = Object.freeze({
  eraseSectorMs: 45,
  eraseBlockMs: 150,
  programPageMs: 0.8,
  programByteMs: 0.03,
});

const NOTHING = new Uint8Array();

/** Power failed. Thrown out of the flash operation it happened in, and out of every later one until power is back. */
export class PowerCut extends Error {
  override readonly name = "PowerCut";
}

/** What the flash has done since it was made, for measurements; power cuts do not reset it. */
export interface FlashCounters {
  eraseCount: number;
  writeCount: number;
  bytesWritten: number;
}

/** The flash chip. Offsets and lengths are in bytes from its start; leaving it throws RangeError. */
export class Flash {
  readonly sizeBytes: number;
  /** The live contents, for tests and tools. Device code uses read, write and erase. */
  readonly bytes: Uint8Array;
  readonly counters: FlashCounters = { eraseCount: 0, writeCount: 0, bytesWritten: 0 };
  /** Called around each operation. It may throw PowerCut in "before": then the operation does not happen. */
  onOperation?: ((operation: FlashOperation, when: "before" | "after") => void) | undefined;
  /** Called with each range before it is read, or checked for being erased. */
  onRead?: ((offset: number, length: number, question: "contents" | "isErased") => void) | undefined;
  /** Called with the time the chip was busy with a completed operation: its device waits for it. */
  onBusy?: ((ms: number) => void) | undefined;
  readonly timings: FlashTimings;
  /** Set: a write over bytes that are not erased throws UnerasedWrite; not in sectors with a fault. */
  strict?: StrictWrites | undefined;
  readonly faults = new SectorFaults();

  #unitCount = 0;
  #cutAt: number | undefined;
  #tearRandom: (() => number) | undefined;
  #powered = true;
  /** Bytes with bits that an interrupted operation left unstable: what they read as after their next reading. */
  readonly #unstable = new Map<number, number>();
  readonly #eraseCounts: Uint32Array;

  /** @param contents placed at the start; the rest is erased. */
  constructor(sizeBytes: number, contents?: Uint8Array, timings: FlashTimings = TYPICAL_TIMINGS) {
    if (!Number.isInteger(sizeBytes) || sizeBytes <= 0 || sizeBytes % SECTOR_BYTES !== 0) {
      throw new RangeError(`flash size ${sizeBytes} is not a multiple of ${SECTOR_BYTES} bytes`);
    }
    if (contents !== undefined && contents.length > sizeBytes) {
      throw new RangeError(`contents are ${contents.length} bytes, flash is ${sizeBytes}`);
    }
    this.sizeBytes = sizeBytes;
    this.timings = timings;
    this.bytes = new Uint8Array(sizeBytes);
    if (contents !== undefined) this.bytes.set(contents);
    this.bytes.fill(0xff, contents?.length ?? 0);
    this.#eraseCounts = new Uint32Array(sizeBytes / SECTOR_BYTES);
  }

  /** Words programmed and sectors erased since the flash was made. */
  get unitCount(): number {
    return this.#unitCount;
  }

  /** False from a power cut until powerRestored. */
  get powered(): boolean {
    return this.#powered;
  }

  /** Returns a copy. Reading does not check the power: a device without power runs no code. */
  read(offset: number, length: number): Uint8Array {
    const bytes = this.view(offset, length).slice();
    if (this.#unstable.size > 0) this.#settle(offset, length);
    return bytes;
  }

  /** The contents without a copy, for callers that read much and keep nothing, such as the check of an image. */
  view(offset: number, length: number): Uint8Array {
    this.#checkRange("read", offset, length);
    this.onRead?.(offset, length, "contents");
    return this.bytes.subarray(offset, offset + length);
  }

  /** Whether all bits are set: a read whose caller needs no more than that. */
  isErased(offset: number, length: number): boolean {
    this.#checkRange("read", offset, length);
    this.onRead?.(offset, length, "isErased");
    return isErased(this.bytes.subarray(offset, offset + length));
  }

  /** Programs bytes: each becomes old AND new. A trailing piece of 1 to 3 bytes counts as one unit. @throws PowerCut, FlashFailure, UnerasedWrite */
  write(offset: number, bytes: Uint8Array): void {
    this.#checkRange("write", offset, bytes.length);
    if (this.strict !== undefined && !this.faults.isFaulty(offset))
      checkErased(this.bytes, offset, bytes.length, this.strict);
    const operation = { kind: "write", offset, length: bytes.length, bytes } as const;
    this.#operate(operation, () => {
      this.counters.writeCount += 1;
      if (this.#cutAt === undefined) {
        this.#program(offset, bytes);
        this.#unitCount += Math.ceil(bytes.length / WORD_BYTES);
        return;
      }
      for (let position = 0; position < bytes.length; position += WORD_BYTES) {
        const word = bytes.subarray(position, position + WORD_BYTES);
        this.#beginUnit(operation, position);
        this.#program(offset + position, word);
      }
    });
  }

  /** Erases the sector that begins at `offset`. @throws PowerCut, FlashFailure */
  eraseSector(offset: number): void {
    this.#checkRange("erase", offset, SECTOR_BYTES);
    if (offset % SECTOR_BYTES !== 0) {
      throw new RangeError(`erase offset ${offset} is not a multiple of ${SECTOR_BYTES}`);
    }
    this.#eraseInOneGo(offset, SECTOR_BYTES);
  }

  /**
   * Erases whole sectors from low to high, as ESP-IDF does: an aligned block in one operation, which takes as long as three sectors, and the
   * sectors before and behind it one by one. @throws PowerCut, FlashFailure
   */
  erase(offset: number, length: number): void {
    this.#checkRange("erase", offset, length);
    if (offset % SECTOR_BYTES !== 0 || length % SECTOR_BYTES !== 0) {
      throw new RangeError(`erase of ${length} bytes at ${offset} is not a multiple of ${SECTOR_BYTES}`);
    }
    const end = offset + length;
    for (let at = offset; at < end; ) {
      const count = at % BLOCK_BYTES === 0 && at + BLOCK_BYTES <= end ? BLOCK_BYTES : SECTOR_BYTES;
      this.#eraseInOneGo(at, count);
      at += count;
    }
  }

  /** A clean cut, by units, leaves the sectors before it erased. */
  #eraseInOneGo(offset: number, length: number): void {
    const operation = { kind: "erase", offset, length, bytes: NOTHING } as const;
    this.#operate(operation, () => {
      const isTorn = this.#tearRandom !== undefined && this.#cutAt! < this.#unitCount + length / SECTOR_BYTES;
      if (isTorn) this.#cutAt = this.#unitCount;
      for (let at = offset; at < offset + length; at += SECTOR_BYTES) {
        this.#beginUnit(operation);
        this.faults.apply("erase", at, this.bytes, () => this.bytes.fill(0xff, at, at + SECTOR_BYTES));
        this.#eraseCounts[at / SECTOR_BYTES]! += 1;
        this.counters.eraseCount += 1;
      }
    });
  }

  /** How often the sector with this index (not offset) was erased. */
  eraseCountOf(sectorIndex: number): number {
    const count = this.#eraseCounts[sectorIndex];
    if (count === undefined) {
      throw new RangeError(`sector ${sectorIndex} is outside the ${this.#eraseCounts.length} of the flash`);
    }
    return count;
  }

  /**
   * Lets power fail when `unitCount` further units are done and the next one is asked for; undefined takes that back.
   * @param random in [0, 1): with it the operation under way is torn (flash-tear.ts), somewhere; without it the cut is clean.
   */
  cutAfterUnits(unitCount: number | undefined, random?: () => number): void {
    this.#cutAt = unitCount === undefined ? undefined : this.#unitCount + unitCount;
    this.#tearRandom = random;
  }

  /** Leaves a byte unstable: it reads as it is once, and as `later` from then on, until it is erased or programmed. */
  destabilize(offset: number, later: number): void {
    this.#unstable.set(offset, later);
  }

  /** Cuts power now, between two operations. */
  cutPower(): void {
    this.#powered = false;
  }

  /** Power is back; no further cut is planned. */
  powerRestored(): void {
    this.#powered = true;
    this.#cutAt = undefined;
    this.#tearRandom = undefined;
  }

  #operate(operation: FlashOperation, act: () => void): void {
    if (!this.#powered) throw new PowerCut(`no power for the ${describe(operation)}`);
    try {
      this.onOperation?.(operation, "before");
      act();
      if (operation.kind === "write") this.counters.bytesWritten += operation.length;
      if (this.#unstable.size > 0) this.#refresh(operation);
      this.onBusy?.(this.#busyMs(operation));
      this.onOperation?.(operation, "after");
    } catch (error) {
      if (error instanceof PowerCut) this.#powered = false;
      if (error instanceof FlashFailure) this.onBusy?.(this.#busyMs(operation));
      throw error;
    }
  }

  /** @param position of the unit in a write: everything before it is programmed. */
  #beginUnit(operation: FlashOperation, position = 0): void {
    if (this.#cutAt !== undefined && this.#unitCount >= this.#cutAt) {
      const random = this.#tearRandom;
      if (random !== undefined)
        tearOperation(this.bytes, operation, drawTear(operation, random, position), random);
      throw new PowerCut(`power failed after ${this.#unitCount} flash units`);
    }
    this.#unitCount += 1;
  }

  /** A write of several pages is several programs, each of which takes its time. */
  #busyMs({ kind, offset, length }: FlashOperation): number {
    const { eraseSectorMs, eraseBlockMs, programPageMs, programByteMs } = this.timings;
    if (kind === "erase") return length === BLOCK_BYTES ? eraseBlockMs : eraseSectorMs;
    let busyMs = 0;
    for (let at = offset; at < offset + length; ) {
      const end = Math.min(offset + length, (Math.floor(at / PAGE_BYTES) + 1) * PAGE_BYTES);
      busyMs += Math.max(programByteMs, (programPageMs * (end - at)) / PAGE_BYTES);
      at = end;
    }
    return busyMs;
  }

  #program(offset: number, bytes: Uint8Array): void {
    if (this.faults.isEmpty) return this.#programPart(offset, bytes);
    for (let start = 0; start < bytes.length; ) {
      const at = offset + start;
      const part = bytes.subarray(start, start + SECTOR_BYTES - (at % SECTOR_BYTES));
      this.faults.apply("write", at, this.bytes, () => this.#programPart(at, part));
      start += part.length;
    }
  }

  #programPart(offset: number, bytes: Uint8Array): void {
    const target = this.bytes;
    for (let index = 0; index < bytes.length; index += 1) target[offset + index]! &= bytes[index]!;
  }

  #settle(offset: number, length: number): void {
    for (const [at, later] of this.#unstable) {
      if (at < offset || at >= offset + length) continue;
      this.bytes[at] = later;
      this.#unstable.delete(at);
    }
  }

  /** An erase or a write makes its bits stable. */
  #refresh({ offset, length }: FlashOperation): void {
    for (const at of [...this.#unstable.keys()]) {
      if (at >= offset && at < offset + length) this.#unstable.delete(at);
    }
  }

  #checkRange(verb: string, offset: number, length: number): void {
    if (!Number.isInteger(offset) || !Number.isInteger(length) || offset < 0 || length < 0) {
      throw new RangeError(`${verb} of ${length} bytes at ${offset}: not whole numbers of bytes`);
    }
    if (offset + length > this.sizeBytes) {
      throw new RangeError(
        `${verb} of ${length} bytes at ${offset} leaves the flash of ${this.sizeBytes} bytes`,
      );
    }
  }
}

/** Whether all bits are set. */
export function isErased(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0xff);
}

function describe(operation: FlashOperation): string {
  return `${operation.kind} of ${operation.length} bytes at 0x${operation.offset.toString(16)}`;
}
