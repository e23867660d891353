// What the owner of an LED strip can choose, its limits, and its form in NVS: one JSON text under one key (see preferences.ts for
// why). Reads anything, trusts nothing: a pin that the chip has put to other use would restart the device at every start.

import { fail, type Result, succeed } from "./errors.js";

export const LED_KEY = "led";
/** What the strip's driver keeps in memory grows with it: 8 bytes a pixel. */
export const MAX_PIXEL_COUNT = 300;
/** Cycles of a pattern in a minute. */
export const MAX_SPEED = 600;
/** A settings text longer than this is none of ours. */
const MAX_TEXT_LENGTH = 400;

export const PATTERN_NAMES = Object.freeze(["solid", "blink", "breathe", "rainbow", "chase"] as const);
export type PatternName = (typeof PATTERN_NAMES)[number];

export interface LedSettings {
  readonly pattern: PatternName;
  /** GPIO number of the strip's data line. */
  readonly pin: number;
  /** Pixels on the strip, 1 to 300. */
  readonly count: number;
  /** Cycles a minute, 1 to 600; `solid` has none. */
  readonly speed: number;
  /** `0xrrggbb`. Of a rainbow only its brightest channel counts: as brightness. */
  readonly colour: number;
}

export type LedErrorCode =
  | "LED_MALFORMED"
  | "LED_PATTERN_UNKNOWN"
  | "LED_PIN_UNUSABLE"
  | "LED_OUT_OF_RANGE"
  | "LED_COLOUR_MALFORMED";

/** The pins of this board that a strip can be connected to. */
export interface LedBoard {
  /** As the image names it: `esp32`, `esp32c3`, `esp32s3`. */
  readonly chip: string;
  /** Pin of the status LED, if the board has one. */
  readonly statusPin: number | undefined;
}

/** First and last of each run of outputs, without those of flash and PSRAM, the serial console, USB, and inputs only. */
const OUTPUTS: Readonly<Record<string, readonly (readonly [number, number])[]>> = Object.freeze({
  esp32: runs([0, 0], [2, 2], [4, 5], [12, 19], [21, 23], [25, 27], [32, 33]),
  esp32c3: runs([0, 10]),
  esp32s3: runs([0, 18], [21, 21], [38, 42], [45, 48]),
});

function runs(...pairs: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  for (const pair of pairs) Object.freeze(pair);
  return Object.freeze(pairs);
}

/** Whether a strip's data line can be this pin. */
export const isStripPin = (pin: number, { chip, statusPin }: LedBoard): boolean =>
  pin !== statusPin && (OUTPUTS[chip] ?? []).some(([first, last]) => pin >= first && pin <= last);

/** Settings as text: what is stored, and what the page gets. */
export const writeLedSettings = ({ pattern, pin, count, speed, colour }: LedSettings): string =>
  JSON.stringify({ pattern, pin, count, speed, colour: writeColour(colour) });

/** The stored text, or what a page has sent. Fields that are absent are taken from `base`, such as the build's own settings. */
export function parseLedSettings(
  text: string,
  board: LedBoard,
  base: Partial<LedSettings> = {},
): Result<LedSettings, LedErrorCode> {
  if (text.length > MAX_TEXT_LENGTH) {
    return fail(
      "LED_MALFORMED",
      `The settings are ${text.length} characters long; ${MAX_TEXT_LENGTH} are allowed.`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fail("LED_MALFORMED", "The settings are not valid JSON.");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return fail("LED_MALFORMED", "The settings are not a JSON object.");
  }
  return readLedSettings({ ...fieldsOf(base), ...value }, board);
}

/** The same of a value that is no text any more: the fields of a build's configuration. */
export function readLedSettings(
  fields: Readonly<Record<string, unknown>>,
  board: LedBoard,
): Result<LedSettings, LedErrorCode> {
  const { pattern, pin, count, speed } = fields;
  if (!isPattern(pattern)) {
    return fail("LED_PATTERN_UNKNOWN", `The pattern is none of ${PATTERN_NAMES.join(", ")}.`);
  }
  if (!isWhole(pin, 0, 48) || !isStripPin(pin, board)) return fail("LED_PIN_UNUSABLE", whyNot(pin, board));
  if (!isWhole(count, 1, MAX_PIXEL_COUNT)) return outOfRange("count", count, MAX_PIXEL_COUNT);
  if (!isWhole(speed, 1, MAX_SPEED)) return outOfRange("speed", speed, MAX_SPEED);
  const colour = readColour(fields.colour);
  if (colour === undefined) {
    return fail("LED_COLOUR_MALFORMED", "The colour has to be written as #rrggbb, such as #ff8800.");
  }
  return succeed({ pattern, pin, count, speed, colour });
}

const fieldsOf = (base: Partial<LedSettings>): Readonly<Record<string, unknown>> => ({
  ...base,
  ...(base.colour === undefined ? {} : { colour: writeColour(base.colour) }),
});

const isPattern = (value: unknown): value is PatternName => PATTERN_NAMES.some((name) => name === value);

const isWhole = (value: unknown, least: number, most: number): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;

function whyNot(pin: unknown, { chip, statusPin }: LedBoard): string {
  if (pin === statusPin && statusPin !== undefined) return `Pin ${statusPin} is the status LED's.`;
  const usable = (OUTPUTS[chip] ?? []).map(([first, last]) => (first === last ? first : `${first}–${last}`));
  if (usable.length === 0) return `No pins of the chip "${chip}" are known to be usable.`;
  return `Pin ${short(pin)} cannot drive a strip on the ${chip}; usable are ${usable.join(", ")}.`;
}

const outOfRange = (name: string, value: unknown, most: number) =>
  fail("LED_OUT_OF_RANGE", `The ${name} is ${short(value)}; a whole number from 1 to ${most} is needed.`);

/** A value inside a message: what somebody sent must not fill the log. */
const short = (value: unknown): string => `${JSON.stringify(value) ?? "missing"}`.slice(0, 24);

/** `0xrrggbb`, or nothing if it is not `#rrggbb`. */
function readColour(value: unknown): number | undefined {
  return typeof value === "string" && /^#[0-9a-fA-F]{6}$/.test(value)
    ? Number.parseInt(value.slice(1), 16)
    : undefined;
}

const writeColour = (colour: number): string => `#${colour.toString(16).padStart(6, "0")}`;
