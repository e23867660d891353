// Gives a virtual device an id, as its owner would: stored in its flash under the firmware's own key, before it is powered.

import type { VirtualDevice } from "../device/device.js";

/** Firmware's namespace, and its key: see firmware/core/stored.ts. */
const NAMESPACE = "skyslot";
const ID_KEY = "device.id";

/** @throws RangeError where the flash has no NVS that can be written */
export function nameDevice(device: VirtualDevice, id: string): void {
  const { error, nvs } = device.openNvs();
  if (error === "ESP_ERR_NOT_FOUND")
    throw new RangeError(`the flash of ${device.name} has no NVS for the id "${id}"`);
  const failure = nvs ? nvs.set(NAMESPACE, ID_KEY, "str", id) : error;
  nvs?.close();
  if (failure !== "ESP_OK") throw new RangeError(`the id "${id}" cannot be stored: ${failure}`);
}
