// What the store remembers of updates: one record an attempt.

import type { UpdateStatus } from "../../firmware/core/wire.js";
import type { Page, Paged } from "./page.js";

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
  /** How often its whole file was sent, as far as the server counts: for hawkBit's clients. */
  readonly sentCount: number;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly finishedAt: number | null;
}

export type NewUpdate = Pick<Update, "deviceId" | "firmwareId" | "fromVersion" | "fromBuild" | "createdAt">;
export type UpdateChanges = Partial<
  Pick<
    Update,
    "status" | "step" | "bytesDownloaded" | "sentCount" | "errorCode" | "errorMessage" | "finishedAt"
  >
>;

/** Codes of attempts that the server itself ended: they are `failed` on the wire, but nothing went wrong on the device. */
export const ENDED_BY_SERVER: readonly string[] = Object.freeze(["SUPERSEDED", "WITHDRAWN"]);

/** The code of an attempt whose image was sent whole to a client that reports nothing, and which runs the image before again. */
export const NEVER_RAN = "NEVER_RAN";
/** The code of an attempt whose client fetches the whole file again and again and reports no end. */
export const NEVER_FINISHED = "NEVER_FINISHED";
/** Codes of attempts after which the device ran the image before again. */
export const CAME_BACK: readonly string[] = Object.freeze(["ROLLED_BACK", NEVER_RAN, NEVER_FINISHED]);

/** How often a firmware failed on a device since it last succeeded there. What the server itself ended does not count. */
export interface FailureCount {
  readonly firmwareId: number;
  readonly failedCount: number;
  /** Only what the device's own state proved or what it reported. */
  readonly rolledBackCount: number;
  readonly lastFailedAt: number;
  /** When the image before came back last, whatever is known of the reason. */
  readonly lastRolledBackAt: number | null;
}

type UpdateFilter = Partial<Pick<Update, "deviceId" | "firmwareId" | "status">> & {
  /** Only with firmware of these device types. */
  readonly deviceTypes?: readonly string[];
};

export interface UpdateStore {
  /** Opens an attempt as `pending`. */
  addUpdate(update: NewUpdate): Promise<Update>;
  findUpdate(id: number): Promise<Update | undefined>;
  changeUpdate(id: number, changes: UpdateChanges, time: number): Promise<Update>;
  /** The attempt of a device that is neither `success` nor `failed`; at most one is open at a time. */
  findOpenUpdate(deviceId: string): Promise<Update | undefined>;
  findLastUpdate(deviceId: string, firmwareId: number): Promise<Update | undefined>;
  /** The newest attempt of a device that it has begun: it has a step. */
  findLastBegunUpdate(deviceId: string): Promise<Update | undefined>;
  /** Those that are neither `success` nor `failed`. */
  countOpenUpdates(): Promise<readonly { readonly status: UpdateStatus; readonly count: number }[]>;
  /** Newest first. */
  listUpdates(filter: UpdateFilter, page: Page): Promise<Paged<Update>>;
  /** Devices that have attempts, in the order of their ids, from behind `after` on. */
  listDevicesWithUpdates(after: string, limit: number): Promise<readonly string[]>;
  countFailures(deviceId: string): Promise<readonly FailureCount[]>;
  /**
   * Removes attempts that ended before a time, if the device has succeeded with another one since: what failed before that decides
   * nothing any more. The oldest first; returns how many were removed: 0 is the end.
   */
  pruneUpdates(bounds: { readonly before: number; readonly limit: number }): Promise<number>;
}
