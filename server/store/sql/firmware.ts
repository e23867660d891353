// Firmware in SQL.

import { type Kysely, type Selectable, sql } from "kysely";
import type { RolloutState } from "../../shared/rollout.js";
import { AlreadyExists } from "../errors.js";
import type { Firmware, FirmwareStore, NewFirmware } from "../firmware.js";
import { countOf } from "./count.js";
import type { SqlDialect } from "./database.js";
import { readFact } from "./fleet-facts.js";
import { forgetNoOpKeys } from "./no-op-checks.js";
import { pageOf } from "./page.js";
import { tableOf } from "./table.js";
import type { DeletedRelease, Tables } from "./tables.js";

const ENDED: readonly RolloutState[] = ["finished", "cancelled"];

const table = tableOf<Omit<Firmware, "release">, "firmware">("firmware", {
  isStable: "flag",
  isActive: "flag",
});

const deleted = tableOf<DeletedRelease, "deleted_releases">("deleted_releases", {});

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

    findFirmware: (id) =>
      readFact(db, `firmware ${id}`, async () => {
        const row = await table.select(db, { id }).executeTakeFirst();
        return row && toFirmware(row);
      }),

    listFirmware({ deviceTypes, ...filter }, page) {
      const all = table.select(db, filter);
      const some = deviceTypes ? all.where("device_type", "in", deviceTypes) : all;
      return pageOf(some.orderBy("id", "desc"), page, toFirmware);
    },

    async offeredFirmware(deviceType) {
      const rows = await table.select(db, { deviceType, isActive: true, isStable: true }).execute();
      return rows.map(toFirmware);
    },

    activeFirmware: (deviceType) =>
      readFact(db, `active firmware ${deviceType}`, async () => {
        const rows = await db
          .selectFrom("firmware")
          .select(SUMMARY_COLUMNS)
          .select(sql<number>`length(release_jws)`.as("manifest_length"))
          .where("device_type", "=", deviceType)
          .where("is_active", "=", 1)
          .orderBy("id")
          .execute();
        return rows.map(({ manifest_length: manifestLength, ...row }) => ({
          ...table.toItem(row),
          isSigned: manifestLength > 0,
          manifestLength,
        }));
      }),

    async changeFirmware(id, changes, time) {
      const row = await db
        .updateTable("firmware")
        .set(table.toRow({ ...changes, updatedAt: time }))
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst();
      await forgetNoOpKeys(db);
      return row && toFirmware(row);
    },

    async findFirmwareUses(firmware) {
      const { id, deviceType, version, buildNumber, imageSha256 } = firmware;
      const ofType = db.selectFrom("devices").where("type", "=", deviceType);
      const running = ofType.where(({ or, and, eb }) =>
        or([
          ...(imageSha256 === "" ? [] : [eb("image_sha256", "=", imageSha256)]),
          and([
            or([eb("image_sha256", "is", null), eb("image_sha256", "=", "")]),
            eb("version", "=", version),
            eb("build", "=", buildNumber),
          ]),
        ]),
      );
      const pinned = db
        .selectFrom("device_labels")
        .where("pin", "in", pinsOf(firmware))
        .where("device_id", "in", ofType.select("id"));
      const rollouts = db.selectFrom("rollouts").where("firmware_id", "=", id);
      const attempts = db
        .selectFrom("updates")
        .where("firmware_id", "=", id)
        .where("status", "not in", ["success", "failed"]);
      const distributions = db
        .selectFrom("ota_updates")
        .where("firmware_id", "=", id)
        .where("status", "in", ["pending", "distributing"]);
      return {
        runningCount: await countOf(running),
        pinnedCount: await countOf(pinned),
        openCount: (await countOf(attempts)) + (await countOf(distributions)),
        rolloutCount: await countOf(rollouts.where("state", "not in", ENDED)),
        endedRolloutCount: await countOf(rollouts.where("state", "in", ENDED)),
      };
    },

    async removeFirmware(id, time) {
      const known = await table.find(db, { id });
      if (known && known.imageSha256 !== "") {
        const { deviceType, imageSha256, sequence } = known;
        await deleted.put(db, { deviceType, imageSha256, sequence, deletedAt: time }, [
          "deviceType",
          "imageSha256",
        ]);
      }
      const rollouts = db.selectFrom("rollouts").select("id").where("firmware_id", "=", id);
      const distributions = db.selectFrom("ota_updates").select("id").where("firmware_id", "=", id);
      await db
        .deleteFrom("rollout_members")
        .where(({ or, eb }) => or([eb("rollout_id", "in", rollouts), eb("firmware_id", "=", id)]))
        .execute();
      await db.deleteFrom("ota_node_status").where("update_id", "in", distributions).execute();
      for (const table of ["rollouts", "ota_updates", "updates"] as const)
        await db.deleteFrom(table).where("firmware_id", "=", id).execute();
      await db.deleteFrom("firmware").where("id", "=", id).execute();
      await forgetNoOpKeys(db);
    },

    async listWithdrawn(deviceType, least, limit) {
      const of = <Table extends "firmware" | "deleted_releases">(table: Table) =>
        db
          .selectFrom<"firmware" | "deleted_releases">(table)
          .select(["image_sha256 as imageSha256", "sequence"])
          .where("device_type", "=", deviceType)
          .where("sequence", ">=", least)
          .orderBy("sequence", "desc")
          .limit(limit);
      const inactive = of("firmware").where("is_active", "=", 0).where("image_sha256", "<>", "");
      const rows = [
        ...(await inactive.where("release_jws", "<>", "").orderBy("id", "desc").execute()),
        ...(await of("deleted_releases").orderBy("deleted_at", "desc").execute()),
      ];
      return rows.sort((a, b) => b.sequence - a.sequence).slice(0, limit);
    },
  };
}

/** Versions as pins have them. */
const pinsOf = ({ version, buildNumber }: Firmware): readonly string[] =>
  buildNumber > 0 ? [`${version}+${buildNumber}`] : [version, `${version}+0`];

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
  "sequence",
  "notes",
  "md5",
  "sha1",
  "expires_at",
  "created_at",
  "updated_at",
] as const satisfies readonly (keyof Tables["firmware"])[];

const toFirmware = ({ release_jws, ...row }: Selectable<Tables["firmware"]>): Firmware => ({
  ...table.toItem(row),
  release: release_jws === "" ? null : release_jws,
});

const toFirmwareRow = ({ release, ...firmware }: NewFirmware) => ({
  ...table.toRow({ ...firmware, updatedAt: firmware.createdAt }),
  release_jws: release ?? "",
});
