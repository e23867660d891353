// `mc/ffi`: the functions of ESP-IDF, and of firmware/platform/native, that manifests bind. Results are numbers as in C;
// a function that no manifest binds does not exist.

import { pbkdf2Sync } from "node:crypto";
import { CPU_MHZ } from "../hardware/chips.js";
import { ESP_ERROR_CODES } from "../hardware/esp-error.js";
import { verifyPartitionImage } from "../hardware/image/image-verifier.js";
import { OWN_DESCRIPTION_END, readOwnDescription } from "../hardware/image/own-description.js";
import { NVS_ERROR_CODES } from "../hardware/nvs/nvs-errors.js";
import { writeUnitBytes } from "../hardware/partitions/partition-access.js";
import {
  findPartition,
  isOtaSlot,
  PARTITION_TYPE_APP,
  type Partition,
} from "../hardware/partitions/partition-table.js";
import { type Machine, RESET_REASON } from "../machine/machine.js";
import { blockPartsFunctions } from "./block-parts.js";
import { COST, spend } from "./costs.js";
import { dhtFunctions } from "./dht.js";
import { espNowFunctions } from "./espnow.js";
import type { Native } from "./native.js";
import { verifyP256 } from "./p256.js";
import { tlsFunctions } from "./tls.js";

const LABEL_BYTES = 17;

export function createFfi(machine: Machine, native: Native): new () => object {
  const { realm, ota } = machine;

  /** Buffers of a declared size, as `uint8_t[17]`. */
  function bufferOf(value: unknown, byteLength: number): Uint8Array {
    if (Object.prototype.toString.call(value) !== "[object ArrayBuffer]") {
      throw new realm.TypeError("argument: not an ArrayBuffer instance");
    }
    const bytes = native.bytesOf(value);
    if (bytes.length < byteLength) throw new realm.RangeError("invalid buffer size");
    return bytes;
  }

  function writeLabel(value: unknown, partition: Partition | undefined): void {
    const bytes = bufferOf(value, LABEL_BYTES);
    bytes.fill(0, 0, LABEL_BYTES);
    bytes.set(new TextEncoder().encode(partition?.label ?? "").subarray(0, LABEL_BYTES - 1));
  }

  /** esp_ota_img_states_t, or minus the error. UNDEFINED is -1 in an int. */
  function stateOf(partition: Partition | undefined): number {
    if (partition === undefined) return -ESP_ERROR_CODES.ESP_ERR_NOT_FOUND;
    const { error, state } = ota.stateOf(partition);
    return error === "ESP_OK" ? (state ?? 0) | 0 : -ESP_ERROR_CODES[error];
  }

  /** Selecting a slot verifies its image. */
  function arm(partition: Partition | undefined): number {
    const { flash, chip } = machine;
    const verdict = partition && verifyPartitionImage(flash, partition, { chip, stage: "app" });
    if (verdict?.ok) spend(machine, verdict.imageLength * COST.verifiedByte);
    return ESP_ERROR_CODES[ota.setBoot(partition)];
  }

  /** None where it would be the one that runs. */
  function nextSlot(): Partition | undefined {
    const next = ota.nextUpdatePartition();
    return next === machine.running ? undefined : next;
  }

  function appNamed(label: unknown): Partition | undefined {
    return findPartition(machine.partitions, { type: PARTITION_TYPE_APP, label: native.text(label) });
  }

  const functions = realm.adopt({
    esp_restart: () => machine.restart(RESET_REASON.software),
    /** FreeRTOS: ticks of a millisecond (CONFIG_FREERTOS_HZ of the SDK's defaults). */
    vTaskDelay: (ticks: unknown) => machine.wait(Number(ticks) >>> 0),
    skyslot_widen_watchdog() {
      machine.widenWatchdog();
      return 0;
    },
    skyslot_deep_sleep: (milliseconds: unknown) => machine.deepSleep(Number(milliseconds) >>> 0),
    esp_reset_reason: () => machine.resetReason,
    nvs_flash_deinit: () => NVS_ERROR_CODES[machine.deinitNvs()],
    nvs_flash_init: () => NVS_ERROR_CODES[machine.initNvs()],
    esp_random: () => Math.floor(machine.random() * 2 ** 32),
    esp_efuse_mac_get_default(mac: unknown) {
      bufferOf(mac, 6).set(machine.mac.subarray(0, 6));
      return 0;
    },
    esp_ota_mark_app_valid_cancel_rollback: () => ESP_ERROR_CODES[ota.markValid()],
    esp_ota_mark_app_invalid_rollback_and_reboot: () => ESP_ERROR_CODES[ota.markInvalidAndReboot()],
    ota_state: () => stateOf(machine.running),
    ota_running(label: unknown) {
      writeLabel(label, machine.running);
      return 0;
    },
    skyslot_running: (label: unknown) => writeLabel(label, machine.running),
    skyslot_next: (label: unknown) => writeLabel(label, nextSlot()),
    skyslot_write_unit: () => writeUnitBytes(nextSlot()),
    skyslot_boot: (label: unknown) => writeLabel(label, ota.bootPartition()),
    skyslot_can_roll_back: () => (ota.rollbackPossible() ? 1 : 0),
    skyslot_slot_state: () => stateOf(machine.running),
    skyslot_partition_state: (label: unknown) => stateOf(appNamed(label)),
    skyslot_arm(label: unknown) {
      const slot = appNamed(label);
      if (slot === undefined) return ESP_ERROR_CODES.ESP_ERR_NOT_FOUND;
      return slot === machine.running ? ESP_ERROR_CODES.ESP_ERR_OTA_PARTITION_CONFLICT : arm(slot);
    },
    skyslot_arm_running: () =>
      isOtaSlot(machine.running) ? arm(machine.running) : ESP_ERROR_CODES.ESP_ERR_NOT_SUPPORTED,
    skyslot_confirms_by_app: () => 1,
    skyslot_cpu_mhz: () => CPU_MHZ[machine.chip],
    /** Of an image without a description of ours, whose firmware does not ask, the number of no kind. */
    skyslot_nvs() {
      const { flash, running } = machine;
      const own = readOwnDescription(flash.view(running.offset, OWN_DESCRIPTION_END));
      return own === undefined ? 255 : own[5]! | (own[6]! << 8);
    },
    skyslot_nvs_erased: () => NVS_ERROR_CODES[machine.nvsErasedFor ?? "ESP_OK"],
    skyslot_host_name(name: unknown) {
      if (!machine.radio.isStarted) return ESP_ERROR_CODES.ESP_ERR_NOT_FOUND;
      if (Buffer.byteLength(String(name)) > 32) return ESP_ERROR_CODES.ESP_ERR_INVALID_SIZE;
      machine.network.hostName = String(name);
      return 0;
    },
    skyslot_portal_uri(uri: unknown) {
      const { accessPoint } = machine.radio;
      if (Buffer.byteLength(String(uri)) > 255) return ESP_ERROR_CODES.ESP_ERR_INVALID_SIZE;
      if (accessPoint === undefined) return ESP_ERROR_CODES.ESP_ERR_NOT_FOUND;
      accessPoint.captivePortalUri = String(uri);
      return 0;
    },
    skyslot_derive_key(password: unknown, salt: unknown, rounds: unknown, key: unknown) {
      const derived = pbkdf2Sync(String(password), String(salt), Number(rounds), 32, "sha256");
      bufferOf(key, 32).set(derived);
      spend(machine, Number(rounds) * COST.deriveRound);
      return 1;
    },
    skyslot_verify_p256: (publicKey: unknown, digest: unknown, signature: unknown) =>
      verifyP256(bufferOf(publicKey, 65), bufferOf(digest, 32), bufferOf(signature, 64)) ? 1 : 0,
    ...tlsFunctions(machine, bufferOf),
    ...dhtFunctions(machine, bufferOf),
    ...espNowFunctions(machine, bufferOf),
    ...blockPartsFunctions(machine, bufferOf, nextSlot),
  });

  return class FFI {
    /** @param bound names with commas between them; without it all functions are bound */
    constructor(bound?: unknown) {
      const names = bound === undefined ? undefined : String(bound).split(",");
      for (const [name, call] of Object.entries(functions)) {
        if (names && !names.includes(name)) continue;
        Object.defineProperty(this, name, { value: call, writable: true, configurable: true });
      }
    }
  };
}
