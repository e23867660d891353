// What the store remembers of devices that were removed. One that checks again is a new device with its old id; then it is not listed here.

import type { Page, Paged } from "./page.js";

/** What of a removed device is still to be seen: its attempts, its places in rollouts and its lines in the log. */
export interface RemovedDevice {
  readonly deviceId: string;
  readonly deviceType: string;
  /** What ran on it last. */
  readonly version: string;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly removedAt: number;
  /** Name of who removed it. */
  readonly removedBy: string;
}

export interface RemovedDeviceStore {
  /**
   * Removes a device with its labels, attributes, identity, tokens, panel, readings, reported settings, pending orders and pictures. The rest is
   * kept.
   * @returns whether there was one
   */
  removeDevice(removed: RemovedDevice): Promise<boolean>;
  /** Removes what is kept of a device that was removed: attempts, places in rollouts, ended orders and lines of the log. */
  eraseRemovedDevice(deviceId: string): Promise<void>;
  /** Not one that is here again. */
  findRemovedDevice(deviceId: string): Promise<RemovedDevice | undefined>;
  /** Newest first. */
  listRemovedDevices(
    filter: { readonly deviceTypes?: readonly string[]; readonly search?: string },
    page: Page,
  ): Promise<Paged<RemovedDevice>>;
}
