// What a device shows on its panel when it has no picture, or is asked to identify itself.

import type { DeviceState } from "../../../core/device-state.js";
import { accessPointName } from "../../../core/identity.js";
import type { CardLine } from "./panel-card.js";

/** Nothing is assigned: the device shows its name. */
export const deviceCard = (device: DeviceState): readonly CardLine[] =>
  whoAmI(device, "No picture is assigned");

/** The server has asked the device to identify itself. */
export const identifyCard = (device: DeviceState): readonly CardLine[] =>
  whoAmI(device, "This is the one you asked for");

function whoAmI({ update, wifi }: DeviceState, why: string): readonly CardLine[] {
  const { identity, image } = update.boot ?? {};
  return [
    { text: wifi.preferences?.deviceName || "Skyslot", scale: 3 },
    { text: identity?.deviceId ?? "", scale: 2 },
    { text: update.address, scale: 2 },
    { text: `${identity?.type ?? ""} ${image?.version ?? ""}`, scale: 2 },
    { text: why, scale: 1 },
  ];
}

/** The device has to be set up with a phone. */
export function setupCard({ update }: DeviceState): readonly CardLine[] {
  const name = accessPointName(update.boot?.identity.deviceId ?? "");
  return [
    { text: "Skyslot", scale: 3 },
    { text: "To set this up, join", scale: 1 },
    { text: "the Wi-Fi network", scale: 1 },
    { text: name, scale: 2 },
    { text: "with a phone", scale: 1 },
  ];
}
