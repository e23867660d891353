// Reads a picture file: anything that this browser can display, or a binary PBM.

import { fromPbm, toPixels } from "./dots.js";

const MAX_FILE_BYTES = 64 * 1024 * 1024;
const MAX_PIXELS = 100_000_000;

/** Upright: the orientation of cameras is applied. @throws Error with a sentence */
export async function loadPicture(file: File): Promise<ImageBitmap> {
  if (file.size > MAX_FILE_BYTES)
    throw new Error(`${file.name} has ${Math.ceil(file.size / 1024 / 1024)} MiB, the limit is 64 MiB.`);
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
    throw new Error(
      `${file.name} cannot be read by this browser as a picture. PNG, JPEG and WebP always work.`,
    );
  }
}

/** `holiday photo`, of `holiday_photo.final.jpg`. */
export const nameOf = (fileName: string): string =>
  fileName
    .replace(/\.[^.]*$/, "")
    .replace(/[_\s]+/g, " ")
    .trim()
    .slice(0, 80);
