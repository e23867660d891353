// Reads a firmware file once, piece by piece: what it says of itself if it is an app image of an ESP32.

import { createHash } from "node:crypto";
import {
  IMAGE_MAGIC,
  type ImageDescription,
  newImageReader,
  readImage,
} from "../../firmware/core/update/image.js";

const HASH_BYTES = 32;

export type AppImage =
  /** `imageSha256` is empty if the image has no appended hash. */
  | { readonly kind: "app"; readonly description: ImageDescription; readonly imageSha256: string }
  /** An image of an ESP32 that is cut off or damaged. */
  | { readonly kind: "damaged"; readonly problem: string }
  /** Another kind of file: of an ESP8266, of a Linux device, an archive. */
  | { readonly kind: "other" };

/** What a whole file is. Holds one chunk at a time. */
export async function readAppImage(source: AsyncIterable<Uint8Array>): Promise<AppImage> {
  let reader = newImageReader;
  let offset = 0;
  let first: number | undefined;
  const body = createHash("sha256");
  let tail = Buffer.alloc(0);
  for await (const chunk of source) {
    first ??= chunk[0];
    reader = readImage(reader, offset, chunk);
    offset += chunk.length;
    // The last 32 bytes seen so far may be the appended hash, which does not cover itself.
    const held = Buffer.concat([tail, chunk]);
    const covered = Math.max(0, held.length - HASH_BYTES);
    body.update(held.subarray(0, covered));
    tail = held.subarray(covered);
  }
  const { description, lengthBytes, error } = reader;
  if (first !== IMAGE_MAGIC || !description) return { kind: "other" };
  if (error !== undefined) return { kind: "damaged", problem: error };
  if (lengthBytes === undefined) {
    return { kind: "damaged", problem: `file ends after ${offset} bytes, inside the image's headers` };
  }
  if (lengthBytes !== offset) {
    return { kind: "damaged", problem: `image says it is ${lengthBytes} bytes, file is ${offset}` };
  }
  if (!description.hashAppended) return { kind: "app", description, imageSha256: "" };
  if (!body.digest().equals(tail)) {
    return { kind: "damaged", problem: "SHA-256 appended to the image does not fit its bytes" };
  }
  return { kind: "app", description, imageSha256: tail.toString("hex") };
}
