// Times that were stored while a clock was ahead, corrected in SQL. Two tables say what each column means; a column that is in neither is
// shown only, or was chosen by a person.

import { type Kysely, sql } from "kysely";
import type { RolloutPlan } from "../../shared/rollout.js";
import { CLOCK_SKEW_MS, type ClockStore } from "../clock.js";
import { forgetNoOpKeys } from "./no-op-checks.js";
import type { Tables } from "./tables.js";

type Columns = Readonly<Partial<Record<keyof Tables, readonly string[]>>>;

/** When something has happened: not later than now. */
export const HAPPENED: Columns = Object.freeze({
  // Its status, and silence in rollouts.
  devices: ["first_seen", "last_seen", "frozen_since", "stated_at"],
  // A statement names the latest.
  deleted_releases: ["deleted_at"],
  device_sightings: ["seen_at"],
  // Rollouts count a device that was known before they began.
  device_identities: ["created_at", "updated_at", "type_since", "vouched_at"],
  // Waits after failures count from it, and the time that a claim has to come true.
  updates: ["created_at", "updated_at", "finished_at"],
  // The soak counts from it, and gates count what came after `gates_since`.
  rollout_members: ["first_given_at", "last_given_at", "outcome_at"],
  rollouts: [
    "created_at",
    "updated_at",
    "started_at",
    "ended_at",
    "stage_since",
    "gates_since",
    "sizes_at",
    "evaluated_at",
  ],
  // Idle sessions end; the successor of a token is shared for seconds.
  sessions: ["last_used_at", "next_at", "ended_at"],
  removed_devices: ["removed_at"],
  known_clients: ["seen_at"],
  api_tokens: ["last_used_at"],
  // It signs for a month.
  signing_keys: ["created_at"],
});

/** Times that were counted from another one: `[from, until]`. Both move by what `from` is ahead. */
export const COUNTED: Readonly<Partial<Record<keyof Tables, readonly [from: string, until: string]>>> =
  Object.freeze({
    sessions: ["created_at", "expires_at"],
    one_time_links: ["created_at", "expires_at"],
    api_tokens: ["created_at", "expires_at"],
    enrolment_tokens: ["created_at", "expires_at"],
    device_orders: ["created_at", "expires_at"],
    webhook_deliveries: ["updated_at", "due_at"],
  });

/** No bucket of sign-ins takes longer to fill (throttle.ts); one that does is corrected when it is used. */
const LONGEST_FILL_MS = 30 * 60_000;

export function createClockStore(db: Kysely<Tables>): ClockStore {
  return {
    async pullBackTimes(now) {
      const latest = now + CLOCK_SKEW_MS;
      let count = 0;
      for (const [table, columns] of Object.entries(HAPPENED))
        count += await pullBack(db, table, columns, now);
      for (const [table, [from, until]] of Object.entries(COUNTED))
        count += await countOf(
          sql`
          update ${sql.table(table)} set ${sql.ref(until)} = ${sql.ref(until)} - (${sql.ref(from)} - ${now}), ${sql.ref(from)} = ${now}
          where ${sql.ref(from)} > ${latest}`.execute(db),
        );
      count += await pullBackLeases(db, now);
      // They would be the newest for years, and a full bucket is no row.
      count += await countOf(sql`delete from version_samples where time > ${latest}`.execute(db));
      count += await countOf(
        sql`delete from login_buckets where full_at > ${latest + LONGEST_FILL_MS}`.execute(db),
      );
      // A release that had expired by that clock is not offered, and keys say that nothing is.
      if (count > 0) await forgetNoOpKeys(db);
      return count;
    },
  };
}

function pullBack(db: Kysely<Tables>, table: string, columns: readonly string[], now: number) {
  const latest = now + CLOCK_SKEW_MS;
  const isAhead = (column: string) => sql`${sql.ref(column)} > ${latest}`;
  const changes = columns.map(
    (column) =>
      sql`${sql.ref(column)} = case when ${isAhead(column)} then ${now} else ${sql.ref(column)} end`,
  );
  return countOf(
    sql`update ${sql.table(table)} set ${sql.join(changes)} where ${sql.join(columns.map(isAhead), sql` or `)}`.execute(
      db,
    ),
  );
}

/** Nobody knows when a lease was given: it is as long as one that is given now. */
async function pullBackLeases(db: Kysely<Tables>, now: number): Promise<number> {
  const rollouts = await db
    .selectFrom("rollouts")
    .select(["id", "plan"])
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom("rollout_members")
          .select("device_id")
          .whereRef("rollout_members.rollout_id", "=", "rollouts.id")
          .where("lease_until", ">", now + CLOCK_SKEW_MS),
      ),
    )
    .execute();
  let count = 0;
  for (const { id, plan } of rollouts) {
    const leaseUntil = now + (JSON.parse(plan) as RolloutPlan).leaseMs;
    count += await countOf(
      sql`
      update rollout_members set lease_until = ${leaseUntil}
      where rollout_id = ${id} and lease_until > ${leaseUntil + CLOCK_SKEW_MS}`.execute(db),
    );
  }
  return count;
}

const countOf = async (result: Promise<{ readonly numAffectedRows?: bigint | undefined }>): Promise<number> =>
  Number((await result).numAffectedRows ?? 0n);
