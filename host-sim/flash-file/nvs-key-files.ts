// The keys of an encrypted NVS out of the files that a person has: an image of the partition nvs_keys, or a chip's eFuses. It reads
// the files, and decides nothing about whether the keys fit.
//
//   eFuses: 336 bytes, their blocks (../hardware/efuse-blocks.ts), as `espefuse dump --format joint` has them; or more, as QEMU has it, which leaves
//   the rest empty; 512 bytes: may be the memory of `espefuse --virt` instead, last byte first, in which the blocks begin at 0x2c; 32 bytes:
//   one key block alone

import { EFUSE_BLOCKS_BYTES, EFUSE_KEY_BYTES, type HmacKey, hmacKeysIn } from "../hardware/efuse-blocks.js";
import { decodeNvsKeys, deriveNvsKeys } from "../hardware/nvs/nvs-keys.js";
import type { NvsKeys } from "../hardware/nvs/nvs-partition.js";

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
  if (bytes.length === EFUSE_KEY_BYTES) return [deriveNvsKeys(bytes)];
  if (bytes.length < EFUSE_BLOCKS_BYTES) {
    throw new Error(
      `the file of eFuses has ${bytes.length} bytes; a key block has ${EFUSE_KEY_BYTES}, all blocks have ${EFUSE_BLOCKS_BYTES}`,
    );
  }
  const found = readings(bytes).flatMap(hmacKeysIn);
  if (found.length === 0) throw new Error("none of the eFuse keys has the purpose HMAC_UP");
  const burned = found.filter(({ block }) => isBurned(block));
  if (burned.length === 0)
    throw new Error("the HMAC key among the eFuses reads as zeros: a chip does not give such keys away");
  return burned.flatMap(peripheralReads).map(deriveNvsKeys);
}

/**
 * What the HMAC peripheral may use as the key in a block: its content. A block that software cannot read and that yet stands in the
 * file is an emulator's, and QEMU's peripheral reads such a block as software does: zeros.
 */
const peripheralReads = ({ block, isProtected }: HmacKey): Uint8Array[] =>
  isProtected ? [block, new Uint8Array(EFUSE_KEY_BYTES)] : [block];

const isBurned = (block: Uint8Array): boolean => block.some((byte) => byte !== 0);

/** What the blocks may be in a file of this length. */
function readings(bytes: Uint8Array): Uint8Array[] {
  const virtual = bytes.length === VIRTUAL_BYTES ? [bytes.toReversed().subarray(VIRTUAL_BLOCKS_OFFSET)] : [];
  return [bytes, ...virtual];
}
