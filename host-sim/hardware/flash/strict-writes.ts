// The writes that a strict flash refuses. A NOR chip takes any write and keeps old AND new, so a forgotten erase shows only much later,
// as wrong contents; a strict flash throws at the write itself. ESP-IDF programs a byte twice in NVS alone, where a state goes from 1 to 0
// bit by bit. Everywhere else each byte is programmed once after an erase, as flash encryption requires.

/** A range of the flash, bytes. */
export interface FlashRange {
  readonly offset: number;
  readonly size: number;
}

export interface StrictWrites {
  /** Where bytes may be programmed again, as long as no bit is to go from 0 to 1: NVS. */
  readonly reprogrammable: readonly FlashRange[];
}

/** Firmware has written over bytes that it had to erase first. */
export class UnerasedWrite extends Error {
  override readonly name = "UnerasedWrite";
  /** From the start of the flash. */
  readonly address: number;

  constructor(address: number, expected: number, found: number) {
    super(
      `write at ${hex(address)} over a byte that is not erased: expected ${hex(expected)}, found ${hex(found)}`,
    );
    this.address = address;
  }
}

/** @throws UnerasedWrite at the first byte that the write must not change */
export function checkErased(
  contents: Uint8Array,
  offset: number,
  bytes: Uint8Array,
  { reprogrammable }: StrictWrites,
): void {
  const end = offset + bytes.length;
  const clearsOnly = reprogrammable.some(
    (range) => offset >= range.offset && end <= range.offset + range.size,
  );
  for (let index = 0; index < bytes.length; index += 1) {
    const found = contents[offset + index]!;
    if (found === 0xff) continue;
    const wanted = bytes[index]!;
    const expected = clearsOnly ? found | wanted : 0xff;
    if (found !== expected) throw new UnerasedWrite(offset + index, expected, found);
  }
}

const hex = (value: number): string => `0x${value.toString(16)}`;
