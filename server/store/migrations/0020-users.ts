// Users, sessions, one-time links, API tokens and the keys of access tokens.

import type { StoreMigration } from "./migration.js";

export const users: StoreMigration = {
  name: "0020_users",
  async up(db, columns) {
    await db.schema
      .createTable("users")
      .addColumn("id", columns.integer, columns.countUp)
      .addColumn("name", columns.text, (column) => column.notNull().unique())
      .addColumn("role", columns.text, (column) => column.notNull())
      .addColumn("password_hash", columns.text)
      .addColumn("is_active", columns.flag, (column) => column.notNull())
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .addColumn("updated_at", columns.time, (column) => column.notNull())
      .addColumn("last_login_at", columns.time)
      .execute();

    await db.schema
      .createTable("sessions")
      .addColumn("id", columns.text, (column) => column.primaryKey().notNull())
      .addColumn("user_id", columns.integer, (column) => column.notNull().references("users.id"))
      .addColumn("address", columns.text, (column) => column.notNull())
      .addColumn("client", columns.text, (column) => column.notNull())
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .addColumn("last_used_at", columns.time, (column) => column.notNull())
      .addColumn("expires_at", columns.time, (column) => column.notNull())
      .addColumn("refresh_hash", columns.text, (column) => column.notNull())
      .addColumn("next_hash", columns.text)
      .addColumn("next_at", columns.time)
      .addColumn("ended_at", columns.time)
      .addColumn("end_reason", columns.text)
      .execute();
    await db.schema.createIndex("sessions_user").on("sessions").column("user_id").execute();
    await db.schema.createIndex("sessions_expiry").on("sessions").column("expires_at").execute();

    await db.schema
      .createTable("one_time_links")
      .addColumn("hash", columns.text, (column) => column.primaryKey().notNull())
      .addColumn("user_id", columns.integer, (column) => column.references("users.id"))
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .addColumn("expires_at", columns.time, (column) => column.notNull())
      .execute();

    await db.schema
      .createTable("api_tokens")
      .addColumn("id", columns.integer, columns.countUp)
      .addColumn("user_id", columns.integer, (column) => column.notNull().references("users.id"))
      .addColumn("name", columns.text, (column) => column.notNull())
      .addColumn("hash", columns.text, (column) => column.notNull().unique())
      .addColumn("scopes", columns.json, (column) => column.notNull())
      .addColumn("device_types", columns.json)
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .addColumn("expires_at", columns.time)
      .addColumn("last_used_at", columns.time)
      .addColumn("revoked_at", columns.time)
      .execute();

    await db.schema
      .createTable("signing_keys")
      .addColumn("kid", columns.text, (column) => column.primaryKey().notNull())
      .addColumn("private_key", columns.json, (column) => column.notNull())
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .execute();
  },
};
