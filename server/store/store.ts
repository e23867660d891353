// What the server remembers: the contract that every database behind it fulfils. Records only: no rules about updates live
// here, and no time is read here. Times are milliseconds since 1970. test/contract/store.ts says what each method promises.

import type { SlotState, UpdateStatus } from "../../firmware/core/wire.js";

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

export interface NewFirmware {
  readonly deviceType: string;
  readonly hardware: string;
  readonly chip: string;
  readonly version: string;
  readonly buildNumber: number;
  readonly filename: string;
  /** Bytes. */
  readonly fileSize: number;
  /** SHA-256 of the whole file: also its name in the blob store. */
  readonly fileHash: string;
  /** Where the file lies, relative to the blob store. */
  readonly binaryPath: string;
  /** SHA-256 appended to the image: what a device that runs it reports. */
  readonly imageSha256: string;
  /** May be offered without being asked for. */
  readonly isStable: boolean;
  /** May be downloaded. */
  readonly isActive: boolean;
  /** Older firmware needs a stepping stone first. */
  readonly minCurrentVersion: string | null;
  readonly securityVersion: number;
  readonly notes: string | null;
  /** Compact JWS. */
  readonly release: string;
  readonly expiresAt: number | null;
  readonly createdAt: number;
}

export interface Firmware extends NewFirmware {
  readonly id: number;
  readonly updatedAt: number;
}

export interface FirmwareChanges {
  readonly isStable?: boolean;
  readonly isActive?: boolean;
  readonly minCurrentVersion?: string | null;
  readonly notes?: string | null;
}

/** One attempt to bring one firmware to one device. */
export interface Update {
  readonly id: number;
  readonly deviceId: string;
  readonly firmwareId: number;
  readonly status: UpdateStatus;
  /** The device's own, finer word, such as `verified` or `trial`. */
  readonly step: string | null;
  readonly fromVersion: string;
  readonly fromBuild: number;
  readonly bytesDownloaded: number;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly finishedAt: number | null;
}

export type NewUpdate = Pick<Update, "deviceId" | "firmwareId" | "fromVersion" | "fromBuild" | "createdAt">;
export type UpdateChanges = Partial<
  Pick<Update, "status" | "step" | "bytesDownloaded" | "errorCode" | "errorMessage" | "finishedAt">
>;

/** How often a firmware failed on a device since it last succeeded there. */
export interface FailureCount {
  readonly firmwareId: number;
  readonly failedCount: number;
  readonly rolledBackCount: number;
  readonly lastFailedAt: number;
}

/** A line of the log: written once, never changed. */
export interface LogEvent {
  readonly id: number;
  readonly time: number;
  /** `device.registered`, `update.downloading`, `firmware.uploaded` … */
  readonly kind: string;
  readonly deviceId: string | null;
  readonly firmwareId: number | null;
  readonly updateId: number | null;
  readonly message: string;
  readonly detail: Readonly<Record<string, unknown>> | null;
}

export interface NewLogEvent {
  readonly time: number;
  readonly kind: string;
  readonly deviceId?: string;
  readonly firmwareId?: number;
  readonly updateId?: number;
  readonly message: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface Page {
  readonly limit: number;
  readonly offset: number;
}
export interface Paged<Row> {
  readonly rows: readonly Row[];
  /** Rows that fit the filter, on all pages. */
  readonly totalCount: number;
}

export interface FirmwareFilter {
  readonly deviceType?: string;
  readonly isActive?: boolean;
  readonly isStable?: boolean;
  readonly fileHash?: string;
}
export interface UpdateFilter {
  readonly deviceId?: string;
  readonly firmwareId?: number;
  readonly status?: UpdateStatus;
}
export interface EventFilter {
  readonly deviceId?: string;
  readonly kind?: string;
  /** Only events older than this one: how a reader pages back. */
  readonly beforeId?: number;
  readonly limit: number;
}

/** Newest events that are kept: about half a year of a fleet of a hundred. */
export const MAX_EVENT_COUNT = 200_000;

/** A record that must be unique is there already. */
export class AlreadyExists extends Error {
  override readonly name = "AlreadyExists";
}

export interface Store {
  /** Inserts or replaces, but keeps the `firstSeen` of a known device. */
  putDevice(device: Device): Promise<Device>;
  findDevice(id: string): Promise<Device | undefined>;
  /** Last seen first. */
  listDevices(filter: { readonly type?: string }, page: Page): Promise<Paged<Device>>;
  countDevices(): Promise<number>;
  /** How many were seen at this time or later. */
  countDevicesSeenSince(time: number): Promise<number>;

  /** @throws AlreadyExists if this type, hardware, chip, version and build is there. */
  addFirmware(firmware: NewFirmware): Promise<Firmware>;
  findFirmware(id: number): Promise<Firmware | undefined>;
  /** Newest id first. */
  listFirmware(filter: FirmwareFilter, page: Page): Promise<Paged<Firmware>>;
  /** Every firmware of a type that is active and stable: what rollout chooses from. */
  offeredFirmware(deviceType: string): Promise<readonly Firmware[]>;
  changeFirmware(id: number, changes: FirmwareChanges, time: number): Promise<Firmware | undefined>;

  /** Opens an attempt as `pending`. */
  addUpdate(update: NewUpdate): Promise<Update>;
  changeUpdate(id: number, changes: UpdateChanges, time: number): Promise<Update>;
  /** The attempt of a device that is neither `success` nor `failed`; at most one is open at a time. */
  findOpenUpdate(deviceId: string): Promise<Update | undefined>;
  findLastUpdate(deviceId: string, firmwareId: number): Promise<Update | undefined>;
  /** Newest first. */
  listUpdates(filter: UpdateFilter, page: Page): Promise<Paged<Update>>;
  countFailures(deviceId: string): Promise<readonly FailureCount[]>;

  /** Appends. The oldest go when there are more than MAX_EVENT_COUNT. */
  addEvent(event: NewLogEvent): Promise<LogEvent>;
  /** Newest first. */
  listEvents(filter: EventFilter): Promise<readonly LogEvent[]>;

  /** All or nothing: what `work` did through the store it is given is kept only if it does not throw. Not nestable. */
  transaction<Result>(work: (store: Store) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}
