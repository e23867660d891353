// `embedded:io/analog`: on any pin of the first converter stands the battery's voltage behind a divider by two. The second converter
// belongs to the radio while Wi-Fi runs: reading it fails, and the SDK then gives undefined.

import type { Chip } from "../hardware/chips.js";
import type { Machine } from "../machine/machine.js";
import { createHandles } from "./handle.js";
import type { Dictionary, Native } from "./native.js";

const RESOLUTION_BITS = 12;
const FULL_SCALE = 2 ** RESOLUTION_BITS - 1;
/** What the SDK reports as full scale (its 12 dB range, calibrated). */
const FULL_SCALE_MILLIVOLTS = 2_450;
const DIVIDER = 2;

/** Pins of the two converters (modules/io/analog/esp32/_analog.c). */
const PINS: Readonly<Partial<Record<Chip, readonly [readonly number[], readonly number[]]>>> = Object.freeze({
  esp32: [
    [36, 37, 38, 39, 32, 33, 34, 35],
    [4, 0, 2, 15, 13, 12, 14, 27, 25, 26],
  ],
  esp32c3: [[0, 1, 2, 3, 4], []],
  esp32c6: [[0, 1, 2, 3, 4, 5, 6], []],
  esp32s3: [
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    [11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
  ],
});

export function createAnalog(machine: Machine, native: Native): object {
  const inputs = createHandles<{ readonly pin: number }>(machine);
  const used = new Set<number>();
  const [first, second] = PINS[machine.chip] ?? [[], []];

  class Analog {
    constructor(...parameters: [unknown?]) {
      native.needArguments(parameters, 1);
      const pin = native.integer(((parameters[0] ?? {}) as Dictionary).pin);
      if (used.has(pin)) throw native.rangeError("in use");
      if (!first.includes(pin) && !second.includes(pin)) throw native.rangeError("not analog pin");
      used.add(pin);
      inputs.open(this, { pin });
    }

    read(): number | undefined {
      const { pin } = inputs.stateOf(this);
      if (!first.includes(pin)) return undefined;
      const millivolts = machine.surroundings().batteryMillivolts / DIVIDER;
      return Math.min(FULL_SCALE, Math.trunc((Math.trunc(millivolts) * FULL_SCALE) / FULL_SCALE_MILLIVOLTS));
    }

    get resolution(): number {
      inputs.stateOf(this);
      return RESOLUTION_BITS;
    }

    close(): void {
      const input = inputs.close(this);
      if (input) used.delete(input.pin);
    }
  }
  return Analog;
}
