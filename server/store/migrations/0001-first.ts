// The first tables: devices, firmware, updates, events.

import { sql } from "kysely";
import type { StoreMigration } from "./migration.js";

export const first: StoreMigration = {
  name: "0001_first",
  async up(db, columns) {
    await db.schema
      .createTable("devices")
      .addColumn("id", columns.text, (column) => column.primaryKey().notNull())
      .addColumn("type", columns.text, (column) => column.notNull())
      .addColumn("hardware", columns.text)
      .addColumn("chip", columns.text)
      .addColumn("mac", columns.text)
      .addColumn("version", columns.text, (column) => column.notNull())
      .addColumn("build", columns.integer, (column) => column.notNull())
      .addColumn("image_sha256", columns.text)
      .addColumn("slot", columns.text)
      .addColumn("slot_state", columns.text)
      .addColumn("boot_count", columns.integer)
      .addColumn("reset_reason", columns.text)
      .addColumn("free_heap", columns.integer)
      .addColumn("rssi", columns.integer)
      .addColumn("uptime_seconds", columns.real)
      .addColumn("address", columns.text)
      .addColumn("first_seen", columns.time, (column) => column.notNull())
      .addColumn("last_seen", columns.time, (column) => column.notNull())
      .execute();
    await db.schema.createIndex("devices_last_seen").on("devices").column("last_seen").execute();

    await db.schema
      .createTable("firmware")
      .addColumn("id", columns.integer, columns.countUp)
      .addColumn("device_type", columns.text, (column) => column.notNull())
      .addColumn("hardware", columns.text, (column) => column.notNull())
      .addColumn("chip", columns.text, (column) => column.notNull())
      .addColumn("version", columns.text, (column) => column.notNull())
      .addColumn("build_number", columns.integer, (column) => column.notNull())
      .addColumn("filename", columns.text, (column) => column.notNull())
      .addColumn("file_size", columns.integer, (column) => column.notNull())
      .addColumn("file_hash", columns.text, (column) => column.notNull())
      .addColumn("binary_path", columns.text, (column) => column.notNull())
      .addColumn("image_sha256", columns.text, (column) => column.notNull())
      .addColumn("is_stable", columns.flag, (column) => column.notNull())
      .addColumn("is_active", columns.flag, (column) => column.notNull())
      .addColumn("min_current_version", columns.text)
      .addColumn("security_version", columns.integer, (column) => column.notNull())
      .addColumn("notes", columns.text)
      .addColumn("release_jws", columns.text, (column) => column.notNull())
      .addColumn("expires_at", columns.time)
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .addColumn("updated_at", columns.time, (column) => column.notNull())
      .addUniqueConstraint("firmware_identity", [
        "device_type",
        "hardware",
        "chip",
        "version",
        "build_number",
      ])
      .execute();

    await db.schema
      .createTable("updates")
      .addColumn("id", columns.integer, columns.countUp)
      .addColumn("device_id", columns.text, (column) => column.notNull().references("devices.id"))
      .addColumn("firmware_id", columns.integer, (column) => column.notNull().references("firmware.id"))
      .addColumn("status", columns.text, (column) =>
        column.notNull().check(sql`status in ('pending', 'downloading', 'installing', 'success', 'failed')`),
      )
      .addColumn("step", columns.text)
      .addColumn("from_version", columns.text, (column) => column.notNull())
      .addColumn("from_build", columns.integer, (column) => column.notNull())
      .addColumn("bytes_downloaded", columns.integer, (column) => column.notNull())
      .addColumn("error_code", columns.text)
      .addColumn("error_message", columns.text)
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .addColumn("updated_at", columns.time, (column) => column.notNull())
      .addColumn("finished_at", columns.time)
      .execute();
    await db.schema
      .createIndex("updates_device")
      .on("updates")
      .columns(["device_id", "firmware_id"])
      .execute();
    // At most one open attempt a device: the database says so too, not only the code above it.
    await sql`create unique index updates_open on updates (device_id) where status not in ('success', 'failed')`.execute(
      db,
    );

    await db.schema
      .createTable("events")
      .addColumn("id", columns.integer, columns.countUp)
      .addColumn("time", columns.time, (column) => column.notNull())
      .addColumn("kind", columns.text, (column) => column.notNull())
      .addColumn("device_id", columns.text)
      .addColumn("firmware_id", columns.integer)
      .addColumn("update_id", columns.integer)
      .addColumn("message", columns.text, (column) => column.notNull())
      .addColumn("detail", columns.json)
      .execute();
    await db.schema.createIndex("events_device").on("events").columns(["device_id", "id"]).execute();
  },
};
