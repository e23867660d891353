// The functions of ESP-IDF and of our own C files (firmware/platform/native) that the manifest binds by mc/ffi.

import FFI from "mc/ffi";
import { latin1 } from "../core/bytes.js";
import type { SlotState } from "../core/wire.js";

export type Native = InstanceType<typeof FFI>;

export const createNative = (): Native => new FFI();

/** Labels of the partition that runs, of the one that otadata selects, and of the one that the next update goes to; empty: there is none. */
export const runningLabel = (native: Native): string => readLabel((label) => native.skyslot_running(label));
export const bootLabel = (native: Native): string => readLabel((label) => native.skyslot_boot(label));
export const nextLabel = (native: Native): string => readLabel((label) => native.skyslot_next(label));

/** At most 16 characters and a zero. */
function readLabel(write: (label: ArrayBuffer) => unknown): string {
  const label = new ArrayBuffer(17);
  write(label);
  return latin1(new Uint8Array(label));
}

/** esp_ota_img_states_t (esp_flash_partitions.h), -1 being ESP_OTA_IMG_UNDEFINED. */
const STATES: Readonly<Record<number, SlotState>> = Object.freeze({
  0: "new",
  1: "pending_verify",
  2: "valid",
  3: "invalid",
  4: "aborted",
  [-1]: "undefined",
});
/** ESP_ERR_NOT_SUPPORTED: the factory partition has no state. */
const NOT_SUPPORTED = -0x106;
/** No ESP-IDF error is below this: a value below it, or above the states, was read from flash. */
const LOWEST_ERROR = -0xffff;

/**
 * A state that is never written is what a power failure leaves while the entry is written or erased. The boot loader treats such an image
 * as valid.
 */
export const isTorn = (state: number): boolean => state > 4 || state < LOWEST_ERROR;

/** A torn state was not confirmed: it counts as on trial. */
export function slotStateOf(state: number): SlotState {
  if (state === NOT_SUPPORTED) return "factory";
  return STATES[state] ?? (isTorn(state) ? "pending_verify" : "undefined");
}
