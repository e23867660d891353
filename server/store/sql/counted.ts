// Which devices a rollout counts (devices/vouching.ts), in SQL. `i` is the table of identities; a device without an identity was here
// before there were any, and counts.

import { type Kysely, type RawBuilder, sql } from "kysely";
import type { Tables } from "./tables.js";

export const isUnvouched = sql<boolean>`(i.vouched_type is null or i.vouched_type <> i.device_type)`;

/** @param startedAt the column of when the rollout began; null where it has not: then every known device counts */
export const isUncounted = (startedAt: RawBuilder<number | null>) =>
  sql<boolean>`(i.state <> 'approved' or (i.type_since > ${startedAt} and ${isUnvouched}))`;

/**
 * The ids of devices that a rollout does not count, from two indexes: there are few of them, and to look at the identity of each of
 * 100 000 members took twice as long on PostgreSQL.
 * @param startedAt when the rollout began; `null`: it has not
 */
export const selectUncounted = (db: Kysely<Tables>, startedAt: number | null) =>
  db
    .selectFrom("device_identities as i")
    .select("i.device_id")
    .where("i.state", "=", "approved")
    .where("i.type_since", ">", startedAt ?? Number.MAX_SAFE_INTEGER)
    .where(isUnvouched)
    .unionAll(
      db
        .selectFrom("device_identities as i")
        .select("i.device_id")
        .where("i.state", "in", ["pending", "blocked"]),
    );
