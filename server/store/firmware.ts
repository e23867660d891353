// What the store remembers of firmware: one record per release, its bytes are in the blob store.

import type { Page, Paged } from "./page.js";

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
  /** MD5 and SHA-1 of the whole file, hex, for clients that know no better; `null` in records of older servers. */
  readonly md5: string | null;
  readonly sha1: string | null;
  /** SHA-256 appended to the image: what a device that runs it reports. Empty: a file of a legacy type that has none. */
  readonly imageSha256: string;
  /** May be offered without being asked for. */
  readonly isStable: boolean;
  /** May be downloaded. */
  readonly isActive: boolean;
  /** Older firmware needs an intermediate release first. */
  readonly minCurrentVersion: string | null;
  readonly securityVersion: number;
  /** Its place among the releases of its type, as it was signed; 0: it has none. */
  readonly sequence: number;
  readonly notes: string | null;
  /** The signed manifest, compact JWS; `null`: firmware of a legacy type, which is not signed. */
  readonly release: string | null;
  readonly expiresAt: number | null;
  readonly createdAt: number;
}

export interface Firmware extends NewFirmware {
  readonly id: number;
  readonly updatedAt: number;
}

/** What is asked of many at once: manifests are long. */
export interface FirmwareSummary extends Omit<Firmware, "release"> {
  /** Whether it has a manifest. */
  readonly isSigned: boolean;
  /** Characters of its manifest; 0: it has none. */
  readonly manifestLength: number;
}

export type FirmwareChanges = Partial<
  Pick<Firmware, "isStable" | "isActive" | "minCurrentVersion" | "notes">
>;
type FirmwareFilter = Partial<
  Pick<Firmware, "deviceType" | "isActive" | "isStable" | "fileHash" | "imageSha256" | "md5" | "version">
> & {
  /** Only of these device types. */
  readonly deviceTypes?: readonly string[];
};

/** A signed release that is inactive or was deleted: its image may still be in somebody's hands. */
export interface WithdrawnRelease {
  readonly imageSha256: string;
  readonly sequence: number;
}

/** What still needs a release, in counts. */
export interface FirmwareUses {
  /** Devices that run it; of a device that reports no digest, by its type, version and build. */
  readonly runningCount: number;
  /** Devices that are kept at its version. */
  readonly pinnedCount: number;
  /** Attempts that have not ended, of devices and in meshes. */
  readonly openCount: number;
  /** Rollouts that have not ended. */
  readonly rolloutCount: number;
  /** Rollouts that have. */
  readonly endedRolloutCount: number;
}

export interface FirmwareStore {
  /** @throws AlreadyExists if this type, hardware, chip, version and build is there. */
  addFirmware(firmware: NewFirmware): Promise<Firmware>;
  findFirmware(id: number): Promise<Firmware | undefined>;
  /** Newest id first. */
  listFirmware(filter: FirmwareFilter, page: Page): Promise<Paged<Firmware>>;
  /** Every firmware of a type that is active and stable. */
  offeredFirmware(deviceType: string): Promise<readonly Firmware[]>;
  /** Every active firmware of a type, without its manifest: what rollouts choose from. */
  activeFirmware(deviceType: string): Promise<readonly FirmwareSummary[]>;
  changeFirmware(id: number, changes: FirmwareChanges, time: number): Promise<Firmware | undefined>;
  findFirmwareUses(firmware: Firmware): Promise<FirmwareUses>;
  /** With its rollouts, attempts and distributions in meshes. Its id is given to no other. What it was is still told (listWithdrawn). */
  removeFirmware(id: number, time: number): Promise<void>;
  /** Of a type, from a sequence on, the highest first. */
  listWithdrawn(deviceType: string, least: number, limit: number): Promise<readonly WithdrawnRelease[]>;
}
