// Who vouched for a device, and since when it is known as one of its type: what a rollout counts goes by that. Of devices that were
// here before, it is taken from the log and the audit log as far as they go back.

import { sql } from "kysely";
import type { StoreMigration } from "./migration.js";

export const vouching: StoreMigration = {
  name: "0121_vouching",
  async up(db, columns, dialect) {
    for (const column of ["vouched_how", "vouched_by", "vouched_type"])
      await db.schema.alterTable("device_identities").addColumn(column, columns.text).execute();
    await db.schema.alterTable("device_identities").addColumn("vouched_at", columns.time).execute();
    await db.schema
      .alterTable("device_identities")
      .addColumn("type_since", columns.time, (column) => column.notNull().defaultTo(0))
      .execute();
    await sql`update device_identities set type_since = created_at`.execute(db);

    const tokenId =
      dialect === "sqlite"
        ? sql`json_extract(e.detail, '$.enrolment_token_id')`
        : sql`(e.detail::json ->> 'enrolment_token_id')::bigint`;
    await sql`
      update device_identities set vouched_how = 'enrolment', vouched_type = device_type,
        vouched_by = (select t.name from enrolment_tokens t where t.id = ${tokenId}), vouched_at = e.time
      from events e
      where e.device_id = device_identities.device_id and e.id in
        (select max(id) from events where kind = 'device.enrolled' group by device_id)`.execute(db);
    for (const [action, how] of [
      ["device.token-given", "token"],
      ["device.approve", "approval"],
    ] as const)
      await sql`
        update device_identities set vouched_how = ${sql.lit(how)}, vouched_type = device_type,
          vouched_by = a.actor, vouched_at = a.time
        from audit a
        where a.subject = 'device/' || device_identities.device_id and a.id in
          (select max(id) from audit where action = ${sql.lit(action)} group by subject)`.execute(db);

    await db.schema
      .createIndex("device_identities_type_since")
      .on("device_identities")
      .column("type_since")
      .execute();
  },
};
