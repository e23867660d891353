// What an LED strip shows: each pattern is a function of the time since it began, so that nothing has to be remembered between two
// frames, and a frame that is late or left out does no harm. Whole numbers only: they are cheap on the chip. Never makes a buffer:
// the caller owns one of 3 bytes a pixel, red, green, blue, in the order of the strip.

import type { LedSettings, PatternName } from "./settings.js";

/** A frame that changes smoothly is drawn again after this; longer strips, which take longer to compute, less often. */
const SMOOTH_MS = 40;
/** Nothing is drawn more often than this, whatever the speed. */
const MIN_FRAME_MS = 20;
/** A sixth of the colour wheel, and all of it. */
const HUE_STEP = 256;
const HUE_COUNT = 6 * HUE_STEP;
/** Levels of the running dot and its tail. */
const TAIL: readonly number[] = Object.freeze([255, 120, 60, 25]);

interface Pattern {
  /** Draws the frame; `phaseMs` is the time in this cycle of `periodMs`. */
  readonly draw: (settings: LedSettings, phaseMs: number, periodMs: number, pixels: Uint8Array) => void;
  /** Time until the next frame differs; none: it never does. */
  readonly next: (settings: LedSettings, phaseMs: number, periodMs: number) => number | undefined;
}

const PATTERNS: Readonly<Record<PatternName, Pattern>> = Object.freeze({
  solid: Object.freeze({ draw: drawSolid, next: never }),
  blink: Object.freeze({ draw: drawBlink, next: nextHalf }),
  breathe: Object.freeze({ draw: drawBreath, next: nextSmooth }),
  rainbow: Object.freeze({ draw: drawRainbow, next: nextSmooth }),
  chase: Object.freeze({ draw: drawChase, next: nextPixel }),
});

/** Writes the frame at this time, ms since the pattern began. `pixels` has 3 bytes for each of `settings.count`. */
export function drawFrame(settings: LedSettings, atMs: number, pixels: Uint8Array): void {
  if (pixels.length !== settings.count * 3) {
    throw new RangeError(`${settings.count} pixels need ${settings.count * 3} bytes, not ${pixels.length}`);
  }
  const periodMs = periodOf(settings);
  PATTERNS[settings.pattern].draw(settings, atMs % periodMs, periodMs, pixels);
}

/** How long the frame at this time stays valid, ms; undefined: forever. */
export function frameLasts(settings: LedSettings, atMs: number): number | undefined {
  const periodMs = periodOf(settings);
  const lastsMs = PATTERNS[settings.pattern].next(settings, atMs % periodMs, periodMs);
  return lastsMs === undefined ? undefined : Math.max(MIN_FRAME_MS, lastsMs);
}

/** One cycle, whole milliseconds: 100 at the highest speed, 60 000 at the lowest. */
const periodOf = ({ speed }: LedSettings): number => (60_000 / speed) | 0;

// ── the patterns

function drawSolid(settings: LedSettings, _phaseMs: number, _periodMs: number, pixels: Uint8Array): void {
  fill(pixels, settings, 255);
}

function drawBlink(settings: LedSettings, phaseMs: number, periodMs: number, pixels: Uint8Array): void {
  fill(pixels, settings, phaseMs * 2 < periodMs ? 255 : 0);
}

/** Up in one half of the cycle, down in the other: a triangle, which the eye takes for a breath after correction. */
function drawBreath(settings: LedSettings, phaseMs: number, periodMs: number, pixels: Uint8Array): void {
  const position = ((phaseMs * 510) / periodMs) | 0;
  fill(pixels, settings, position > 255 ? 510 - position : position);
}

/** The wheel lies once along the strip and turns; it has its own colours. */
function drawRainbow(
  { count, brightness }: LedSettings,
  phaseMs: number,
  periodMs: number,
  pixels: Uint8Array,
): void {
  const level = dimmed(255, brightness);
  const turned = ((phaseMs * HUE_COUNT) / periodMs) | 0;
  for (let index = 0; index < count; index++) {
    setPixel(pixels, index, wheel((turned + (((index * HUE_COUNT) / count) | 0)) % HUE_COUNT), level);
  }
}

/** A dot with a tail runs along the strip and starts over; the tail wraps around. */
function drawChase(
  { colour, count, brightness }: LedSettings,
  phaseMs: number,
  periodMs: number,
  pixels: Uint8Array,
): void {
  pixels.fill(0);
  const head = ((phaseMs * count) / periodMs) | 0;
  for (let back = Math.min(TAIL.length, count) - 1; back >= 0; back--) {
    setPixel(pixels, (head - back + count) % count, colour, dimmed(TAIL[back] ?? 0, brightness));
  }
}

// ── when the next frame is due

function never(): undefined {
  return undefined;
}

function nextHalf(_settings: LedSettings, phaseMs: number, periodMs: number): number {
  const half = Math.ceil(periodMs / 2);
  return (phaseMs < half ? half : periodMs) - phaseMs;
}

function nextSmooth({ count }: LedSettings): number {
  return SMOOTH_MS + (count >> 2);
}

function nextPixel({ count }: LedSettings, phaseMs: number, periodMs: number): number {
  const head = ((phaseMs * count) / periodMs) | 0;
  return Math.ceil(((head + 1) * periodMs) / count) - phaseMs;
}

// ── colours

/** Full colour at a place on the wheel: red, yellow, green, cyan, blue, magenta, red. */
function wheel(hue: number): number {
  const rise = hue & 0xff;
  const fall = 255 - rise;
  switch (hue >> 8) {
    case 0:
      return 0xff0000 | (rise << 8);
    case 1:
      return (fall << 16) | 0x00ff00;
    case 2:
      return 0x00ff00 | rise;
    case 3:
      return (fall << 8) | 0x0000ff;
    case 4:
      return (rise << 16) | 0x0000ff;
    default:
      return 0xff0000 | fall;
  }
}

function fill(pixels: Uint8Array, { colour, brightness }: LedSettings, fullLevel: number): void {
  const level = dimmed(fullLevel, brightness);
  const red = light(colour >> 16, level);
  const green = light((colour >> 8) & 0xff, level);
  const blue = light(colour & 0xff, level);
  for (let offset = 0; offset < pixels.length; offset += 3) {
    pixels[offset] = red;
    pixels[offset + 1] = green;
    pixels[offset + 2] = blue;
  }
}

/** What is left of a level, rounded up, so that nothing goes out. */
const dimmed = (level: number, brightness: number): number => ((level * brightness + 99) / 100) | 0;

function setPixel(pixels: Uint8Array, index: number, colour: number, level: number): void {
  const offset = index * 3;
  pixels[offset] = light(colour >> 16, level);
  pixels[offset + 1] = light((colour >> 8) & 0xff, level);
  pixels[offset + 2] = light(colour & 0xff, level);
}

/**
 * A channel as the strip needs it: its light is proportional to the number, the eye's answer is not. Gamma 2 instead of 2.2, because
 * it is one multiplication; 0 stays 0, 255 stays 255, and nothing else goes out.
 */
function light(channel: number, level: number): number {
  const value = ((channel * level + 254) / 255) | 0;
  return (value * value + 255) >> 8;
}
