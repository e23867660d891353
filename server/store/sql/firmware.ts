// Firmware in SQL.

import { type Generated, type Insertable, type Kysely, type Selectable, sql } from "kysely";
import { AlreadyExists } from "../errors.js";
import type { Firmware, FirmwareStore, NewFirmware } from "../firmware.js";
import type { SqlDialect } from "./dialect.js";
import { forgetNoOpKeys } from "./no-op-checks.js";
import { pageOf } from "./page.js";
import type { Tables } from "./tables.js";

export interface FirmwareTable {
  id: Generated<number>;
  device_type: string;
  hardware: string;
  chip: string;
  version: string;
  build_number: number;
  filename: string;
  file_size: number;
  file_hash: string;
  binary_path: string;
  md5: string | null;
  sha1: string | null;
  image_sha256: string;
  is_stable: number;
  is_active: number;
  min_current_version: string | null;
  security_version: number;
  notes: string | null;
  release_jws: string;
  expires_at: number | null;
  created_at: number;
  updated_at: number;
}

export function createFirmwareStore(db: Kysely<Tables>, dialect: SqlDialect): FirmwareStore {
  return {
    async addFirmware(firmware) {
      try {
        const row = await db
          .insertInto("firmware")
          .values(toFirmwareRow(firmware))
          .returningAll()
          .executeTakeFirstOrThrow();
        await forgetNoOpKeys(db);
        return toFirmware(row);
      } catch (error) {
        if (!dialect.isTaken(error)) throw error;
        const { deviceType, version, buildNumber, hardware, chip } = firmware;
        throw new AlreadyExists(
          `${deviceType} ${version} build ${buildNumber} for ${hardware} (${chip}) is registered already`,
        );
      }
    },

    async findFirmware(id) {
      const row = await db.selectFrom("firmware").selectAll().where("id", "=", id).executeTakeFirst();
      return row && toFirmware(row);
    },

    async listFirmware(filter, page) {
      let query = db.selectFrom("firmware");
      if (filter.deviceType !== undefined) query = query.where("device_type", "=", filter.deviceType);
      if (filter.isActive !== undefined) query = query.where("is_active", "=", Number(filter.isActive));
      if (filter.isStable !== undefined) query = query.where("is_stable", "=", Number(filter.isStable));
      if (filter.fileHash !== undefined) query = query.where("file_hash", "=", filter.fileHash);
      if (filter.md5 !== undefined) query = query.where("md5", "=", filter.md5);
      if (filter.version !== undefined) query = query.where("version", "=", filter.version);
      return pageOf(query.selectAll().orderBy("id", "desc"), page, toFirmware);
    },

    async offeredFirmware(deviceType) {
      const rows = await db
        .selectFrom("firmware")
        .selectAll()
        .where("device_type", "=", deviceType)
        .where("is_active", "=", 1)
        .where("is_stable", "=", 1)
        .execute();
      return rows.map(toFirmware);
    },

    async activeFirmware(deviceType) {
      const rows = await db
        .selectFrom("firmware")
        .select(SUMMARY_COLUMNS)
        .select(sql<number>`length(release_jws)`.as("manifest_length"))
        .where("device_type", "=", deviceType)
        .where("is_active", "=", 1)
        .orderBy("id")
        .execute();
      return rows.map((row) => ({
        ...toRecord(row),
        isSigned: row.manifest_length > 0,
        manifestLength: row.manifest_length,
      }));
    },

    async changeFirmware(id, changes, time) {
      const row = await db
        .updateTable("firmware")
        .set({
          updated_at: time,
          ...(changes.isStable === undefined ? {} : { is_stable: Number(changes.isStable) }),
          ...(changes.isActive === undefined ? {} : { is_active: Number(changes.isActive) }),
          ...(changes.minCurrentVersion === undefined
            ? {}
            : { min_current_version: changes.minCurrentVersion }),
          ...(changes.notes === undefined ? {} : { notes: changes.notes }),
        })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst();
      await forgetNoOpKeys(db);
      return row && toFirmware(row);
    },
  };
}

const SUMMARY_COLUMNS = [
  "id",
  "device_type",
  "hardware",
  "chip",
  "version",
  "build_number",
  "filename",
  "file_size",
  "file_hash",
  "binary_path",
  "image_sha256",
  "is_stable",
  "is_active",
  "min_current_version",
  "security_version",
  "notes",
  "md5",
  "sha1",
  "expires_at",
  "created_at",
  "updated_at",
] as const satisfies readonly (keyof FirmwareTable)[];

const toFirmware = (row: Selectable<FirmwareTable>): Firmware => ({
  ...toRecord(row),
  release: row.release_jws === "" ? null : row.release_jws,
});

const toRecord = (row: Omit<Selectable<FirmwareTable>, "release_jws">): Omit<Firmware, "release"> => ({
  id: row.id,
  deviceType: row.device_type,
  hardware: row.hardware,
  chip: row.chip,
  version: row.version,
  buildNumber: row.build_number,
  filename: row.filename,
  fileSize: row.file_size,
  fileHash: row.file_hash,
  binaryPath: row.binary_path,
  imageSha256: row.image_sha256,
  isStable: row.is_stable !== 0,
  isActive: row.is_active !== 0,
  minCurrentVersion: row.min_current_version,
  securityVersion: row.security_version,
  notes: row.notes,
  md5: row.md5,
  sha1: row.sha1,
  expiresAt: row.expires_at,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const toFirmwareRow = (firmware: NewFirmware): Insertable<FirmwareTable> => ({
  device_type: firmware.deviceType,
  hardware: firmware.hardware,
  chip: firmware.chip,
  version: firmware.version,
  build_number: firmware.buildNumber,
  filename: firmware.filename,
  file_size: firmware.fileSize,
  file_hash: firmware.fileHash,
  binary_path: firmware.binaryPath,
  image_sha256: firmware.imageSha256,
  is_stable: Number(firmware.isStable),
  is_active: Number(firmware.isActive),
  min_current_version: firmware.minCurrentVersion,
  security_version: firmware.securityVersion,
  notes: firmware.notes,
  md5: firmware.md5,
  sha1: firmware.sha1,
  release_jws: firmware.release ?? "",
  expires_at: firmware.expiresAt,
  created_at: firmware.createdAt,
  updated_at: firmware.createdAt,
});
