// How devices prove who they are, and who may register.

import type { StoreMigration } from "./migration.js";

export const deviceIdentities: StoreMigration = {
  name: "0022_device_identities",
  async up(db, columns) {
    await db.schema
      .createTable("device_identities")
      .addColumn("device_id", columns.text, (column) => column.primaryKey().notNull())
      .addColumn("device_type", columns.text, (column) => column.notNull())
      .addColumn("state", columns.text, (column) => column.notNull())
      .addColumn("token_hash", columns.text)
      .addColumn("issued", columns.json, (column) => column.notNull())
      .addColumn("is_rotating", columns.flag, (column) => column.notNull())
      .addColumn("interval_seconds", columns.integer)
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .addColumn("updated_at", columns.time, (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex("device_identities_state")
      .on("device_identities")
      .columns(["state", "device_id"])
      .execute();

    await db.schema
      .createTable("enrolment_tokens")
      .addColumn("id", columns.integer, columns.countUp)
      .addColumn("name", columns.text, (column) => column.notNull())
      .addColumn("hash", columns.text, (column) => column.notNull().unique())
      .addColumn("device_type", columns.text)
      .addColumn("max_use_count", columns.integer)
      .addColumn("use_count", columns.integer, (column) => column.notNull())
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .addColumn("expires_at", columns.time)
      .addColumn("revoked_at", columns.time)
      .execute();

    await db.schema
      .createTable("registration_policies")
      .addColumn("device_type", columns.text, (column) => column.primaryKey().notNull())
      .addColumn("registration", columns.text, (column) => column.notNull())
      .addColumn("tokens", columns.text, (column) => column.notNull())
      .execute();
  },
};
