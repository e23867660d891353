// Reads a whole image file piece by piece: what the image says of itself, whether its appended SHA-256 fits, and what follows it. Never holds
// more than a piece and the two sectors behind an image.

import { createHash } from "node:crypto";
import { type ImageDescription, newImageReader, readImage } from "../firmware/core/update/image.js";
import { MAX_TRAILER_BYTES, trailerProblem } from "./signature-sector.js";

const HASH_BYTES = 32;

export interface WholeImage {
  readonly description: ImageDescription;
  /** The appended hash, hex; empty: it has none. */
  readonly imageSha256: string;
}

export class ImageFileReader {
  #reader = newImageReader;
  #offset = 0;
  readonly #body = createHash("sha256");
  #tail = Buffer.alloc(0);
  #trailer = Buffer.alloc(0);

  get description(): ImageDescription | undefined {
    return this.#reader.description;
  }

  take(bytes: Uint8Array): void {
    this.#reader = readImage(this.#reader, this.#offset, bytes);
    const { lengthBytes } = this.#reader;
    // As long as the length is not known, another segment follows: these bytes are not the hash.
    const end = lengthBytes ?? Infinity;
    const part = (from: number, to: number) =>
      bytes.subarray(Math.max(0, from - this.#offset), Math.max(0, to - this.#offset));
    this.#body.update(part(0, end - HASH_BYTES));
    if (lengthBytes !== undefined) {
      this.#tail = Buffer.concat([this.#tail, part(end - HASH_BYTES, end)]);
      const room = MAX_TRAILER_BYTES + 1 - this.#trailer.length;
      this.#trailer = Buffer.concat([this.#trailer, part(end, Infinity).subarray(0, room)]);
    }
    this.#offset += bytes.length;
  }

  /** What has been read, or a sentence that says why it is not a whole image. */
  end(): WholeImage | string {
    const { description, lengthBytes, error } = this.#reader;
    if (error !== undefined) return error;
    if (!description || lengthBytes === undefined)
      return `file ends after ${this.#offset} bytes, inside the image's headers`;
    if (this.#offset < lengthBytes || this.#offset - lengthBytes > MAX_TRAILER_BYTES)
      return `image states ${lengthBytes} bytes, file is ${this.#offset}`;
    const problem = trailerProblem(lengthBytes, this.#trailer);
    if (problem !== undefined) return problem;
    if (!description.hashAppended) return { description, imageSha256: "" };
    if (!this.#body.digest().equals(this.#tail))
      return "SHA-256 appended to the image does not match its bytes";
    return { description, imageSha256: this.#tail.toString("hex") };
  }
}
