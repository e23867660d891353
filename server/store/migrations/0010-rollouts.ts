// Rollouts and their devices.

import { sql } from "kysely";
import type { StoreMigration } from "./migration.js";

export const rollouts: StoreMigration = {
  name: "0010_rollouts",
  async up(db, columns) {
    await db.schema
      .createTable("rollouts")
      .addColumn("id", columns.integer, columns.countUp)
      .addColumn("firmware_id", columns.integer, (column) => column.notNull().references("firmware.id"))
      .addColumn("name", columns.text, (column) => column.notNull())
      .addColumn("plan", columns.json, (column) => column.notNull())
      .addColumn("state", columns.text, (column) =>
        column
          .notNull()
          .check(
            sql`state in ('draft', 'awaiting_approval', 'scheduled', 'running', 'paused', 'cancelled', 'finished')`,
          ),
      )
      .addColumn("reason", columns.text, (column) => column.notNull())
      .addColumn("stage", columns.integer, (column) => column.notNull())
      .addColumn("stage_since", columns.time, (column) => column.notNull())
      .addColumn("gates_since", columns.time, (column) => column.notNull())
      .addColumn("stage_sizes", columns.json, (column) => column.notNull())
      .addColumn("sizes_at", columns.time, (column) => column.notNull())
      .addColumn("evaluated_at", columns.time, (column) => column.notNull())
      .addColumn("created_by", columns.text, (column) => column.notNull())
      .addColumn("approved_by", columns.text)
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .addColumn("updated_at", columns.time, (column) => column.notNull())
      .addColumn("started_at", columns.time)
      .addColumn("ended_at", columns.time)
      .execute();
    await db.schema.createIndex("rollouts_firmware").on("rollouts").column("firmware_id").execute();
    await db.schema.createIndex("rollouts_state").on("rollouts").column("state").execute();

    await db.schema
      .createTable("rollout_members")
      .addColumn("rollout_id", columns.integer, (column) => column.notNull().references("rollouts.id"))
      .addColumn("device_id", columns.text, (column) => column.notNull().references("devices.id"))
      .addColumn("firmware_id", columns.integer, (column) => column.notNull().references("firmware.id"))
      .addColumn("stage", columns.integer, (column) => column.notNull())
      .addColumn("from_version", columns.text, (column) => column.notNull())
      .addColumn("first_given_at", columns.time, (column) => column.notNull())
      .addColumn("last_given_at", columns.time, (column) => column.notNull())
      .addColumn("lease_until", columns.time)
      .addColumn("is_updating", columns.flag, (column) => column.notNull())
      .addColumn("outcome", columns.text, (column) =>
        column.check(sql`outcome in ('validated', 'failed', 'rolled_back')`),
      )
      .addColumn("outcome_at", columns.time)
      .addColumn("error_code", columns.text)
      .addPrimaryKeyConstraint("rollout_members_key", ["rollout_id", "device_id"])
      .execute();
    await db.schema.createIndex("rollout_members_device").on("rollout_members").column("device_id").execute();
    // Few of a fleet hold a lease at a time: counting them reads those few.
    await sql`create index rollout_members_lease on rollout_members (rollout_id, lease_until) where lease_until is not null`.execute(
      db,
    );
    // Who rolled a firmware back is asked for whole fleets.
    await sql`create index updates_rolled_back on updates (firmware_id, device_id) where error_code = 'ROLLED_BACK'`.execute(
      db,
    );
  },
};
