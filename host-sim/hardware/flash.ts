// The NOR flash of one virtual device: erase sets a sector to 0xFF, a write only clears bits, and power can fail
// at any unit of work. It is the only thing of a device that survives a restart. It never refuses a write over
// programmed bytes and never repairs anything: what a real chip would hold is what it holds.

/** Smallest piece that can be erased. */
export const SECTOR_BYTES = 4096;

/** Bytes programmed at once: the unit by which power cuts are counted inside a write. */
export const WORD_BYTES = 4;

/** Power failed. Thrown out of the flash operation it happened in, and out of every later one until power is back. */
export class PowerCut extends Error {
  override readonly name = "PowerCut";
}

/** One operation as the flash chip sees it; an erase of several sectors is one operation for each. */
export interface FlashOperation {
  readonly kind: "erase" | "write";
  readonly offset: number;
  readonly length: number;
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

  #unitCount = 0;
  #cutAt: number | undefined;
  #tear: (() => number) | undefined;
  #powered = true;
  readonly #eraseCounts: Uint32Array;

  /** @param contents placed at the start; the rest is erased. */
  constructor(sizeBytes: number, contents?: Uint8Array) {
    if (!Number.isInteger(sizeBytes) || sizeBytes <= 0 || sizeBytes % SECTOR_BYTES !== 0) {
      throw new RangeError(`flash size ${sizeBytes} is not a multiple of ${SECTOR_BYTES} bytes`);
    }
    if (contents !== undefined && contents.length > sizeBytes) {
      throw new RangeError(`contents are ${contents.length} bytes, flash is ${sizeBytes}`);
    }
    this.sizeBytes = sizeBytes;
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

  /** Returns a copy. Reading needs no power supply of its own: a device without power runs no code. */
  read(offset: number, length: number): Uint8Array {
    this.#checkRange("read", offset, length);
    return this.bytes.slice(offset, offset + length);
  }

  /** Programs bytes: each becomes old AND new. A trailing piece of 1 to 3 bytes counts as one unit. */
  write(offset: number, bytes: Uint8Array): void {
    this.#checkRange("write", offset, bytes.length);
    this.#operate({ kind: "write", offset, length: bytes.length }, () => {
      this.counters.writeCount += 1;
      if (this.#cutAt === undefined) {
        this.#program(offset, bytes);
        this.#unitCount += Math.ceil(bytes.length / WORD_BYTES);
        return;
      }
      for (let position = 0; position < bytes.length; position += WORD_BYTES) {
        const word = bytes.subarray(position, position + WORD_BYTES);
        this.#beginUnit(() => this.#tearWrite(offset + position, word));
        this.#program(offset + position, word);
      }
    });
  }

  /** Erases the sector that begins at `offset`. */
  eraseSector(offset: number): void {
    this.#checkRange("erase", offset, SECTOR_BYTES);
    if (offset % SECTOR_BYTES !== 0) {
      throw new RangeError(`erase offset ${offset} is not a multiple of ${SECTOR_BYTES}`);
    }
    this.#operate({ kind: "erase", offset, length: SECTOR_BYTES }, () => {
      if (this.#cutAt === undefined) this.#unitCount += 1;
      else this.#beginUnit(() => this.#tearErase(offset));
      this.bytes.fill(0xff, offset, offset + SECTOR_BYTES);
      this.#eraseCounts[offset / SECTOR_BYTES]! += 1;
      this.counters.eraseCount += 1;
    });
  }

  /** Erases whole sectors, one operation each, from low to high. */
  erase(offset: number, length: number): void {
    this.#checkRange("erase", offset, length);
    if (offset % SECTOR_BYTES !== 0 || length % SECTOR_BYTES !== 0) {
      throw new RangeError(`erase of ${length} bytes at ${offset} is not a multiple of ${SECTOR_BYTES}`);
    }
    for (let at = offset; at < offset + length; at += SECTOR_BYTES) this.eraseSector(at);
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
   * @param tear randomness in [0, 1): with it the interrupted unit is half done (any subset of the bits of the word
   *   cleared, any mixture of old bits and ones in the sector); without it the cut is clean.
   */
  cutAfterUnits(unitCount: number | undefined, tear?: () => number): void {
    this.#cutAt = unitCount === undefined ? undefined : this.#unitCount + unitCount;
    this.#tear = tear;
  }

  /** Cuts power now, between two operations. */
  cutPower(): void {
    this.#powered = false;
  }

  /** Power is back; no further cut is planned. */
  powerRestored(): void {
    this.#powered = true;
    this.#cutAt = undefined;
    this.#tear = undefined;
  }

  #operate(operation: FlashOperation, act: () => void): void {
    if (!this.#powered) throw new PowerCut(`no power for the ${describe(operation)}`);
    try {
      this.onOperation?.(operation, "before");
      act();
      if (operation.kind === "write") this.counters.bytesWritten += operation.length;
      this.onOperation?.(operation, "after");
    } catch (error) {
      if (error instanceof PowerCut) this.#powered = false;
      throw error;
    }
  }

  #beginUnit(tearUnit: () => void): void {
    if (this.#cutAt !== undefined && this.#unitCount >= this.#cutAt) {
      if (this.#tear !== undefined) tearUnit();
      throw new PowerCut(`power failed after ${this.#unitCount} flash units`);
    }
    this.#unitCount += 1;
  }

  #program(offset: number, bytes: Uint8Array): void {
    const target = this.bytes;
    for (let index = 0; index < bytes.length; index += 1) target[offset + index]! &= bytes[index]!;
  }

  #tearWrite(offset: number, word: Uint8Array): void {
    this.#program(
      offset,
      word.map((byte) => byte | randomByte(this.#tear!)),
    );
  }

  #tearErase(offset: number): void {
    for (let at = offset; at < offset + SECTOR_BYTES; at += 1) this.bytes[at]! |= randomByte(this.#tear!);
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

function randomByte(random: () => number): number {
  return Math.floor(random() * 256);
}

function describe(operation: FlashOperation): string {
  return `${operation.kind} of ${operation.length} bytes at 0x${operation.offset.toString(16)}`;
}
