// What the owner of an LED strip can choose, and its limits: a settings section (app-settings.ts). A pin that the chip uses otherwise
// would restart the device at every start, so only pins that can drive a strip are offered.

import type { Field, Section, Values } from "../../../core/section.js";
import { LED_STRINGS as text } from "./strings.js";

/** What the strip's driver keeps in memory grows with it: 8 bytes a pixel. */
const MAX_PIXEL_COUNT = 300;
/** Cycles of a pattern in a minute. */
const MAX_SPEED = 600;

export const PATTERN_NAMES = Object.freeze(["solid", "blink", "breathe", "rainbow", "chase"] as const);
export type PatternName = (typeof PATTERN_NAMES)[number];

export interface LedSettings {
  readonly pattern: PatternName;
  /** `0xrrggbb`; a rainbow has its own. */
  readonly colour: number;
  /** Percent of the strip's full light, 1 to 100. */
  readonly brightness: number;
  /** Cycles a minute, 1 to 600; `solid` has none. */
  readonly speed: number;
  /** Pixels on the strip, 1 to 300. */
  readonly count: number;
  /** GPIO number of the strip's data line. */
  readonly pin: number;
}

/** The pins of this board that a strip can be connected to. */
export interface LedBoard {
  /** As the image names it: `esp32`, `esp32c3`, `esp32c6`, `esp32s3`. */
  readonly chip: string;
  /** Pin of the status LED, if the board has one. */
  readonly statusPin: number | undefined;
}

/** First and last of each run of outputs, without those of flash and PSRAM, the serial console, USB, and inputs only. */
const OUTPUTS: Readonly<Record<string, readonly (readonly [number, number])[]>> = Object.freeze({
  esp32: runs([0, 0], [2, 2], [4, 5], [12, 19], [21, 23], [25, 27], [32, 33]),
  esp32c3: runs([0, 10]),
  esp32c6: runs([0, 11], [15, 15], [18, 23]),
  esp32s3: runs([0, 18], [21, 21], [38, 42], [45, 48]),
});

function runs(...pairs: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  for (const pair of pairs) Object.freeze(pair);
  return Object.freeze(pairs);
}

/** Every pin that a strip's data line can be. */
export function stripPins({ chip, statusPin }: LedBoard): readonly number[] {
  const pins: number[] = [];
  for (const [first, last] of OUTPUTS[chip] ?? [])
    for (let pin = first; pin <= last; pin++) if (pin !== statusPin) pins.push(pin);
  return pins;
}

const PLAIN = Object.freeze({ pattern: "solid", colour: "#ffffff", brightness: 25, speed: 10, count: 1 });

/** The section of this board. */
export function ledSection(board: LedBoard): Section {
  const pins = stripPins(board);
  const fields: readonly Field[] = [
    {
      name: "pattern",
      type: "choice",
      label: text.pattern,
      options: PATTERN_NAMES.map((name) => [name, text.patterns[name]]),
    },
    { name: "colour", type: "colour", label: text.colour, hint: text.colourHint },
    { name: "brightness", type: "slider", label: text.brightness, least: 1, most: 100 },
    { name: "speed", type: "number", label: text.speed, least: 1, most: MAX_SPEED },
    { name: "count", type: "number", label: text.count, least: 1, most: MAX_PIXEL_COUNT },
    {
      name: "pin",
      type: "choice",
      label: text.pin,
      hint: text.pinHint,
      options: pins.map((pin) => [pin]),
      isOwners: true,
    },
  ];
  return { name: "led", title: text.title, fields, defaults: { ...PLAIN, pin: pins[0] ?? -1 } };
}

/** How the strip identifies the device: all of it white, on and off twice a second. */
export const identifyLook = (settings: LedSettings): LedSettings => ({
  ...settings,
  pattern: "blink",
  colour: 0xffffff,
  brightness: Math.max(settings.brightness, 50),
  speed: 120,
});

/** The settings of the strip, from the checked values of the section. */
export const readLedSettings = (values: Values): LedSettings => ({
  pattern: values.pattern as PatternName,
  colour: Number.parseInt(`${values.colour}`.slice(1), 16),
  brightness: Number(values.brightness),
  speed: Number(values.speed),
  count: Number(values.count),
  pin: Number(values.pin),
});
