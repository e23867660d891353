// The part of a chip's eFuses that anti-rollback uses: the secure version, one bit for each step, which can be burned and never
// unburned. It outlives every restart and every erase of the flash. Follows esp_efuse_fields.c of ESP-IDF v6.0.

import { APP_DESCRIPTION_BYTES, APP_DESCRIPTION_OFFSET, decodeAppDescription } from "./app-description.js";
import type { Chip } from "./chips.js";
import type { EspError } from "./esp-error.js";
import type { Flash } from "./flash.js";
import type { Partition } from "./partition.js";

export class Efuse {
  /** CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD at its default: the highest version that can be burned. */
  readonly #fieldBits: number;
  #secureVersion = 0;

  constructor(chip: Chip) {
    this.#fieldBits = chip === "esp32" ? 32 : 16;
  }

  /** esp_efuse_read_secure_version */
  get secureVersion(): number {
    return this.#secureVersion;
  }

  /** esp_efuse_check_secure_version: whether an app of this version may run. */
  allows(secureVersion: number): boolean {
    return secureVersion >= this.#secureVersion;
  }

  /** esp_efuse_update_secure_version */
  burn(secureVersion: number): EspError {
    if (secureVersion > this.#fieldBits) return "ESP_ERR_INVALID_ARG";
    if (secureVersion < this.#secureVersion) return "ESP_FAIL";
    this.#secureVersion = secureVersion;
    return "ESP_OK";
  }
}

/** Of the app in a partition; undefined when there is no app description. */
export function secureVersionIn(flash: Flash, { offset, size }: Partition): number | undefined {
  if (size < APP_DESCRIPTION_OFFSET + APP_DESCRIPTION_BYTES) return undefined;
  const bytes = flash.read(offset + APP_DESCRIPTION_OFFSET, APP_DESCRIPTION_BYTES);
  return decodeAppDescription(bytes)?.secureVersion;
}

/** check_anti_rollback of the boot loader: an app that says nothing of itself may not run. */
export function mayRun(flash: Flash, partition: Partition, efuse: Efuse): boolean {
  const secureVersion = secureVersionIn(flash, partition);
  return secureVersion !== undefined && efuse.allows(secureVersion);
}

/** What is burned when an app has proved itself; an app that says nothing of itself changes nothing. */
export function burnVersionOf(flash: Flash, partition: Partition, efuse: Efuse): EspError {
  const secureVersion = secureVersionIn(flash, partition);
  return secureVersion === undefined ? "ESP_ERR_NOT_FOUND" : efuse.burn(secureVersion);
}
