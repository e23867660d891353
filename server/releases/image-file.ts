// Reads a firmware file once, piece by piece: what it says of itself if it is an app image of an ESP32.

import { IMAGE_MAGIC, type ImageDescription } from "../../firmware/core/update/image.js";
import { ImageFileReader } from "../../release/image-reader.js";

export type AppImage =
  /** `imageSha256` is empty if the image has no appended hash. */
  | { readonly kind: "app"; readonly description: ImageDescription; readonly imageSha256: string }
  /** An image of an ESP32 that is cut off or damaged. */
  | { readonly kind: "damaged"; readonly problem: string }
  /** Another kind of file: of an ESP8266, of a Linux device, an archive. */
  | { readonly kind: "other" };

/** What a whole file is. Holds one chunk at a time. */
export async function readAppImage(source: AsyncIterable<Uint8Array>): Promise<AppImage> {
  const image = new ImageFileReader();
  let first: number | undefined;
  for await (const chunk of source) {
    first ??= chunk[0];
    image.take(chunk);
  }
  if (first !== IMAGE_MAGIC || !image.description) return { kind: "other" };
  const read = image.end();
  return typeof read === "string" ? { kind: "damaged", problem: read } : { kind: "app", ...read };
}
