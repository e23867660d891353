// `commodetto/Bitmap`: a size, a format and a buffer that is not copied. Draws nothing.

import type { Machine } from "../machine/machine.js";
import { createHandles } from "./handle.js";
import type { Native } from "./native.js";

/** Those of commodettoBitmap.js that our firmware uses. */
export const BITMAP_FORMAT = Object.freeze({ default: 1, monochrome: 3, gray256: 5 });

/** Bits a pixel, by format. */
const DEPTH: Readonly<Record<number, number>> = Object.freeze({
  3: 1,
  4: 4,
  5: 8,
  6: 8,
  7: 16,
  8: 16,
  9: 24,
  10: 32,
});

export interface BitmapState {
  readonly width: number;
  readonly height: number;
  readonly format: number;
  readonly buffer: unknown;
  readonly offset: number;
}

export interface BitmapModule {
  readonly Bitmap: object;
  /** @throws SyntaxError of the realm for what is no bitmap */
  stateOf(bitmap: unknown): BitmapState;
}

export function createBitmap(machine: Machine, native: Native): BitmapModule {
  const bitmaps = createHandles<BitmapState>(machine);

  class Bitmap {
    static get Monochrome(): number {
      return BITMAP_FORMAT.monochrome;
    }
    static get Gray256(): number {
      return BITMAP_FORMAT.gray256;
    }

    static depth(...parameters: [unknown?]): number {
      native.needArguments(parameters, 1);
      const depth = DEPTH[native.integer(parameters[0])];
      if (depth === undefined) throw native.error("unrecognized bitmap format");
      return depth;
    }

    constructor(...parameters: [unknown?, unknown?, unknown?, unknown?, unknown?]) {
      native.needArguments(parameters, 5);
      const [width, height, wanted, , offset] = parameters.map((value) => native.integer(value)) as number[];
      if (wanted === 0) throw native.error("invalid format");
      const format = wanted === BITMAP_FORMAT.default ? BITMAP_FORMAT.gray256 : wanted!;
      const bytes = native.bytesOf(parameters[3]);
      const neededBytes = (((DEPTH[format] ?? 0) * width! + 7) >> 3) * height!;
      if (offset! < 0 || offset! + neededBytes > bytes.length) throw native.rangeError("invalid");
      const state = { width: width!, height: height!, format, buffer: parameters[3], offset: offset! };
      bitmaps.open(this, state);
    }

    get width(): number {
      return bitmaps.stateOf(this).width;
    }
    get height(): number {
      return bitmaps.stateOf(this).height;
    }
    get pixelFormat(): number {
      return bitmaps.stateOf(this).format;
    }
    get offset(): number {
      return bitmaps.stateOf(this).offset;
    }
  }
  return { Bitmap, stateOf: (bitmap) => bitmaps.stateOf(bitmap) };
}
