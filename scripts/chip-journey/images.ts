// Images for a journey: the given ones, and copies of them with another version or more bytes, so that one build is
// enough for all steps that need nothing but a newer image. What a copy runs is the same code.
//
// The version is in the application description at the start of the first segment; a segment at load address 0 is padding, which
// the boot loader skips (bootloader_support/src/esp_image_format.c, should_load). Checksum and SHA-256 are recomputed.

import { createHash, randomBytes } from "node:crypto";
import { compareVersions, parseVersion } from "../../firmware/core/update/version.js";
import {
  CHECKSUM_SEED,
  IMAGE_HEADER_BYTES,
  SEGMENT_COUNT_MAX,
  SEGMENT_HEADER_BYTES,
  xorOf,
} from "../../host-sim/hardware/image/image-verifier.js";
import { describeImage, HASH_BYTES } from "../../release/payload.js";

const VERSION_OFFSET = 32 + 16;
const VERSION_BYTES = 32;
const PADDING_ADDRESS = 0;

/** The version in an image's description, such as `1.1.0+7`. @throws Refusal IMAGE_MALFORMED */
export const versionOf = (image: Uint8Array): string => describeImage(image).version;

/**
 * The image if it is newer than `version`, and otherwise a copy whose version is the next patch after it.
 * @throws Refusal, RangeError
 */
export function newerThan(version: string, image: Uint8Array): Uint8Array {
  const [before, own] = [parseVersion(version), parseVersion(versionOf(image))];
  if (!before || !own) throw new RangeError(`"${version}" or "${versionOf(image)}" is not a version`);
  if (compareVersions(own, before) > 0) return image;
  return relabelled(image, `${before.major}.${before.minor}.${Number(before.patch) + 1}`);
}

/** A copy with another version. @throws Refusal IMAGE_MALFORMED */
export function relabelled(image: Uint8Array, version: string): Uint8Array {
  const copy = Buffer.from(withoutSeal(image));
  copy.fill(0, VERSION_OFFSET, VERSION_OFFSET + VERSION_BYTES);
  copy.write(version, VERSION_OFFSET, VERSION_BYTES - 1, "latin1");
  return sealed(copy);
}

/**
 * A copy of exactly that size, in which no two chunks are equal.
 * @param sizeBytes a multiple of 16, larger than the image
 * @throws RangeError when there is no room for one more segment; Refusal IMAGE_MALFORMED
 */
export function padded(image: Uint8Array, sizeBytes: number): Uint8Array {
  const body = withoutSeal(image);
  const segmentCount = body[1] ?? 0;
  // behind it: at least one byte for the checksum, up to the next multiple of 16, and the hash
  const dataBytes = sizeBytes - HASH_BYTES - 16 - body.length - SEGMENT_HEADER_BYTES;
  const wholeWords = dataBytes - (dataBytes % 4);
  if (segmentCount >= SEGMENT_COUNT_MAX)
    throw new RangeError(`the image has ${segmentCount} segments already`);
  if (wholeWords <= 0)
    throw new RangeError(`the image is ${image.length} bytes and cannot be padded to ${sizeBytes}`);
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  header.writeUInt32LE(PADDING_ADDRESS, 0);
  header.writeUInt32LE(wholeWords, 4);
  const copy = Buffer.concat([body, header, randomBytes(wholeWords)]);
  copy[1] = segmentCount + 1;
  return sealed(copy);
}

/** As `padded`, or larger by the least that there has to be where the image is as large already. */
export const paddedToAtLeast = (image: Uint8Array, sizeBytes: number): Uint8Array =>
  padded(image, Math.max(sizeBytes, image.length - (image.length % 16) + LEAST_PADDING_BYTES));

/** A multiple of 16, with room for a segment. */
const LEAST_PADDING_BYTES = 64;

/** Header and segments. */
function withoutSeal(image: Uint8Array): Uint8Array {
  describeImage(image);
  return image.subarray(0, segmentsOf(image).at(-1)?.end ?? 0);
}

/** Adds checksum and SHA-256. */
function sealed(body: Uint8Array): Uint8Array {
  const padding = Buffer.alloc(16 - (body.length % 16));
  padding[padding.length - 1] = segmentsOf(body).reduce(
    (sum, { start, end }) => sum ^ xorOf(body.subarray(start, end)),
    CHECKSUM_SEED,
  );
  const hashed = Buffer.concat([body, padding]);
  return Buffer.concat([hashed, createHash("sha256").update(hashed).digest()]);
}

/** Where the data of each segment is. */
function segmentsOf(image: Uint8Array): { readonly start: number; readonly end: number }[] {
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  const segments: { start: number; end: number }[] = [];
  let end = IMAGE_HEADER_BYTES;
  for (let index = 0; index < (image[1] ?? 0); index++) {
    const start = end + SEGMENT_HEADER_BYTES;
    end = start + view.getUint32(end + 4, true);
    segments.push({ start, end });
  }
  return segments;
}
