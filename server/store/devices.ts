// What the store remembers of devices.

import type { Readings, SlotState } from "../../firmware/core/wire.js";
import type { DeviceStatus } from "../shared/device-status.js";
import type { Page, Paged } from "./page.js";

export interface Device {
  readonly id: string;
  readonly type: string;
  readonly hardware: string | null;
  readonly chip: string | null;
  readonly mac: string | null;
  readonly version: string;
  readonly build: number;
  /** SHA-256 appended to the running image, 64 hex digits. */
  readonly imageSha256: string | null;
  readonly slot: string | null;
  readonly slotState: SlotState | null;
  readonly bootCount: number | null;
  readonly resetReason: string | null;
  readonly freeHeap: number | null;
  readonly rssi: number | null;
  readonly uptimeSeconds: number | null;
  /** Of its last check; `null`: it has no sensor, or could not read it. */
  readonly readings: Readings | null;
  readonly address: string | null;
  /** Of the trust root that it has; `null`: it has none, or its firmware does not say. */
  readonly rootVersion: number | null;
  /** Since when it has said that it has had no statement of freshness for two weeks; `null`: it does not say so. */
  readonly frozenSince: number | null;
  readonly firstSeen: number;
  readonly lastSeen: number;
}

/** What a device's status depends on: the time, and how long a device without an interval counts as online. */
export interface StatusTerms {
  readonly now: number;
  readonly usualMs: number;
}

export interface DeviceFilter {
  readonly type?: string;
  /** Only of these device types. */
  readonly deviceTypes?: readonly string[];
  readonly version?: string;
  readonly tag?: string;
  readonly group?: string;
  /** As device-status.ts defines it. */
  readonly status?: { readonly is: DeviceStatus } & StatusTerms;
  /** Whether somebody vouched for it (devices/vouching.ts). */
  readonly isVouched?: boolean;
  /** Those whose trust root is older than the newest one here. */
  readonly isRootBehind?: true;
  readonly isFrozen?: true;
  /** Part of the id, the address, the group or a tag, in capitals or not. */
  readonly search?: string;
}

/**
 * `seen`: last seen first. `battery` and `signal`: the weakest first, and those that report none last. Where two are equal, by id. Only `id` does not
 * change while a client pages through it.
 */
export type DeviceOrder = "seen" | "id" | "type" | "version" | "group" | "battery" | "signal";

/** What else there is of a device, known or not. Of most devices it is little, and what is not there need not be read. */
export interface DeviceTraces {
  readonly hasLabels: boolean;
  readonly hasOpenUpdate: boolean;
  /** Also one that was ended here. */
  readonly hasFailedUpdate: boolean;
  readonly hasPendingOrder: boolean;
  /** Of the abilities that it has told. */
  readonly abilitiesDigest: string | undefined;
}

export interface DeviceStore {
  /**
   * Inserts or replaces, but keeps the `firstSeen` of a known device.
   * @param noOpKey of the check that the same transaction has proved to be a no-op: good until the device or the fleet changes
   */
  putDevice(device: Device, noOpKey?: string): Promise<Device>;
  /** Of a known device only that it was seen. Like every change to it this takes its key away. */
  touchDevice(id: string, seenAt: number): Promise<void>;
  findDevice(id: string): Promise<Device | undefined>;
  findTraces(id: string): Promise<DeviceTraces>;
  /** A statement of freshness was made for a device of this type, if it is known. */
  noteStatement(id: string, type: string, time: number): Promise<void>;
  /** When one was made for it last. */
  findStatementTime(id: string): Promise<number | undefined>;
  /** By default last seen first. */
  listDevices(filter: DeviceFilter, page: Page, order?: DeviceOrder): Promise<Paged<Device>>;
  /** By id, the first of those after `after`: how all that a filter finds are gone through, while they may change. */
  listDeviceIds(filter: DeviceFilter, after: string | undefined, limit: number): Promise<readonly string[]>;
  countDevices(): Promise<number>;
  countFrozenDevices(): Promise<number>;
  countStatuses(terms: StatusTerms): Promise<Readonly<Record<DeviceStatus, number>>>;
  /** How many were seen at this time or later. */
  countDevicesSeenSince(time: number): Promise<number>;
}
