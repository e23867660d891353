// The writes that a strict flash refuses. A NOR chip takes any write and keeps old AND new, so a forgotten erase shows only much later,
// as wrong contents; a strict flash throws at the write itself. Each byte is programmed once after an erase, as flash encryption requires.
// NVS is exempt: there ESP-IDF programs the bits of a state one after the other, and after a torn write even a state over one that it
// cannot read.

/** A range of the flash, bytes. */
export interface FlashRange {
  readonly offset: number;
  readonly size: number;
}

export interface StrictWrites {
  /** Where bytes may be programmed again: NVS. */
  readonly exempt: readonly FlashRange[];
}

/** Firmware has written over bytes that it had to erase first. */
export class UnerasedWrite extends Error {
  override readonly name = "UnerasedWrite";
  /** From the start of the flash. */
  readonly address: number;

  constructor(address: number, found: number) {
    super(`write at ${hex(address)} over a byte that is not erased: expected 0xff, found ${hex(found)}`);
    this.address = address;
  }
}

/** @throws UnerasedWrite at the first byte that is not erased, unless the whole write is in an exempt range */
export function checkErased(
  contents: Uint8Array,
  offset: number,
  length: number,
  { exempt }: StrictWrites,
): void {
  const end = offset + length;
  if (exempt.some((range) => offset >= range.offset && end <= range.offset + range.size)) return;
  const index = contents.subarray(offset, end).findIndex((byte) => byte !== 0xff);
  if (index !== -1) throw new UnerasedWrite(offset + index, contents[offset + index]!);
}

const hex = (value: number): string => `0x${value.toString(16)}`;
