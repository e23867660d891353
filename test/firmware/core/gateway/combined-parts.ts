// The XOR of parts of a block, as the native function of a device computes it: byte by byte, from what the vocabulary says.

import { PART_BYTES } from "../../../../firmware/core/radio/block-code.js";
import type { CombineEvent, CombineParts } from "../../../../firmware/core/radio/block-vocabulary.js";

export function combinedParts(flash: Uint8Array, effect: CombineParts): CombineEvent {
  const { attempt, offset, length, parts, parities, combination = 0 } = effect;
  const sum = new Uint8Array(PART_BYTES);
  const add = (bytes: Uint8Array) => {
    for (const [at, byte] of bytes.entries()) sum[at]! ^= byte;
  };
  for (let part = 0; part * PART_BYTES < length; part++) {
    const start = offset + part * PART_BYTES;
    if ((parts[part >> 3]! >> (part & 7)) & 1)
      add(flash.subarray(start, Math.min(start + PART_BYTES, offset + length)));
  }
  for (let row = 0; parities && row * PART_BYTES < parities.length; row++)
    if ((combination >> row) & 1) add(parities.subarray(row * PART_BYTES, (row + 1) * PART_BYTES));
  return { type: "partsCombined", attempt, bytes: sum };
}
