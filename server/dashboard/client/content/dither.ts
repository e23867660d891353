// Dithers grey pictures to black and white dots. Pure, on typed arrays. Greys are 0 (black) to 255 (white) in sRGB; dots mix on the panel
// as light does, so all methods but the threshold work in linear light: grey 128 has a fifth of white dots.

export type DitherMethod = "threshold" | "floyd-steinberg" | "atkinson" | "ordered";

/** Middle grey. */
const MIDDLE = 128;

/** Linear light, 0 to 1, of each grey. */
const LIGHT = Float32Array.from({ length: 256 }, (_, grey) => lightOf(grey));

function lightOf(grey: number): number {
  const value = grey / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function greyOf(light: number): number {
  const value = light <= 0.0031308 ? light * 12.92 : 1.055 * light ** (1 / 2.4) - 0.055;
  return Math.round(value * 255);
}

/** Luminance of each pixel. Transparent pixels are white, as the panel is. */
export function toGreys(rgba: Uint8ClampedArray): Uint8Array {
  const greys = new Uint8Array(rgba.length / 4);
  for (let i = 0, at = 0; i < greys.length; i++, at += 4) {
    const alpha = rgba[at + 3]! / 255;
    const over = (value: number) => LIGHT[Math.round(value * alpha + 255 * (1 - alpha))]!;
    greys[i] = greyOf(0.2126 * over(rgba[at]!) + 0.7152 * over(rgba[at + 1]!) + 0.0722 * over(rgba[at + 2]!));
  }
  return greys;
}

/** Both -100 to 100; 0: unchanged. Contrast scales around the middle, brightness shifts. */
export function adjust(greys: Uint8Array, brightness: number, contrast: number): Uint8Array {
  const slope = Math.tan(((Math.max(-100, Math.min(99, contrast)) + 100) * Math.PI) / 400);
  const table = Uint8ClampedArray.from(
    { length: 256 },
    (_, grey) => (grey - MIDDLE) * slope + MIDDLE + brightness * 1.28,
  );
  return greys.map((grey) => table[grey]!);
}

/** A dot for each grey, row by row: 1 is black, as in a PBM. */
export function dither(greys: Uint8Array, width: number, method: DitherMethod): Uint8Array {
  switch (method) {
    case "threshold":
      return greys.map((grey) => Number(grey < MIDDLE));
    case "ordered":
      return order(greys, width);
    default:
      return diffuse(greys, width, KERNELS[method]);
  }
}

/** How the error of a dot is distributed, relative to the direction of the row. */
interface Kernel {
  readonly shares: readonly (readonly [dx: number, dy: number, weight: number])[];
  /** Share of the error that is passed on. */
  readonly passed: number;
}

const KERNELS: Readonly<Record<"floyd-steinberg" | "atkinson", Kernel>> = Object.freeze({
  "floyd-steinberg": {
    shares: [
      [1, 0, 7],
      [-1, 1, 3],
      [0, 1, 5],
      [1, 1, 1],
    ],
    passed: 1,
  },
  // A quarter of the error is dropped: shadows become blacker and highlights whiter.
  atkinson: {
    shares: [
      [1, 0, 1],
      [2, 0, 1],
      [-1, 1, 1],
      [0, 1, 1],
      [1, 1, 1],
      [0, 2, 1],
    ],
    passed: 6 / 8,
  },
});

/**
 * Rows alternate direction, or dots would form slanted lines. At the left and right edges the existing neighbours share the whole error; the
 * error of the last row is dropped, or dots would accumulate there.
 */
function diffuse(greys: Uint8Array, width: number, { shares, passed }: Kernel): Uint8Array {
  const height = greys.length / width;
  const light = Float64Array.from(greys, (grey) => LIGHT[grey]!);
  const dots = new Uint8Array(greys.length);
  for (let y = 0; y < height; y++) {
    const step = y % 2 === 0 ? 1 : -1;
    for (let x = step > 0 ? 0 : width - 1; x >= 0 && x < width; x += step) {
      const at = y * width + x;
      const isWhite = light[at]! >= 0.5;
      dots[at] = Number(!isWhite);
      const error = (light[at]! - Number(isWhite)) * passed;
      const isBeside = (dx: number) => x + dx * step >= 0 && x + dx * step < width;
      let total = 0;
      for (const [dx, , weight] of shares) if (isBeside(dx)) total += weight;
      for (const [dx, dy, weight] of shares) {
        if (isBeside(dx) && y + dy < height) light[at + dx * step + dy * width]! += (error * weight) / total;
      }
    }
  }
  return dots;
}

/** Bayer's 8 × 8 matrix: each number from 0 to 63 once. */
const BAYER = Uint8Array.from({ length: 64 }, (_, at) => bayer(at % 8, at >> 3));

function bayer(x: number, y: number): number {
  let value = 0;
  for (let bit = 0; bit < 3; bit++) {
    const [right, below] = [(x >> bit) & 1, (y >> bit) & 1];
    value |= (((right ^ below) << 1) | below) << (2 * (2 - bit));
  }
  return value;
}

function order(greys: Uint8Array, width: number): Uint8Array {
  return greys.map((grey, at) => {
    const x = at % width;
    const y = (at - x) / width;
    return Number(LIGHT[grey]! < (BAYER[(y & 7) * 8 + (x & 7)]! + 0.5) / 64);
  });
}
