// Devices as the API lists them: with labels and status.

import type { Static } from "@sinclair/typebox";
import type { LabelCountView, ListedDeviceView } from "../../../api/device-views.js";

export type DeviceRow = Readonly<Static<typeof ListedDeviceView>>;

export interface DevicesAnswer {
  readonly devices: readonly DeviceRow[];
  readonly total: number;
}
export interface LabelsAnswer {
  readonly tags: readonly Static<typeof LabelCountView>[];
  readonly groups: readonly Static<typeof LabelCountView>[];
}
