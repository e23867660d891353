// Whether this device's partition table can take an update at all: found out before anything is downloaded.

import type { Failure } from "../errors.js";
import type { Booted } from "../event.js";

/** Why no image can be installed; undefined: one can. */
export function noSlotFailure({
  target,
  bootSlot,
}: Pick<Booted, "target" | "bootSlot">): Failure | undefined {
  if (!target) return failure("has no second slot that an update could be written to");
  // esp_ota_get_boot_partition names one whatever is in otadata, if there is otadata
  return bootSlot === "" ? failure("has no otadata, in which the slot to start is selected") : undefined;
}

const failure = (what: string): Failure => ({
  code: "ARM_FAILED",
  message: `this device cannot be updated over the air: its partition table ${what}`,
});
