// A chip's eFuses, which can be burned and never unburned, and outlive every restart and every erase of the flash: the secure version that
// anti-rollback uses, one bit for each step, and blocks for keys. Follows esp_efuse_fields.c of ESP-IDF v6.0.

import type { Chip } from "./chips.js";
import { burnHmacKey, EFUSE_KEY_BYTES, hmacKeyIn, newEfuseBlocks } from "./efuse-blocks.js";
import type { EspError } from "./esp-error.js";
import type { Flash } from "./flash/flash.js";
import {
  APP_DESCRIPTION_BYTES,
  APP_DESCRIPTION_OFFSET,
  decodeAppDescription,
} from "./image/app-description.js";
import type { Partition } from "./partitions/partition.js";

/** CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD at its default: as many bits as the chip's eFuses have for it. */
const fieldBitsOf = (chip: Chip): number => (chip === "esp32" ? 32 : chip === "esp32c2" ? 4 : 16);

export interface EfuseOptions {
  /** What is burned already. */
  readonly bits?: number;
  /** How many bits the boot loader and the app are configured to use. */
  readonly fieldBits?: number;
  /** Its blocks, as in efuse-blocks.ts; they are written to. Default: nothing is burned. */
  readonly blocks?: Uint8Array;
}

export class Efuse {
  /** The highest version that can be burned. */
  readonly #fieldBits: number;
  #bits: number;
  readonly blocks: Uint8Array;

  constructor(
    chip: Chip,
    { bits = 0, fieldBits = fieldBitsOf(chip), blocks = newEfuseBlocks() }: EfuseOptions = {},
  ) {
    this.blocks = blocks;
    this.#fieldBits = fieldBits;
    this.#bits = bits >>> 0;
  }

  /** One for each step, from the lowest on, unless others have been burned. */
  get bits(): number {
    return this.#bits;
  }

  /** esp_efuse_read_secure_version: how many bits of the field are burned, wherever they are. */
  get secureVersion(): number {
    return bitCount(this.#bits & lowestBits(this.#fieldBits));
  }

  /** esp_efuse_check_secure_version: whether an app of this version may run. */
  allows(secureVersion: number): boolean {
    return secureVersion >= this.secureVersion;
  }

  /**
   * esp_efuse_update_secure_version. A bit that is burned already cannot be burned again: then nothing is burned, and the real function does
   * not check that.
   */
  burn(secureVersion: number): EspError {
    if (secureVersion > this.#fieldBits) return "ESP_ERR_INVALID_ARG";
    if (secureVersion < this.secureVersion) return "ESP_FAIL";
    const fresh = lowestBits(secureVersion) - lowestBits(this.secureVersion);
    if ((this.#bits & fresh) === 0) this.#bits = (this.#bits | fresh) >>> 0;
    return "ESP_OK";
  }

  /**
   * The key that the HMAC peripheral has in a block, 0 to 5: the one that is there, or a new one, which is burned.
   * @param random in [0, 1), for a new key
   * @returns nothing if the block is in use for something else
   */
  hmacKey(key: number, random: () => number): Uint8Array | undefined {
    const found = hmacKeyIn(this.blocks, key);
    if (found) return found.block;
    const fresh = Uint8Array.from({ length: EFUSE_KEY_BYTES }, () => Math.floor(random() * 256));
    return burnHmacKey(this.blocks, key, fresh) ? hmacKeyIn(this.blocks, key)?.block : undefined;
  }
}

const lowestBits = (count: number): number => 2 ** count - 1;

function bitCount(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}

/** Of the app in a partition; undefined when there is no app description. */
export function secureVersionIn(flash: Flash, { offset, size }: Partition): number | undefined {
  if (size < APP_DESCRIPTION_OFFSET + APP_DESCRIPTION_BYTES) return undefined;
  const bytes = flash.read(offset + APP_DESCRIPTION_OFFSET, APP_DESCRIPTION_BYTES);
  return decodeAppDescription(bytes)?.secureVersion;
}

/** check_anti_rollback of the boot loader: an app without a description may not run. */
export function mayRun(flash: Flash, partition: Partition, efuse: Efuse): boolean {
  const secureVersion = secureVersionIn(flash, partition);
  return secureVersion !== undefined && efuse.allows(secureVersion);
}

/** What is burned when an app has been validated; an app without a description changes nothing. */
export function burnVersionOf(flash: Flash, partition: Partition, efuse: Efuse): EspError {
  const secureVersion = secureVersionIn(flash, partition);
  return secureVersion === undefined ? "ESP_ERR_NOT_FOUND" : efuse.burn(secureVersion);
}
