// What devices are told not to install: the sequence of each release becomes a column, read out of its manifest, and deleted releases leave their digests.

import type { Kysely } from "kysely";
import type { StoreMigration } from "./migration.js";

interface Old {
  firmware: { id: number; release_jws: string; sequence: number };
}
const PAGE_SIZE = 100;

export const withdrawnReleases: StoreMigration = {
  name: "0156_withdrawn_releases",
  async up(db, columns) {
    await db.schema
      .alterTable("firmware")
      .addColumn("sequence", columns.time, (column) => column.notNull().defaultTo(0))
      .execute();
    await fillSequences(db as Kysely<Old>);
    await db.schema
      .createTable("deleted_releases")
      .addColumn("device_type", columns.text, (column) => column.notNull())
      .addColumn("image_sha256", columns.text, (column) => column.notNull())
      .addColumn("sequence", columns.time, (column) => column.notNull())
      .addColumn("deleted_at", columns.time, (column) => column.notNull())
      .addPrimaryKeyConstraint("deleted_releases_key", ["device_type", "image_sha256"])
      .execute();
  },
};

async function fillSequences(db: Kysely<Old>): Promise<void> {
  for (let last = 0; ; ) {
    const rows = await db
      .selectFrom("firmware")
      .select(["id", "release_jws"])
      .where("id", ">", last)
      .where("release_jws", "<>", "")
      .orderBy("id")
      .limit(PAGE_SIZE)
      .execute();
    for (const { id, release_jws } of rows) {
      const sequence = sequenceIn(release_jws);
      if (sequence > 0) await db.updateTable("firmware").set({ sequence }).where("id", "=", id).execute();
    }
    const end = rows.at(-1);
    if (!end || rows.length < PAGE_SIZE) return;
    last = end.id;
  }
}

/** Of a manifest, compact or general; 0: it has none, or cannot be read. */
function sequenceIn(jws: string): number {
  try {
    const payload: unknown = jws.startsWith("{") ? JSON.parse(jws).payload : jws.split(".")[1];
    const { sequence } = JSON.parse(Buffer.from(`${payload}`, "base64url").toString("utf8"));
    return Number.isInteger(sequence) && sequence > 0 ? sequence : 0;
  } catch {
    return 0;
  }
}
