// Where the two keys of an encrypted NVS come from. The partition with them: nvs_flash_read_security_cfg and nvs_flash_generate_keys of
// ESP-IDF v6.0.
//
//   0                     32               64
//   | encryption key, 32  | tweak key, 32  | u32 crc32 of the 64 bytes |        erased: not initialised yet
//
// Or the HMAC peripheral, with a key in an eFuse block: nvs_sec_provider of ESP-IDF v6.0.

import { createHmac } from "node:crypto";
import { crc32 } from "../crc32.js";
import type { Flash } from "../flash/flash.js";
import type { Partition } from "../partitions/partition.js";
import type { NvsKeys } from "./nvs-partition.js";

const NVS_KEY_BYTES = 32;
const KEYS_BYTES = 2 * NVS_KEY_BYTES;
/** Encrypted flash is written in blocks of 16 bytes. */
const CRC_WRITE_BYTES = 16;

/** EKEY_SEED and TKEY_SEED, each eight times, as they are in memory. */
const ENCRYPTION_SEED = 0xaebe5a5a;
const TWEAK_SEED = 0xcedea5a5;
const SEED_COUNT = 8;

export type NvsKeysError =
  | "ESP_ERR_NVS_KEYS_NOT_INITIALIZED"
  | "ESP_ERR_NVS_CORRUPT_KEY_PART"
  | "ESP_ERR_NVS_SEC_HMAC_KEY_GENERATION_FAILED";

type FoundKeys =
  | { readonly keys: NvsKeys; readonly error?: undefined }
  | { readonly keys?: undefined; readonly error: NvsKeysError };

export const readNvsKeys = (flash: Flash, partition: Partition): FoundKeys =>
  decodeNvsKeys(flash.read(partition.offset, KEYS_BYTES + 4));

/** @param bytes the contents of the partition, or its first 68 bytes */
export function decodeNvsKeys(bytes: Uint8Array): FoundKeys {
  if (bytes.every((byte) => byte === 0xff)) {
    return { error: "ESP_ERR_NVS_KEYS_NOT_INITIALIZED" };
  }
  if (bytes.length < KEYS_BYTES + 4) return { error: "ESP_ERR_NVS_CORRUPT_KEY_PART" };
  const crc = new DataView(bytes.buffer, bytes.byteOffset).getUint32(KEYS_BYTES, true);
  if (crc !== crc32(bytes.subarray(0, KEYS_BYTES))) return { error: "ESP_ERR_NVS_CORRUPT_KEY_PART" };
  return {
    keys: { encryptionKey: bytes.slice(0, NVS_KEY_BYTES), tweakKey: bytes.slice(NVS_KEY_BYTES, KEYS_BYTES) },
  };
}

/** What the HMAC peripheral makes of the 32 bytes of an eFuse block. */
export function deriveNvsKeys(hmacKey: Uint8Array): NvsKeys {
  const derived = (seed: number): Uint8Array =>
    new Uint8Array(createHmac("sha256", hmacKey).update(new Uint32Array(SEED_COUNT).fill(seed)).digest());
  return { encryptionKey: derived(ENCRYPTION_SEED), tweakKey: derived(TWEAK_SEED) };
}

/**
 * Erases the partition and writes keys. ESP-IDF writes a fixed pattern past the flash encryption and reads it back through it, so that
 * the keys are each device's own; without flash encryption, as here, they are the pattern, and protect nothing.
 */
export function generateNvsKeys(flash: Flash, partition: Partition): NvsKeys {
  const encryptionKey = new Uint8Array(NVS_KEY_BYTES).fill(0xff, 0, 16).fill(0x99, 16);
  const tweakKey = new Uint8Array(NVS_KEY_BYTES).fill(0xee, 0, 16).fill(0x88, 16);
  const crc = new Uint8Array(CRC_WRITE_BYTES).fill(0xff);
  new DataView(crc.buffer).setUint32(0, crc32(tweakKey, crc32(encryptionKey)), true);
  flash.erase(partition.offset, partition.size);
  flash.write(partition.offset, encryptionKey);
  flash.write(partition.offset + NVS_KEY_BYTES, tweakKey);
  flash.write(partition.offset + KEYS_BYTES, crc);
  return { encryptionKey, tweakKey };
}
