// Black and white dots, one per byte, 1 is black: to and from PBM, and as pixels of a canvas. Pure.

import {
  pbmHeader,
  pbmRowBytes,
  pbmRowsBytes,
  readPbmHeader,
} from "../../../../firmware/apps/cms/core/pbm.js";

export interface Dots {
  readonly width: number;
  readonly height: number;
  /** Row by row. */
  readonly dots: Uint8Array;
}

export function toPbm({ width, height, dots }: Dots): Uint8Array<ArrayBuffer> {
  const header = new TextEncoder().encode(pbmHeader(width, height));
  const pbm = new Uint8Array(header.length + pbmRowsBytes(width, height));
  pbm.set(header);
  for (let y = 0, at = header.length; y < height; y++, at += pbmRowBytes(width)) {
    for (let x = 0; x < width; x++) {
      if (dots[y * width + x]) pbm[at + (x >> 3)]! |= 0x80 >> (x & 7);
    }
  }
  return pbm;
}

/** `undefined`: not a complete binary PBM. */
export function fromPbm(pbm: Uint8Array): Dots | undefined {
  const header = readPbmHeader(pbm);
  if (!header) return undefined;
  const { width, height, offset } = header;
  if (pbm.length - offset !== pbmRowsBytes(width, height)) return undefined;
  const dots = new Uint8Array(width * height);
  for (let y = 0, at = offset; y < height; y++, at += pbmRowBytes(width)) {
    for (let x = 0; x < width; x++) dots[y * width + x] = (pbm[at + (x >> 3)]! >> (7 - (x & 7))) & 1;
  }
  return { width, height, dots };
}

/** Opaque RGBA. */
export function toPixels({ dots }: Dots): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(dots.length * 4).fill(255);
  for (const [at, dot] of dots.entries()) if (dot) pixels.fill(0, at * 4, at * 4 + 3);
  return pixels;
}
