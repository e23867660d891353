// The pins of each chip, and what a virtual device shows and hears on them. GPIO_IS_VALID_OUTPUT_GPIO of ESP-IDF
// (soc_caps.h, SOC_GPIO_VALID_OUTPUT_GPIO_MASK): whether a pin is wise to use is another matter.

import type { Chip } from "./chips.js";

/** What can be seen of a device: a strip's pixels, a panel's picture, or the level of one pin. */
export type Light =
  | {
      readonly type: "strip";
      readonly pin: number;
      /** Red, green, blue of each pixel, as bright as they are sent. */
      readonly pixels: Uint8Array;
    }
  | {
      readonly type: "panel";
      readonly width: number;
      readonly height: number;
      /** Packed from the highest bit, each row with a whole byte at its end; 1 is black. */
      readonly rows: Uint8Array;
    }
  | { readonly type: "pin"; readonly pin: number; readonly level: 0 | 1 };

/** What a device listens to: a pin with the level that is on it, or what a sensor on a pin was read to say. */
export type Sense =
  | { readonly type: "input"; readonly pin: number; readonly level: 0 | 1 }
  | {
      readonly type: "climate";
      readonly pin: number;
      readonly temperatureC: number;
      readonly humidityPercent: number;
    };

/** Pins that are not there, or are inputs only; the last pin. */
const OUTPUTS: Readonly<Record<Chip, { readonly last: number; readonly without: readonly number[] }>> =
  Object.freeze({
    esp32: { last: 33, without: [24, 28, 29, 30, 31] },
    esp32s2: { last: 45, without: [22, 23, 24, 25] },
    esp32c2: { last: 20, without: [] },
    esp32c3: { last: 21, without: [] },
    esp32c6: { last: 30, without: [] },
    esp32h2: { last: 27, without: [] },
    esp32p4: { last: 54, without: [] },
    esp32s3: { last: 48, without: [22, 23, 24, 25] },
  });

export function isOutput(chip: Chip, pin: number): boolean {
  const { last, without } = OUTPUTS[chip];
  return Number.isInteger(pin) && pin >= 0 && pin <= last && !without.includes(pin);
}

/** Pins that are inputs only. */
const INPUTS_ONLY: Readonly<Partial<Record<Chip, readonly number[]>>> = Object.freeze({
  esp32: [34, 35, 36, 37, 38, 39],
  esp32s2: [46],
});

/** GPIO_IS_VALID_GPIO: whether there is such a pin. */
export const isPin = (chip: Chip, pin: number): boolean =>
  isOutput(chip, pin) || (INPUTS_ONLY[chip]?.includes(pin) ?? false);
