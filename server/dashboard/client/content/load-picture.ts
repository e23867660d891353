// Reads a picture that a person chose: whatever this browser can show, or a binary PBM.

import { fromPbm, toPixels } from "./dots.js";

const MAX_FILE_BYTES = 64 * 1024 * 1024;
const MAX_PIXELS = 100_000_000;

/** As it is to be seen: cameras' turns are undone. @throws Error with a sentence */
export async function loadPicture(file: File): Promise<ImageBitmap> {
  if (file.size > MAX_FILE_BYTES)
    throw new Error(`${file.name} has ${Math.ceil(file.size / 1024 / 1024)} MiB, at most 64 are read.`);
  const bitmap = await decode(file);
  if (bitmap.width * bitmap.height > MAX_PIXELS)
    throw new Error(`${file.name} is ${bitmap.width} × ${bitmap.height}: more than 100 million pixels.`);
  return bitmap;
}

async function decode(file: File): Promise<ImageBitmap> {
  const dots = /\.pbm$/i.test(file.name) ? fromPbm(new Uint8Array(await file.arrayBuffer())) : undefined;
  if (dots) return createImageBitmap(new ImageData(toPixels(dots), dots.width, dots.height));
  try {
    return await createImageBitmap(file);
  } catch {
    throw new Error(`${file.name} is no picture that this browser can read. PNG, JPEG and WebP are safe.`);
  }
}

/** `holiday photo`, of `holiday_photo.final.jpg`. */
export const nameOf = (fileName: string): string =>
  fileName
    .replace(/\.[^.]*$/, "")
    .replace(/[_\s]+/g, " ")
    .trim()
    .slice(0, 80);
