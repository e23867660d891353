// What the store remembers of devices.

import type { SlotState } from "../../firmware/core/wire.js";
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
  readonly address: string | null;
  readonly firstSeen: number;
  readonly lastSeen: number;
}

export interface DeviceFilter {
  readonly type?: string;
  readonly version?: string;
  readonly tag?: string;
  readonly group?: string;
  /** Seen at this time or later. */
  readonly seenSince?: number;
  /** Not seen at this time or later. */
  readonly seenBefore?: number;
  /** Part of the id, in capitals or not. */
  readonly search?: string;
}

/** `seen` moves while somebody pages through it, `id` does not. */
export type DeviceOrder = "seen" | "id";

export interface DeviceStore {
  /** Inserts or replaces, but keeps the `firstSeen` of a known device. */
  putDevice(device: Device): Promise<Device>;
  findDevice(id: string): Promise<Device | undefined>;
  /** Last seen first, or by id. */
  listDevices(filter: DeviceFilter, page: Page, order?: DeviceOrder): Promise<Paged<Device>>;
  countDevices(): Promise<number>;
  /** How many were seen at this time or later. */
  countDevicesSeenSince(time: number): Promise<number>;
}
