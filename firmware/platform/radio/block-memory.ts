// The parts of a block in the flash, for the machines that bring an image to many devices at once: carries out CombineParts of
// core/radio/block-vocabulary.ts natively (skyslot-parts.c), and raises its events. It decides nothing.

import { explainEsp } from "../../core/esp-error.js";
import { PART_BYTES } from "../../core/radio/block-code.js";
import type { CombineEvent, CombineParts } from "../../core/radio/block-vocabulary.js";
import type { Native } from "../native.js";
import type { Dispatch, Handlers } from "../runner.js";

/** The effect of an app that sends or receives blocks. */
export const createBlockMemory = (
  dispatch: Dispatch<CombineEvent>,
  native: Native,
): Handlers<CombineParts> => ({
  combineParts: (effect) => dispatch(combineParts(native, effect)),
});

function combineParts(native: Native, effect: CombineParts): CombineEvent {
  const { attempt, from, offset, length, parts, parities, combination = 0 } = effect;
  const sum = new ArrayBuffer(PART_BYTES);
  const isCache = from === "cache" ? 1 : 0;
  const error = native.skyslot_add_parts(isCache, offset, length, parts.buffer as ArrayBuffer, sum);
  if (error !== 0) {
    const message = `the parts of ${length} bytes at ${offset} of the ${from} cannot be read: ${explainEsp(error)}`;
    return { type: "partsFailed", attempt, message };
  }
  if (parities && combination !== 0)
    native.skyslot_add_parities(parities.buffer as ArrayBuffer, combination, sum);
  return { type: "partsCombined", attempt, bytes: new Uint8Array(sum) };
}
