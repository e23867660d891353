// What lies in a slot, read from the headers of the image there: about ten small reads, whatever its size. It does not check the image: the
// boot loader's code does.

import type { Flash } from "embedded:storage/flash";
import { toHex } from "../core/bytes.js";
import { type ImageDescription, newImageReader, readImage } from "../core/update/image.js";

const HASH_BYTES = 32;

export interface ImageInFlash {
  /** Absent: there is no image. */
  readonly description: ImageDescription | undefined;
  /** The appended SHA-256, hex; empty: none. */
  readonly imageSha256: string;
}

/** @throws Error where the flash cannot be read, or the headers lead out of the slot */
export function readImageInFlash(slot: Flash): ImageInFlash {
  let reader = newImageReader;
  while (reader.needLength > 0) {
    const { needLength, needOffset } = reader;
    reader = readImage(reader, needOffset, readAt(slot, needLength, needOffset));
  }
  const { description, lengthBytes } = reader;
  const isHashed = description?.hashAppended && lengthBytes !== undefined;
  const imageSha256 = isHashed ? toHex(readAt(slot, HASH_BYTES, lengthBytes - HASH_BYTES)) : "";
  return { description, imageSha256 };
}

/** Into a buffer of ours: the sweep of power cuts shows a slot's contents in such a read only. */
function readAt(slot: Flash, length: number, offset: number): Uint8Array {
  const bytes = new Uint8Array(length);
  slot.read(bytes, offset);
  return bytes;
}
