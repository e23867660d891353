// What a virtual device runs, read from its flash alone: the version in the slot that booted, and whether the boot loader would start it again.

import type { VirtualDevice } from "../device/device.js";
import { Ota } from "../hardware/boot/ota.js";
import { OTA_STATE } from "../hardware/boot/otadata.js";
import { isOtaSlot } from "../hardware/partitions/partition-table.js";
import { factsOf } from "../sim/web-view/facts.js";

/** Of the image that has booted; "": none has. */
export const versionOf = (device: VirtualDevice): string => factsOf(device).version;

/** Whether it runs for good. An image on trial, or one that was never started, does not. */
export function isValidated(device: VirtualDevice): boolean {
  const { running } = device;
  if (!device.machine || !running) return false;
  if (!isOtaSlot(running)) return true;
  const ota = new Ota(device.flash, device.partitions, running, { rollback: true, chip: device.chip });
  return ota.stateOf(running).state === OTA_STATE.VALID;
}
