// The CRC-32 that ESP-IDF keeps in flash. It is zlib's, continued from 0xFFFFFFFF instead of begun at 0.

import { crc32 as zlibCrc32 } from "node:zlib";

/** CRC-32 of `bytes` as ESP-IDF's esp_rom_crc32_le(UINT32_MAX, …) gives it: an unsigned 32-bit number. */
export function crc32(bytes: Uint8Array, start = 0xffffffff): number {
  // of nothing Node gives 0, whatever it starts from
  return bytes.length === 0 ? start : zlibCrc32(bytes, start);
}
