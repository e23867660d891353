// The keys of an encrypted NVS out of the files that a person has: an image of the partition nvs_keys, or a chip's eFuses. It reads
// the files, and decides nothing about whether the keys fit.
//
//   eFuses of a chip with an HMAC peripheral (ESP32-C3, S3, C6 …), each block as it is in memory:
//
//   block 0, 24 bytes │ block 1, 24 bytes │ block 2 │ block 3 │ KEY0 │ KEY1 │ … │ KEY5 │ block 10        32 bytes each from block 2 on
//                                                                                           └── purpose of each key: 4 bits from bit 88 of block 0,
//                                                                                               whether software can read it: a bit each from 32
//
//   336 bytes: `espefuse dump --format joint`; or more, as QEMU has it, which leaves the rest empty; 512 bytes: may be the memory of
//   `espefuse --virt` instead, last byte first, in which the blocks begin at 0x2c; 32 bytes: one key block alone

import { decodeNvsKeys, deriveNvsKeys } from "../hardware/nvs/nvs-keys.js";
import type { NvsKeys } from "../hardware/nvs/nvs-partition.js";

const KEY_BYTES = 32;
const BLOCKS_BYTES = 336;
const KEY0_OFFSET = 112;
const KEY_COUNT = 6;
const PURPOSE_BIT = 88;
/** RD_DIS: one bit for each key that software cannot read. */
const PROTECTED_BIT = 32;
/** ESP_EFUSE_KEY_PURPOSE_HMAC_UP */
const PURPOSE_HMAC_UP = 8;
const VIRTUAL_BYTES = 512;
const VIRTUAL_BLOCKS_OFFSET = 0x2c;

/** @throws Error that says what is wrong with the file */
export function keysOfPartition(bytes: Uint8Array): NvsKeys {
  const { keys, error } = decodeNvsKeys(bytes);
  if (keys !== undefined) return keys;
  throw new Error(
    error === "ESP_ERR_NVS_KEYS_NOT_INITIALIZED"
      ? "the file of the partition nvs_keys is erased: there are no keys in it"
      : "the file is no image of the partition nvs_keys, or an encrypted one: its checksum is wrong",
  );
}

/** What each HMAC key among the eFuses stands for. @throws Error that says what is wrong with the file */
export function keysOfEfuses(bytes: Uint8Array): NvsKeys[] {
  if (bytes.length === KEY_BYTES) return [deriveNvsKeys(bytes)];
  if (bytes.length < BLOCKS_BYTES) {
    throw new Error(
      `the file of eFuses has ${bytes.length} bytes; a key block has ${KEY_BYTES}, all blocks have ${BLOCKS_BYTES}`,
    );
  }
  const found = readings(bytes).flatMap(hmacKeysIn);
  if (found.length === 0) throw new Error("none of the eFuse keys has the purpose HMAC_UP");
  const burned = found.filter(({ block }) => isBurned(block));
  if (burned.length === 0)
    throw new Error("the HMAC key among the eFuses reads as zeros: a chip does not give such keys away");
  return burned.flatMap(peripheralReads).map(deriveNvsKeys);
}

interface HmacKey {
  readonly block: Uint8Array;
  /** Software cannot read it. */
  readonly isProtected: boolean;
}

/**
 * What the HMAC peripheral may use as the key in a block: its content. A block that software cannot read and that yet stands in the
 * file is an emulator's, and QEMU's peripheral reads such a block as software does: zeros.
 */
const peripheralReads = ({ block, isProtected }: HmacKey): Uint8Array[] =>
  isProtected ? [block, new Uint8Array(KEY_BYTES)] : [block];

const isBurned = (block: Uint8Array): boolean => block.some((byte) => byte !== 0);

/** What the blocks may be in a file of this length. */
function readings(bytes: Uint8Array): Uint8Array[] {
  const virtual = bytes.length === VIRTUAL_BYTES ? [bytes.toReversed().subarray(VIRTUAL_BLOCKS_OFFSET)] : [];
  return [bytes, ...virtual];
}

function hmacKeysIn(blocks: Uint8Array): HmacKey[] {
  const keys = Array.from({ length: KEY_COUNT }, (_, key) => key);
  return keys
    .filter((key) => bitsOf(blocks, PURPOSE_BIT + 4 * key) % 16 === PURPOSE_HMAC_UP)
    .map((key) => ({
      block: blocks.subarray(KEY0_OFFSET + key * KEY_BYTES, KEY0_OFFSET + (key + 1) * KEY_BYTES),
      isProtected: bitsOf(blocks, PROTECTED_BIT + key) % 2 === 1,
    }));
}

/** The rest of the byte from this bit of block 0 on. */
const bitsOf = (blocks: Uint8Array, bit: number): number => blocks[bit >> 3]! >> (bit & 7);
