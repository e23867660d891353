// The signature sector of Secure Boot v2, which `espsecure sign-data --version 2` appends to an image. The chip's boot loader verifies it; here
// it only has to be recognised, because the file is longer than the image in it then, and the image's own SHA-256 is not at the file's end.
//
//   0       image length   next 4 KiB boundary            + 4096
//   ┌───────┬──────────────┬───────────────────────────────────┐
//   │ image │ FF …         │ 1 to 3 blocks of 1216 bytes, FF … │
//   └───────┴──────────────┴───────────────────────────────────┘
//   block: E7 | version, 2 RSA-3072, 3 ECDSA | … | u32 CRC-32 of the 1196 bytes before | 16 zeros
//
// Source: esptool 5, espsecure/__init__.py; ESP-IDF docs/en/security/secure-boot-v2.rst. Pure; a browser's page signs with it too.

import { lengthWithSignatures } from "../firmware/core/update/image-match.js";
import { SECTOR_BYTES } from "../firmware/core/update/release.js";

const BLOCK_BYTES = 1216;
const CRC_OFFSET = 1196;
const MAGIC = 0xe7;
const VERSIONS: readonly number[] = Object.freeze([2, 3]);
const ERASED = 0xff;

/** Most bytes behind an image: those up to the next sector, and the sector of signatures. */
export const MAX_TRAILER_BYTES = 2 * SECTOR_BYTES;

/** @param trailer what is behind the image in its file. @returns why it is not a signature sector; undefined: it is, or there is nothing */
export function trailerProblem(imageBytes: number, trailer: Uint8Array): string | undefined {
  if (trailer.length === 0) return undefined;
  const paddingBytes = lengthWithSignatures(imageBytes) - SECTOR_BYTES - imageBytes;
  if (imageBytes + trailer.length !== lengthWithSignatures(imageBytes))
    return `image states ${imageBytes} bytes, file is ${imageBytes + trailer.length}`;
  const sector = trailer.subarray(paddingBytes);
  const isPadded = trailer.subarray(0, paddingBytes).every((byte) => byte === ERASED);
  if (isPadded && isSignatureBlock(sector.subarray(0, BLOCK_BYTES))) return undefined;
  return `what follows the image's ${imageBytes} bytes is not a signature of Secure Boot v2`;
}

function isSignatureBlock(block: Uint8Array): boolean {
  const crc = new DataView(block.buffer, block.byteOffset).getUint32(CRC_OFFSET, true);
  return (
    block[0] === MAGIC && VERSIONS.includes(block[1] ?? 0) && crc === crc32(block.subarray(0, CRC_OFFSET))
  );
}

/** zlib's, which browsers do not have. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
