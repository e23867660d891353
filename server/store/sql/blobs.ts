// Which blobs are needed, in SQL.

import { type Kysely, sql } from "kysely";
import type { BlobUseStore } from "../blobs.js";
import { BLOB_COLUMNS, type Tables } from "./tables.js";

export function createBlobUseStore(db: Kysely<Tables>): BlobUseStore {
  return {
    async findUsedBlobs(sha256s) {
      const used = new Set<string>();
      if (sha256s.length === 0) return used;
      for (const [table, column] of BLOB_COLUMNS) {
        const name = sql.ref(column);
        const { rows } = await sql<{ sha256: string }>`
          select distinct ${name} as sha256 from ${sql.table(table)} where ${name} in (${sql.join(sha256s)})`.execute(
          db,
        );
        for (const { sha256 } of rows) used.add(sha256);
      }
      return used;
    },
  };
}
