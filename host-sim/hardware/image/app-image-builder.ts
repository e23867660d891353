// Builds an ESP32 app image out of segments, as esptool's elf2image lays it out. It places nothing: addresses come from
// the caller, and an image that the boot loader would refuse is an error here already.

import { createHash } from "node:crypto";
import { CHIPS, type Chip } from "../chips.js";
import { encodeAppDescription } from "./app-description.js";
import {
  CHECKSUM_SEED,
  IMAGE_HEADER_BYTES,
  IMAGE_MAGIC,
  SEGMENT_COUNT_MAX,
  SEGMENT_HEADER_BYTES,
  verifyImageFile,
  xorOf,
} from "./image-verifier.js";

export interface ImageSegment {
  readonly loadAddress: number;
  readonly data: Uint8Array;
}

export interface AppImageOptions {
  readonly chip: Chip;
  /** At most 31 bytes each, like the other texts (date and time: 15). */
  readonly version: string;
  readonly project: string;
  readonly date?: string;
  readonly time?: string;
  readonly idfVersion?: string;
  readonly secureVersion?: number;
  /** Hash that names the build; that of the segments unless given. */
  readonly elfSha256?: Uint8Array;
  /** Address where the chip starts to run; the second segment's start unless given. */
  readonly entry?: number;
  /** The description is put in front of the first segment's data. Data is padded with zeros to whole words. */
  readonly segments: readonly ImageSegment[];
}

/** DIO, 8 MB: what esptool writes by default for an 8 MB module. */
const FLASH_MODE_DIO = 2;
const FLASH_8_MB = 0x30;
const WP_PIN_UNUSED = 0xee;

/** Builds the image. @throws RangeError with the reason when the boot loader would refuse it. */
export function buildAppImage(options: AppImageOptions): Uint8Array {
  const segments = withDescription(options);
  if (segments.length === 0 || segments.length > SEGMENT_COUNT_MAX) {
    throw new RangeError(`an image has 1 to ${SEGMENT_COUNT_MAX} segments, not ${segments.length}`);
  }
  const header = encodeHeader(options, segments);
  const body = segments.flatMap((segment) => [encodeSegmentHeader(segment), segment.data]);
  const length = IMAGE_HEADER_BYTES + body.reduce((sum, part) => sum + part.length, 0);
  const padding = new Uint8Array(16 - (length % 16));
  padding[padding.length - 1] = segments.reduce((sum, segment) => sum ^ xorOf(segment.data), CHECKSUM_SEED);
  const hashed = Buffer.concat([header, ...body, padding]);
  const image = new Uint8Array(Buffer.concat([hashed, createHash("sha256").update(hashed).digest()]));
  const verdict = verifyImageFile(image, options.chip);
  if (!verdict.ok) throw new RangeError(`the image would not boot on ${options.chip}: ${verdict.message}`);
  return image;
}

function withDescription(options: AppImageOptions): ImageSegment[] {
  const padded = options.segments.map((segment) => ({ ...segment, data: padToWords(segment.data) }));
  const [first, ...rest] = padded;
  if (first === undefined) return [];
  const description = encodeAppDescription({
    secureVersion: options.secureVersion ?? 0,
    version: options.version,
    project: options.project,
    time: options.time ?? "",
    date: options.date ?? "",
    idfVersion: options.idfVersion ?? "v6.0",
    elfSha256: options.elfSha256 ?? hashOf(padded),
    maxBlockRevision: 99,
  });
  return [{ loadAddress: first.loadAddress, data: Buffer.concat([description, first.data]) }, ...rest];
}

function encodeHeader(options: AppImageOptions, segments: readonly ImageSegment[]): Uint8Array {
  const bytes = new Uint8Array(IMAGE_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  const chip = CHIPS[options.chip];
  view.setUint8(0, IMAGE_MAGIC);
  view.setUint8(1, segments.length);
  view.setUint8(2, FLASH_MODE_DIO);
  view.setUint8(3, FLASH_8_MB | chip.flashFrequency);
  view.setUint32(4, options.entry ?? (segments[1] ?? segments[0])!.loadAddress, true);
  view.setUint8(8, WP_PIN_UNUSED);
  view.setUint16(12, chip.chipId, true);
  view.setUint16(17, chip.maxRevision, true);
  view.setUint8(23, 1);
  return bytes;
}

function encodeSegmentHeader(segment: ImageSegment): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, segment.loadAddress, true);
  view.setUint32(4, segment.data.length, true);
  return bytes;
}

function padToWords(data: Uint8Array): Uint8Array {
  if (data.length % 4 === 0) return data;
  const padded = new Uint8Array(Math.ceil(data.length / 4) * 4);
  padded.set(data);
  return padded;
}

function hashOf(segments: readonly ImageSegment[]): Uint8Array {
  const hash = createHash("sha256");
  for (const segment of segments) hash.update(encodeSegmentHeader(segment)).update(segment.data);
  return new Uint8Array(hash.digest());
}
