// An ESP32 app image, read as it arrives: header, application description and the position of each segment. It needs the image's bytes
// in order but never buffers more than one header, so a 2 MiB image costs 300 bytes. It does not check the checksum or the hash: the
// boot loader's code does that for the whole slot.
//
//   0        24        32                288        304
//   ┌────────┬─────────┬─────────────────┬──────────┬──────┬─────────┬──────┬─ … ─┬─────────┬──────────┬──────────────┐
//   │ header │ segment │ app description │ ours, if │ data │ segment │ data │     │ padding │ checksum │ SHA-256      │
//   │        │ header  │  (256 bytes)    │ it is    │      │ header  │      │     │         │ 1 byte   │ if hashed    │
//   └────────┴─────────┴─────────────────┴──────────┴──────┴─────────┴──────┴─ … ─┴─────────┴──────────┴──────────────┘
//
// Ours: "SKYD" | u8 layout 1 | u8 kind of NVS | u8 its eFuse key | u8 protocol | u32 oldest version of the peer | 4 bytes 0; little-endian.
//
// Layout: ESP-IDF components/bootloader_support/include/esp_app_format.h, components/esp_app_format/include/esp_app_desc.h, and
// firmware/platform/native/skyslot-description.c. An image without our description, of an older build or from another project, is read as well.

import { latin1 } from "../bytes.js";
import type { NvsKind } from "../event.js";
import { nvsKindOf } from "./nvs-kind.js";

export const IMAGE_MAGIC = 0xe9;
const DESCRIPTION_MAGIC = 0xabcd5432;
const DESCRIPTION_OFFSET = 32;
const DESCRIPTION_BYTES = 256;
const HEAD_BYTES = DESCRIPTION_OFFSET + DESCRIPTION_BYTES;
/** "SKYD" */
const OWN_MAGIC = 0x44594b53;
const OWN_BYTES = 16;
const SEGMENT_HEADER_BYTES = 8;
const MAX_SEGMENT_COUNT = 16;

/** Chip names by the `chip_id` of the header (esp_app_format.h, esp_chip_id_t). */
const CHIP_NAMES: Readonly<Record<number, string>> = Object.freeze({
  0: "esp32",
  2: "esp32s2",
  5: "esp32c3",
  9: "esp32s3",
  12: "esp32c2",
  13: "esp32c6",
  16: "esp32h2",
  18: "esp32p4",
  20: "esp32c61",
  23: "esp32c5",
});

export interface ImageDescription {
  /** `esp32`, `esp32c3` …, or `chip-<id>` if it has no name here. */
  readonly chip: string;
  readonly segmentCount: number;
  readonly hashAppended: boolean;
  readonly securityVersion: number;
  /** As written, such as `1.1.0+7`. */
  readonly version: string;
  readonly project: string;
  readonly date: string;
  readonly time: string;
  readonly idfVersion: string;
  /** Absent: the image does not say. */
  readonly nvs?: NvsKind;
  /** Of the packets between the two of a pair, 1 to 255; absent: the image does not say. */
  readonly protocolVersion?: number;
  /** Oldest version of the other one that it works with, as a number (versionNumber of version.ts); absent: any, or it does not say. */
  readonly minCompatible?: number;
}

export interface ImageReader {
  /** Known after the first 288 bytes. */
  readonly description: ImageDescription | undefined;
  /** Length of the whole image with padding, checksum and hash; known after the last segment header. */
  readonly lengthBytes: number | undefined;
  /** Why this is not an image; nothing is read after that. */
  readonly error: string | undefined;
  /** What the reader needs next: `needLength` bytes at `needOffset`, of which it has `buffered`. 0 when it knows everything. */
  readonly needOffset: number;
  readonly needLength: number;
  readonly buffered: readonly number[];
  readonly segmentIndex: number;
  /** Where the first segment ends; 0: not known yet. */
  readonly firstEnd: number;
}

export const newImageReader: ImageReader = Object.freeze({
  description: undefined,
  lengthBytes: undefined,
  error: undefined,
  needOffset: 0,
  needLength: HEAD_BYTES,
  buffered: Object.freeze([]),
  segmentIndex: 0,
  firstEnd: 0,
});

/**
 * Takes the bytes at `offset` of the image. Bytes that are not needed are skipped at once, whatever their number. Bytes must come in order;
 * a stream may be split anywhere, also inside a header.
 */
export function readImage(reader: ImageReader, offset: number, bytes: Uint8Array): ImageReader {
  let next = reader;
  while (next.error === undefined && next.needLength > 0) {
    const from = next.needOffset + next.buffered.length - offset;
    const to = Math.min(next.needOffset + next.needLength - offset, bytes.length);
    if (from < 0 || from >= to) return next;
    const buffered = [...next.buffered, ...bytes.subarray(from, to)];
    if (buffered.length < next.needLength) return { ...next, buffered };
    next = next.description ? takeNext(next, buffered) : takeHead(next, buffered);
  }
  return next;
}

function takeHead(reader: ImageReader, buffered: readonly number[]): ImageReader {
  const head = Uint8Array.from(buffered);
  const view = new DataView(head.buffer);
  if (head[0] !== IMAGE_MAGIC) {
    return refuse(reader, `first byte is 0x${(head[0] ?? 0).toString(16)}, an app image begins with 0xe9`);
  }
  const segmentCount = head[1] ?? 0;
  if (segmentCount === 0 || segmentCount > MAX_SEGMENT_COUNT) {
    return refuse(reader, `image has ${segmentCount} segments, 1 to ${MAX_SEGMENT_COUNT} are possible`);
  }
  if (view.getUint32(DESCRIPTION_OFFSET, true) !== DESCRIPTION_MAGIC) {
    return refuse(reader, "no application description at offset 32");
  }
  const chipId = view.getUint16(12, true);
  const text = (at: number, length: number) =>
    latin1(head.subarray(DESCRIPTION_OFFSET + at, DESCRIPTION_OFFSET + at + length));
  const description: ImageDescription = {
    chip: CHIP_NAMES[chipId] ?? `chip-${chipId}`,
    segmentCount,
    hashAppended: head[23] !== 0,
    securityVersion: view.getUint32(DESCRIPTION_OFFSET + 4, true),
    version: text(16, 32),
    project: text(48, 32),
    time: text(80, 16),
    date: text(96, 16),
    idfVersion: text(112, 32),
  };
  const dataLength = view.getUint32(28, true);
  const firstEnd = DESCRIPTION_OFFSET + dataLength;
  const described: ImageReader = { ...reader, description, firstEnd };
  return dataLength < DESCRIPTION_BYTES + OWN_BYTES
    ? afterSegment(described, 24, dataLength)
    : { ...described, needOffset: HEAD_BYTES, needLength: OWN_BYTES, buffered: [] };
}

/** Our description, if the first segment has room for it, or the header of a segment. */
function takeNext(reader: ImageReader, buffered: readonly number[]): ImageReader {
  const view = new DataView(Uint8Array.from(buffered).buffer);
  if (reader.segmentIndex === 0 && reader.description) {
    const dataLength = reader.firstEnd - DESCRIPTION_OFFSET;
    const isOwn = view.getUint32(0, true) === OWN_MAGIC;
    const description = isOwn ? { ...reader.description, ...ownFacts(view) } : reader.description;
    return afterSegment({ ...reader, description }, 24, dataLength);
  }
  return afterSegment(reader, reader.needOffset, view.getUint32(4, true));
}

/** An older build has zeros where something was added since. */
function ownFacts(view: DataView): Pick<ImageDescription, "nvs" | "protocolVersion" | "minCompatible"> {
  const nvs = nvsKindOf(view.getUint8(5), view.getUint8(6));
  const protocolVersion = view.getUint8(7);
  const minCompatible = view.getUint32(8, true);
  return {
    ...(nvs === undefined ? {} : { nvs }),
    ...(protocolVersion === 0 ? {} : { protocolVersion }),
    ...(minCompatible === 0 ? {} : { minCompatible }),
  };
}

/** Continues after the segment whose header is at `headerOffset`. */
function afterSegment(reader: ImageReader, headerOffset: number, dataLength: number): ImageReader {
  const { description } = reader;
  if (!description) return reader;
  const end = headerOffset + SEGMENT_HEADER_BYTES + dataLength;
  const segmentIndex = reader.segmentIndex + 1;
  if (dataLength > 0xffffff) return refuse(reader, `segment ${segmentIndex - 1} claims ${dataLength} bytes`);
  if (segmentIndex < description.segmentCount) {
    return { ...reader, segmentIndex, needOffset: end, needLength: SEGMENT_HEADER_BYTES, buffered: [] };
  }
  const withChecksum = (end + 16) & ~15;
  const lengthBytes = withChecksum + (description.hashAppended ? 32 : 0);
  return { ...reader, segmentIndex, needOffset: end, needLength: 0, buffered: [], lengthBytes };
}

const refuse = (reader: ImageReader, error: string): ImageReader => ({
  ...reader,
  error,
  needLength: 0,
  buffered: [],
});
