// The fleet as a whole as clients see it.

import type { DeviceStatus } from "../shared/device-status.js";
import type { VersionCount } from "../store/version-history.js";

export const viewCount = ({ deviceType, version, deviceCount }: VersionCount) => ({
  device_type: deviceType,
  version,
  device_count: deviceCount,
});
export type VersionCountView = ReturnType<typeof viewCount>;

export interface FleetView extends Readonly<Record<DeviceStatus, number>> {
  readonly total: number;
  /** Devices that wait to be approved. */
  readonly pending: number;
  readonly versions: readonly VersionCountView[];
  readonly time: string;
}

export interface HistoryView {
  /** Samples are an hour apart for so long, older ones a day. */
  readonly hourly_days: number;
  /** The oldest first; the last is now. */
  readonly samples: readonly { readonly time: string; readonly versions: readonly VersionCountView[] }[];
}
