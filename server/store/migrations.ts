// The history of the tables. A migration that was released is never edited: a change is a new one with the next number.

import { type Kysely, type Migration, type MigrationProvider, sql } from "kysely";

const first: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable("devices")
      .addColumn("id", "text", (column) => column.primaryKey().notNull())
      .addColumn("type", "text", (column) => column.notNull())
      .addColumn("hardware", "text")
      .addColumn("chip", "text")
      .addColumn("mac", "text")
      .addColumn("version", "text", (column) => column.notNull())
      .addColumn("build", "integer", (column) => column.notNull())
      .addColumn("image_sha256", "text")
      .addColumn("slot", "text")
      .addColumn("slot_state", "text")
      .addColumn("boot_count", "integer")
      .addColumn("reset_reason", "text")
      .addColumn("free_heap", "integer")
      .addColumn("rssi", "integer")
      .addColumn("uptime_seconds", "integer")
      .addColumn("address", "text")
      .addColumn("first_seen", "integer", (column) => column.notNull())
      .addColumn("last_seen", "integer", (column) => column.notNull())
      .execute();
    await db.schema.createIndex("devices_last_seen").on("devices").column("last_seen").execute();

    await db.schema
      .createTable("firmware")
      .addColumn("id", "integer", (column) => column.primaryKey().autoIncrement())
      .addColumn("device_type", "text", (column) => column.notNull())
      .addColumn("hardware", "text", (column) => column.notNull())
      .addColumn("chip", "text", (column) => column.notNull())
      .addColumn("version", "text", (column) => column.notNull())
      .addColumn("build_number", "integer", (column) => column.notNull())
      .addColumn("filename", "text", (column) => column.notNull())
      .addColumn("file_size", "integer", (column) => column.notNull())
      .addColumn("file_hash", "text", (column) => column.notNull())
      .addColumn("binary_path", "text", (column) => column.notNull())
      .addColumn("image_sha256", "text", (column) => column.notNull())
      .addColumn("is_stable", "integer", (column) => column.notNull())
      .addColumn("is_active", "integer", (column) => column.notNull())
      .addColumn("min_current_version", "text")
      .addColumn("security_version", "integer", (column) => column.notNull())
      .addColumn("notes", "text")
      .addColumn("release_jws", "text", (column) => column.notNull())
      .addColumn("expires_at", "integer")
      .addColumn("created_at", "integer", (column) => column.notNull())
      .addColumn("updated_at", "integer", (column) => column.notNull())
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
      .addColumn("id", "integer", (column) => column.primaryKey().autoIncrement())
      .addColumn("device_id", "text", (column) => column.notNull().references("devices.id"))
      .addColumn("firmware_id", "integer", (column) => column.notNull().references("firmware.id"))
      .addColumn("status", "text", (column) =>
        column.notNull().check(sql`status in ('pending', 'downloading', 'installing', 'success', 'failed')`),
      )
      .addColumn("step", "text")
      .addColumn("from_version", "text", (column) => column.notNull())
      .addColumn("from_build", "integer", (column) => column.notNull())
      .addColumn("bytes_downloaded", "integer", (column) => column.notNull())
      .addColumn("error_code", "text")
      .addColumn("error_message", "text")
      .addColumn("created_at", "integer", (column) => column.notNull())
      .addColumn("updated_at", "integer", (column) => column.notNull())
      .addColumn("finished_at", "integer")
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
      .addColumn("id", "integer", (column) => column.primaryKey().autoIncrement())
      .addColumn("time", "integer", (column) => column.notNull())
      .addColumn("kind", "text", (column) => column.notNull())
      .addColumn("device_id", "text")
      .addColumn("firmware_id", "integer")
      .addColumn("update_id", "integer")
      .addColumn("message", "text", (column) => column.notNull())
      .addColumn("detail", "text")
      .execute();
    await db.schema.createIndex("events_device").on("events").columns(["device_id", "id"]).execute();
  },
};

export const migrations: MigrationProvider = {
  getMigrations: async () => ({ "0001_first": first }),
};
