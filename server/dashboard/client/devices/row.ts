// Devices as the API lists them: with labels and status.

import type { DeviceView } from "../../../api/device-views.js";
import type { DeviceStatus } from "../../../shared/device-status.js";
import type { DeviceState } from "../../../store/device-identities.js";

export interface DeviceRow extends DeviceView {
  readonly tags: readonly string[];
  readonly group: string | null;
  readonly pin: string | null;
  readonly status: DeviceStatus;
  /** Whether it is approved. */
  readonly state: DeviceState;
  readonly uses_token: boolean;
  readonly interval_seconds: number | null;
}

export interface DevicesAnswer {
  readonly devices: readonly DeviceRow[];
  readonly total: number;
  readonly time: string;
}
export interface LabelsAnswer {
  readonly tags: readonly { readonly name: string; readonly device_count: number }[];
  readonly groups: readonly { readonly name: string; readonly device_count: number }[];
}
