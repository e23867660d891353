// A firmware of this project as an ESP32 app image: the JavaScript bundle is in the first (DROM) segment, right behind
// the app description. It runs nothing; the virtual device takes the bundle out of the slot that the boot loader chose.
//
//   offset 288 of the image: 16 bytes of our own, see own-description.ts
//   offset 304:              "SKYSLOTB" | u32 length | the bundle's UTF-8 text
//
// Images that were built before there was an own description have the bundle at offset 288.

import type { Chip } from "../chips.js";
import { APP_DESCRIPTION_BYTES, APP_DESCRIPTION_OFFSET } from "./app-description.js";
import { buildAppImage } from "./app-image-builder.js";
import {
  encodeOwnDescription,
  type ImageNvs,
  type ImagePair,
  OWN_DESCRIPTION_END,
  readOwnDescription,
} from "./own-description.js";

const BUNDLE_TAG = "SKYSLOTB";
const BUNDLE_HEADER_BYTES = BUNDLE_TAG.length + 4;
const PAGE_BYTES = 0x10000;

export interface FirmwareOptions {
  readonly chip: Chip;
  /** major.minor.patch */
  readonly version: string;
  /** A build above 0 makes the version in the description "1.1.0+7". */
  readonly build?: number;
  readonly project: string;
  /** JavaScript text that the virtual device evaluates at boot. */
  readonly bundle: string;
  readonly date?: string;
  readonly time?: string;
  readonly secureVersion?: number;
  /** How it states to store its settings; null: it does not state it, as older builds. Default: plain, as virtual devices do. */
  readonly nvs?: ImageNvs | null;
  /** What it speaks with its peer. Default: it does not say. */
  readonly pair?: ImagePair;
}

/** Where each chip's segments go: constants, code in RAM (the entry point), code in flash. */
const LAYOUTS: Readonly<Record<Chip, { drom: number; iram: number; irom: number; sharedMapping: boolean }>> =
  Object.freeze({
    esp32: { drom: 0x3f400000, iram: 0x40080000, irom: 0x400d0000, sharedMapping: false },
    esp32s2: { drom: 0x3f000000, iram: 0x40028000, irom: 0x40080000, sharedMapping: false },
    esp32c2: { drom: 0x3c000000, iram: 0x40380000, irom: 0x42000000, sharedMapping: true },
    esp32c6: { drom: 0x42000000, iram: 0x40800000, irom: 0x42000000, sharedMapping: true },
    esp32h2: { drom: 0x42000000, iram: 0x40800000, irom: 0x42000000, sharedMapping: true },
    esp32p4: { drom: 0x40000000, iram: 0x4ff40000, irom: 0x40000000, sharedMapping: true },
    esp32c3: { drom: 0x3c000000, iram: 0x40380000, irom: 0x42000000, sharedMapping: true },
    esp32s3: { drom: 0x3c000000, iram: 0x40374000, irom: 0x42000000, sharedMapping: true },
  });

/** Stands in for the machine code of a real firmware, which the virtual device does not run. */
const CODE_STUB = new Uint8Array(64);

/** The bundle as the data of the first segment: tag, length, text. */
function bundleSegment(bundle: string): Uint8Array {
  const text = new TextEncoder().encode(bundle);
  const data = new Uint8Array(BUNDLE_HEADER_BYTES + text.length);
  data.set(new TextEncoder().encode(BUNDLE_TAG));
  new DataView(data.buffer).setUint32(BUNDLE_TAG.length, text.length, true);
  data.set(text, BUNDLE_HEADER_BYTES);
  return data;
}

/** Builds a whole image around a bundle. The same input gives the same bytes. @throws RangeError */
export function buildFirmwareImage(options: FirmwareOptions): Uint8Array {
  const layout = LAYOUTS[options.chip];
  const { bundle, build = 0, nvs = "plain", pair, ...description } = options;
  const own = nvs === null ? new Uint8Array() : encodeOwnDescription(nvs, pair);
  const data = new Uint8Array(Buffer.concat([own, bundleSegment(bundle)]));
  const dromLength = Math.ceil((APP_DESCRIPTION_BYTES + data.length) / 4) * 4;
  // File offsets: header 24 + 8, DROM, 8, IRAM, 8, IROM; a mapped address equals its file offset below 64 KiB.
  const iromOffset = 32 + dromLength + 8 + CODE_STUB.length + 8;
  // On chips with one mapping for both buses the code must begin behind the pages of the constants.
  const iromPage = layout.sharedMapping ? Math.ceil((32 + dromLength) / PAGE_BYTES) * PAGE_BYTES : 0;
  return buildAppImage({
    ...description,
    version: build > 0 ? `${options.version}+${build}` : options.version,
    entry: layout.iram,
    segments: [
      { loadAddress: layout.drom + 32, data },
      { loadAddress: layout.iram, data: CODE_STUB },
      { loadAddress: layout.irom + iromPage + (iromOffset % PAGE_BYTES), data: CODE_STUB },
    ],
  });
}

/** The bundle's text out of an image (or a slot that begins with one); undefined when there is none. */
export function extractBundle(image: Uint8Array): string | undefined {
  const offset = readOwnDescription(image)
    ? OWN_DESCRIPTION_END
    : APP_DESCRIPTION_OFFSET + APP_DESCRIPTION_BYTES;
  if (image.length < offset + BUNDLE_HEADER_BYTES) return undefined;
  const tag = new TextDecoder().decode(image.subarray(offset, offset + BUNDLE_TAG.length));
  if (tag !== BUNDLE_TAG) return undefined;
  const view = new DataView(image.buffer, image.byteOffset + offset, BUNDLE_HEADER_BYTES);
  const length = view.getUint32(BUNDLE_TAG.length, true);
  const start = offset + BUNDLE_HEADER_BYTES;
  if (start + length > image.length) return undefined;
  return new TextDecoder().decode(image.subarray(start, start + length));
}
