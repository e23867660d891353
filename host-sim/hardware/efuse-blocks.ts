// The blocks of the eFuses of a chip with an HMAC peripheral (ESP32-C3, S3, C6 …), each as it is in memory: what `espefuse dump --format joint`
// writes. Holds keys and what they are for; the chip's secure version is in efuse.ts.
//
//   block 0, 24 bytes │ block 1, 24 bytes │ block 2 │ block 3 │ KEY0 │ KEY1 │ … │ KEY5 │ block 10        32 bytes each from block 2 on
//   └── from bit 32 a bit for each key that software cannot read, from bit 88 the purpose of each key in 4 bits

export const EFUSE_KEY_BYTES = 32;
export const EFUSE_BLOCKS_BYTES = 336;
const KEY0_OFFSET = 112;
const KEY_COUNT = 6;
const PURPOSE_BIT = 88;
/** RD_DIS. */
const PROTECTED_BIT = 32;
/** ESP_EFUSE_KEY_PURPOSE_HMAC_UP */
const PURPOSE_HMAC_UP = 8;

export interface HmacKey {
  readonly block: Uint8Array;
  /** Software cannot read it. */
  readonly isProtected: boolean;
}

/** Of a chip that has burned nothing. */
export const newEfuseBlocks = (): Uint8Array => new Uint8Array(EFUSE_BLOCKS_BYTES);

/** The key in a block, 0 to 5, if its purpose is HMAC_UP. */
export function hmacKeyIn(blocks: Uint8Array, key: number): HmacKey | undefined {
  if (key >= KEY_COUNT || purposeOf(blocks, key) !== PURPOSE_HMAC_UP) return undefined;
  return { block: keyBlock(blocks, key), isProtected: bitsOf(blocks, PROTECTED_BIT + key) % 2 === 1 };
}

export const hmacKeysIn = (blocks: Uint8Array): HmacKey[] =>
  Array.from({ length: KEY_COUNT }, (_, key) => hmacKeyIn(blocks, key)).filter(
    (found) => found !== undefined,
  );

/** esp_efuse_write_key with purpose HMAC_UP, after which software cannot read the block. False: it is in use. */
export function burnHmacKey(blocks: Uint8Array, key: number, bytes: Uint8Array): boolean {
  const isUnused =
    key < KEY_COUNT && purposeOf(blocks, key) === 0 && keyBlock(blocks, key).every((byte) => byte === 0);
  if (!isUnused) return false;
  keyBlock(blocks, key).set(bytes.subarray(0, EFUSE_KEY_BYTES));
  setBits(blocks, PURPOSE_BIT + 4 * key, PURPOSE_HMAC_UP);
  setBits(blocks, PROTECTED_BIT + key, 1);
  return true;
}

const keyBlock = (blocks: Uint8Array, key: number): Uint8Array =>
  blocks.subarray(KEY0_OFFSET + key * EFUSE_KEY_BYTES, KEY0_OFFSET + (key + 1) * EFUSE_KEY_BYTES);

const purposeOf = (blocks: Uint8Array, key: number): number => bitsOf(blocks, PURPOSE_BIT + 4 * key) % 16;

/** The rest of the byte from this bit of block 0 on. */
const bitsOf = (blocks: Uint8Array, bit: number): number => blocks[bit >> 3]! >> (bit & 7);

/** They are in one byte. */
function setBits(blocks: Uint8Array, bit: number, value: number): void {
  blocks[bit >> 3]! |= value << (bit & 7);
}
