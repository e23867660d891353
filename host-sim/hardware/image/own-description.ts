// What an image of this project states after ESP-IDF's application description: how its firmware stores its settings, and what
// it speaks with the other device of its pair. The same 16 bytes as in firmware/platform/native/skyslot-description.c. Reads nothing else of the image.
//
//   offset 288 of the image: "SKYD" | u8 layout 1 | u8 kind | u8 eFuse block of the key | u8 protocol | u32 oldest version of the peer | 4 bytes 0

import { APP_DESCRIPTION_BYTES, APP_DESCRIPTION_OFFSET } from "./app-description.js";

const OFFSET = APP_DESCRIPTION_OFFSET + APP_DESCRIPTION_BYTES;
const TAG = "SKYD";
const LAYOUT = 1;
const OWN_DESCRIPTION_BYTES = 16;

/** Where it ends in an image. */
export const OWN_DESCRIPTION_END = OFFSET + OWN_DESCRIPTION_BYTES;

/**
 * Kinds that an image can be built with: encrypted is by the HMAC peripheral and eFuse KEY5, nvs-keys with the keys in that partition, as our
 * sdkconfigs have it.
 */
export type ImageNvs = "plain" | "encrypted" | "nvs-keys";

const KINDS = ["plain", "hmac", "nvs-keys"] as const;
const KIND_OF: Readonly<Record<ImageNvs, number>> = Object.freeze({ plain: 0, encrypted: 1, "nvs-keys": 2 });
const KEY_OF_BUILDS = 5;

/** What an image speaks with its peer; 0: it does not say, or any. */
export interface ImagePair {
  /** 0 to 255. */
  readonly protocol: number;
  /** As in the packets between the two: major * 10 000 + minor * 100 + patch. */
  readonly minCompatible: number;
}

const NO_PAIR: ImagePair = Object.freeze({ protocol: 0, minCompatible: 0 });

export function encodeOwnDescription(
  nvs: ImageNvs,
  { protocol, minCompatible }: ImagePair = NO_PAIR,
): Uint8Array {
  const bytes = new Uint8Array(OWN_DESCRIPTION_BYTES);
  bytes.set(new TextEncoder().encode(TAG));
  bytes.set([LAYOUT, KIND_OF[nvs], nvs === "encrypted" ? KEY_OF_BUILDS : 0], TAG.length);
  bytes[TAG.length + 3] = protocol;
  new DataView(bytes.buffer).setUint32(TAG.length + 4, minCompatible, true);
  return bytes;
}

/** The bytes in an image, or in a slot that begins with one; undefined when there are none. */
export function readOwnDescription(image: Uint8Array): Uint8Array | undefined {
  const bytes = image.subarray(OFFSET, OWN_DESCRIPTION_END);
  const tag = new TextDecoder().decode(bytes.subarray(0, TAG.length));
  return tag === TAG && bytes.length === OWN_DESCRIPTION_BYTES ? bytes : undefined;
}

/** `plain`, `hmac5` (encrypted with a key derived from eFuse KEY5), `nvs-keys`; undefined: not stated, or of a kind unknown here. */
export function nvsKindIn(image: Uint8Array): string | undefined {
  const [kind, key] = readOwnDescription(image)?.subarray(TAG.length + 1) ?? [];
  const name = kind === undefined ? undefined : KINDS[kind];
  return name === "hmac" ? `hmac${key}` : name;
}
