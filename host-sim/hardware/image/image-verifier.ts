// Checks an ESP32 app image exactly as ESP-IDF v6.0 does, with its error names. It never touches flash itself: what it checks
// comes in through a `read` function. Signatures (Secure Boot) are not part of it.
//
//   0        24         32                              (16n − 1)
//   ┌────────┬──────────┬───────────────────┬─────┬──────┬──────────┬─────────────────┐
//   │ header │ segment  │ data of segment 0 │ …   │ 0 …  │ checksum │ SHA-256 of all  │
//   │ E9     │ address, │ (begins with the  │     │ pad  │ byte     │ before, if the  │
//   │        │ length   │ app description)  │     │      │          │ header says so  │
//   └────────┴──────────┴───────────────────┴─────┴──────┴──────────┴─────────────────┘

import { createHash } from "node:crypto";
import { CHIPS, type Chip, type ChipDescription } from "../chips.js";
import type { Efuse } from "../efuse.js";
import { ChipAborted } from "../esp-error.js";
import type { Flash } from "../flash/flash.js";
import type { Partition } from "../partitions/partition.js";
import {
  APP_DESCRIPTION_BYTES,
  APP_DESCRIPTION_MAGIC,
  type AppDescription,
  decodeAppDescription,
} from "./app-description.js";
import { isLoadable, isMapped } from "./load-address.js";

export const IMAGE_MAGIC = 0xe9;
export const IMAGE_HEADER_BYTES = 24;
export const SEGMENT_HEADER_BYTES = 8;
export const SEGMENT_COUNT_MAX = 16;
export const CHECKSUM_SEED = 0xef;
const IMAGE_HASH_BYTES = 32;

/** Flash is mapped in pages of 64 KiB: a mapped segment's file offset and address must agree below that. */
const MAP_PAGE_BYTES = 0x10000;
/** Segments below this address are padding: neither loaded nor mapped. */
const LOAD_ADDRESS_MIN = 0x10000000;

/**
 * Who checks: the app (esp_image_verify in esp_ota_end), the boot loader without loading, or the boot loader that
 * loads, which alone refuses segments over its own memory.
 */
export type VerifyStage = "app" | "boot" | "load";

export interface VerifyOptions {
  readonly chip: Chip;
  readonly stage: VerifyStage;
  /** Where the image begins in flash; any 64 KiB boundary gives the same answer. */
  readonly offset?: number;
  /** Bytes that can be read from the image's start to the end of flash; default: `sizeBytes`. */
  readonly readableBytes?: number;
  /** Built with CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK: an image without an app description is not refused then, the chip panics. */
  readonly antiRollback?: Efuse | undefined;
}

export interface VerifiedSegment {
  readonly loadAddress: number;
  readonly length: number;
  /** Offset of its data from the image's start. */
  readonly dataOffset: number;
}

export type ImageVerdict =
  | {
      readonly ok: true;
      /** Padding, checksum and hash included; what lies behind it is ignored. */
      readonly imageLength: number;
      /** The appended SHA-256, or that of the whole image when none is appended. */
      readonly sha256: Uint8Array;
      readonly segments: readonly VerifiedSegment[];
      /** Undefined when the first segment does not begin with one. */
      readonly description: AppDescription | undefined;
    }
  | {
      readonly ok: false;
      readonly error: "ESP_FAIL" | "ESP_ERR_IMAGE_INVALID" | "ESP_ERR_INVALID_ARG";
      /** What is wrong, with the numbers. */
      readonly message: string;
    };

/** Reads `length` bytes at `offset` from the image's start. It is never asked beyond `readableBytes`. */
export type ReadImage = (offset: number, length: number) => Uint8Array;

class Refused extends Error {
  readonly code: "ESP_FAIL" | "ESP_ERR_IMAGE_INVALID" | "ESP_ERR_INVALID_ARG";
  constructor(code: Refused["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Checks an image as ESP-IDF does.
 * @param read the flash from the image's start on.
 * @param sizeBytes size of its partition.
 */
export function verifyAppImage(read: ReadImage, sizeBytes: number, options: VerifyOptions): ImageVerdict {
  const readableBytes = options.readableBytes ?? sizeBytes;
  const readInside: ReadImage = (offset, length) => {
    if (offset + length > readableBytes) {
      throw new Refused(
        "ESP_FAIL",
        `${length} bytes at ${offset} lie past the ${readableBytes} that can be read`,
      );
    }
    return read(offset, length);
  };
  try {
    return verify(readInside, sizeBytes, options);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { ok: false, error: error.code, message: error.message };
  }
}

/** Checks the image at the start of a partition. */
export function verifyPartitionImage(
  flash: Flash,
  partition: Pick<Partition, "offset" | "size">,
  options: Pick<VerifyOptions, "chip" | "stage" | "antiRollback">,
): ImageVerdict {
  return verifyAppImage((offset, length) => flash.view(partition.offset + offset, length), partition.size, {
    ...options,
    offset: partition.offset,
    readableBytes: flash.sizeBytes - partition.offset,
  });
}

/** Checks a whole image file as a boot loader would that loads it out of a 64 KiB-aligned slot of just its size. */
export function verifyImageFile(image: Uint8Array, chip: Chip, stage: VerifyStage = "load"): ImageVerdict {
  return verifyAppImage((offset, length) => image.subarray(offset, offset + length), image.length, {
    chip,
    stage,
  });
}

function verify(read: ReadImage, sizeBytes: number, options: VerifyOptions): ImageVerdict {
  const chip = CHIPS[options.chip];
  const imageOffset = options.offset ?? MAP_PAGE_BYTES;
  const isBootLoader = imageOffset === chip.bootLoaderOffset;
  if (sizeBytes > chip.flashAddressLimit) {
    throw new Refused(
      "ESP_ERR_INVALID_ARG",
      `partition of ${sizeBytes} bytes exceeds ${chip.flashAddressLimit}`,
    );
  }
  const header = read(0, IMAGE_HEADER_BYTES);
  const { segmentCount, hashAppended } = checkHeader(header, chip, isBootLoader);
  const hash = createHash("sha256").update(header);

  let secureVersion = 0;
  let checksum = CHECKSUM_SEED;
  let end = IMAGE_HEADER_BYTES;
  const segments: VerifiedSegment[] = [];
  for (let index = 0; index < segmentCount; index += 1) {
    const segmentHeader = read(end, SEGMENT_HEADER_BYTES);
    const segment = decodeSegment(segmentHeader, end + SEGMENT_HEADER_BYTES);
    checkSegment(index, segment, imageOffset, chip, options.stage);
    if (segment.length > 0) {
      const data = read(segment.dataOffset, segment.length);
      if (index === 0 && !isBootLoader) {
        checkBlockRevision(read, segment, chip);
        if (options.antiRollback !== undefined) secureVersion = secureVersionOf(read, segment);
      }
      checksum ^= xorOf(data);
      hash.update(segmentHeader).update(data);
    } else {
      hash.update(segmentHeader);
    }
    segments.push(segment);
    end = segment.dataOffset + segment.length;
  }

  const paddedEnd = Math.ceil((end + 1) / 16) * 16;
  const padding = read(end, paddedEnd - end);
  hash.update(padding);
  if (padding.at(-1) !== checksum) {
    const found = padding.at(-1);
    throw new Refused("ESP_ERR_IMAGE_INVALID", `checksum byte is ${found}, the segments give ${checksum}`);
  }
  const imageLength = hashAppended ? paddedEnd + IMAGE_HASH_BYTES : paddedEnd;
  const appended = hashAppended ? read(paddedEnd, IMAGE_HASH_BYTES).slice() : undefined;
  if (imageLength > sizeBytes) {
    throw new Refused("ESP_ERR_IMAGE_INVALID", `image is ${imageLength} bytes, partition is ${sizeBytes}`);
  }
  const digest = new Uint8Array(hash.digest());
  if (appended !== undefined && !isBootLoader && Buffer.compare(appended, digest) !== 0) {
    throw new Refused("ESP_ERR_IMAGE_INVALID", `SHA-256 over ${paddedEnd} bytes is not the appended one`);
  }
  if (options.stage === "load" && options.antiRollback?.allows(secureVersion) === false) {
    const { secureVersion: least } = options.antiRollback;
    throw new Refused("ESP_FAIL", `secure version is ${secureVersion}, the eFuses require ${least}`);
  }
  const description = descriptionOf(read, segments[0]);
  return { ok: true, imageLength, sha256: appended ?? digest, segments, description };
}

function checkHeader(header: Uint8Array, chip: ChipDescription, isBootLoader: boolean) {
  const view = new DataView(header.buffer, header.byteOffset, IMAGE_HEADER_BYTES);
  const magic = view.getUint8(0);
  const segmentCount = view.getUint8(1);
  const chipId = view.getUint16(12, true);
  const minRevision = view.getUint16(15, true);
  const maxRevision = view.getUint16(17, true);
  if (magic !== IMAGE_MAGIC) {
    throw new Refused("ESP_ERR_IMAGE_INVALID", `first byte is 0x${magic.toString(16)}, not 0xe9`);
  }
  if (chipId !== chip.chipId) {
    throw new Refused("ESP_FAIL", `image is for chip id ${chipId}, this chip is ${chip.chipId}`);
  }
  if (minRevision > chip.revision) {
    throw new Refused("ESP_FAIL", `image needs chip revision ${minRevision}, this is ${chip.revision}`);
  }
  if (!isBootLoader && isSet(maxRevision) && chip.revision > maxRevision) {
    throw new Refused(
      "ESP_FAIL",
      `image allows chip revision ${maxRevision} at most, this is ${chip.revision}`,
    );
  }
  if (segmentCount > SEGMENT_COUNT_MAX) {
    throw new Refused("ESP_ERR_IMAGE_INVALID", `${segmentCount} segments, at most ${SEGMENT_COUNT_MAX}`);
  }
  return { segmentCount, hashAppended: view.getUint8(23) !== 0 };
}

function decodeSegment(header: Uint8Array, dataOffset: number): VerifiedSegment {
  const view = new DataView(header.buffer, header.byteOffset, SEGMENT_HEADER_BYTES);
  return { loadAddress: view.getUint32(0, true), length: view.getUint32(4, true), dataOffset };
}

function checkSegment(
  index: number,
  segment: VerifiedSegment,
  imageOffset: number,
  chip: ChipDescription,
  stage: VerifyStage,
): void {
  const { loadAddress, length, dataOffset } = segment;
  if (length % 4 !== 0 || length >= chip.flashAddressLimit) {
    throw new Refused("ESP_ERR_IMAGE_INVALID", `segment ${index} has the length ${length}`);
  }
  const mapped = isMapped(loadAddress, chip);
  if (mapped && (imageOffset + dataOffset) % MAP_PAGE_BYTES !== loadAddress % MAP_PAGE_BYTES) {
    throw new Refused(
      "ESP_ERR_IMAGE_INVALID",
      `segment ${index} at 0x${loadAddress.toString(16)} does not fit its flash offset ${imageOffset + dataOffset}`,
    );
  }
  const loaded = stage === "load" && !mapped && loadAddress >= LOAD_ADDRESS_MIN && length > 0;
  if (loaded && !isLoadable({ low: loadAddress, high: loadAddress + length }, chip)) {
    throw new Refused(
      "ESP_ERR_IMAGE_INVALID",
      `segment ${index} (0x${loadAddress.toString(16)}, ${length} bytes) would overwrite the boot loader or is in no memory`,
    );
  }
}

/** The description's eFuse block revisions are read where they would be, even if the segment is shorter. */
function checkBlockRevision(read: ReadImage, segment: VerifiedSegment, chip: ChipDescription): void {
  if (chip.eFuseBlockRevision === undefined) return;
  const bytes = read(segment.dataOffset + 176, 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 4);
  const min = view.getUint16(0, true);
  const max = view.getUint16(2, true);
  if (isSet(min) && min > chip.eFuseBlockRevision) {
    throw new Refused(
      "ESP_FAIL",
      `image needs eFuse block revision ${min}, this is ${chip.eFuseBlockRevision}`,
    );
  }
  if (isSet(max) && chip.eFuseBlockRevision > max) {
    throw new Refused(
      "ESP_FAIL",
      `image allows eFuse block revision ${max}, this is ${chip.eFuseBlockRevision}`,
    );
  }
}

/**
 * With anti-rollback the first two words of the first segment are taken for an app description, and it is asserted that they are.
 * @throws ChipAborted; a segment that is too short for them makes the real function run over the end of memory
 */
function secureVersionOf(read: ReadImage, { dataOffset, length }: VerifiedSegment): number {
  const bytes = read(dataOffset, 8);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  if (length < 8 || view.getUint32(0, true) !== APP_DESCRIPTION_MAGIC)
    throw new ChipAborted("the image begins with no app description, which anti-rollback takes for granted");
  return view.getUint32(4, true);
}

/** 0 and 65535 both mean that a revision limit is not given. */
function isSet(revision: number): boolean {
  return revision !== 0 && revision !== 0xffff;
}

/** XOR of all bytes; the length is a multiple of four. */
export function xorOf(data: Uint8Array): number {
  let word = 0;
  if (data.byteOffset % 4 === 0) {
    for (const value of new Uint32Array(data.buffer, data.byteOffset, data.length >>> 2)) word ^= value;
    return (word ^ (word >>> 8) ^ (word >>> 16) ^ (word >>> 24)) & 0xff;
  }
  for (const value of data) word ^= value;
  return word;
}

function descriptionOf(read: ReadImage, segment: VerifiedSegment | undefined): AppDescription | undefined {
  if (segment === undefined || segment.length < APP_DESCRIPTION_BYTES) return undefined;
  return decodeAppDescription(read(segment.dataOffset, APP_DESCRIPTION_BYTES));
}
