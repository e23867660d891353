// Rollouts in SQL. What a person decides about one is read and written whole, as JSON; what changes by itself has columns.

import { type Kysely, type Selectable, sql } from "kysely";
import {
  NO_LABELS,
  NO_STAGE_TALLY,
  planOf,
  type Rollout,
  type RolloutPlan,
  type Tally,
  tallyOf,
} from "../../shared/rollout.js";
import type { Member, NewRollout, RolloutStore } from "../rollouts.js";
import { isUncounted, selectUncounted } from "./counted.js";
import { readFact } from "./fleet-facts.js";
import { forgetNoOpKeys } from "./no-op-checks.js";
import { pageOf } from "./page.js";
import { recordsOf } from "./rows.js";
import { runStatement } from "./statement.js";
import { tableOf } from "./table.js";
import type { RolloutRecord, Tables } from "./tables.js";

const rollouts = recordsOf<RolloutRecord>({ stageSizes: "json" });
const members = tableOf<Member, "rollout_members">("rollout_members", { isUpdating: "flag" });

export function createRolloutStore(db: Kysely<Tables>): RolloutStore {
  const governing = async (deviceType: string): Promise<readonly Rollout[]> => {
    const rows = await db
      .selectFrom("rollouts")
      .innerJoin("firmware", "firmware.id", "rollouts.firmware_id")
      .selectAll("rollouts")
      .where("firmware.device_type", "=", deviceType)
      .where("firmware.is_active", "=", 1)
      .orderBy("rollouts.id")
      .execute();
    return rows.map(toRollout);
  };
  return {
    async addRollout(rollout) {
      const row = await db
        .insertInto("rollouts")
        .values(toRolloutRow(rollout))
        .returningAll()
        .executeTakeFirstOrThrow();
      await forgetNoOpKeys(db);
      return toRollout(row);
    },

    async putRollout(rollout) {
      const changing = toRolloutRow(rollout);
      const known = await db
        .selectFrom("rollouts")
        .select(["firmware_id", "plan", "state", "stage"])
        .where("id", "=", rollout.id)
        .executeTakeFirst();
      await db.updateTable("rollouts").set(changing).where("id", "=", rollout.id).execute();
      // It is put at every look at it, and seldom differs in what decisions depend on.
      const isSame =
        known?.firmware_id === changing.firmware_id &&
        known.plan === changing.plan &&
        known.state === changing.state &&
        known.stage === changing.stage;
      if (!isSame) await forgetNoOpKeys(db);
    },

    async findRollout(id) {
      const [row] = await runStatement(db, "find rollout", { id }, (slots) =>
        db.selectFrom("rollouts").selectAll().where("id", "=", slots.id),
      );
      return row && toRollout(row as never);
    },

    async listRollouts(filter, page) {
      let query = db.selectFrom("rollouts").innerJoin("firmware", "firmware.id", "rollouts.firmware_id");
      if (filter.states !== undefined) query = query.where("rollouts.state", "in", filter.states);
      if (filter.firmwareId !== undefined) query = query.where("firmware_id", "=", filter.firmwareId);
      if (filter.deviceType !== undefined)
        query = query.where("firmware.device_type", "=", filter.deviceType);
      if (filter.deviceTypes !== undefined)
        query = query.where("firmware.device_type", "in", filter.deviceTypes);
      return pageOf(query.selectAll("rollouts").orderBy("rollouts.id", "desc"), page, toRollout);
    },

    async governingRollouts(deviceType) {
      // Of a rollout only that there is one: what changes by itself has no revision.
      const hasSome = await readFact(
        db,
        `has rollouts ${deviceType}`,
        async () => (await governing(deviceType)).length > 0,
      );
      return hasSome ? governing(deviceType) : [];
    },

    findMembers: (deviceId) =>
      members.listSame(db, "in order", { deviceId }, (all) => all.orderBy("rollout_id")),

    listMembers: (filter, page) => members.page(members.select(db, filter).orderBy("device_id"), page),

    async scanDevices(type, rolloutId, afterId, limit) {
      // What a rollout looks at, and nothing else: whole rows take twice as long. PostgreSQL joins each piece with whole tables unless it
      // is told how small the piece is before.
      const piece = db
        .selectFrom("devices")
        .select(["id", "hardware", "chip", "version", "build", "image_sha256", "slot_state"])
        .where("type", "=", type)
        .where("id", ">", afterId)
        .orderBy("id")
        .limit(limit);
      const rows = await db
        .selectFrom(piece.as("d"))
        .leftJoin("device_labels as l", "l.device_id", "d.id")
        .leftJoin("rollout_members as m", (join) =>
          join.onRef("m.device_id", "=", "d.id").on("m.rollout_id", "=", rolloutId),
        )
        .leftJoin("device_identities as i", "i.device_id", "d.id")
        .select(["d.id", "d.hardware", "d.chip", "d.version", "d.build", "d.image_sha256", "d.slot_state"])
        .select(["l.group_name", "l.pin", "l.tags", "m.rollout_id"])
        .select(["i.state", "i.device_type", "i.vouched_type", "i.type_since"])
        .orderBy("d.id")
        .execute();
      return rows.map((row) => ({
        device: {
          id: row.id,
          type,
          hardware: row.hardware,
          chip: row.chip,
          version: row.version,
          build: row.build,
          imageSha256: row.image_sha256,
          slotState: row.slot_state,
          tags: row.tags === null ? NO_LABELS.tags : (JSON.parse(row.tags) as string[]),
          group: row.group_name,
          pin: row.pin,
        },
        isGiven: row.rollout_id !== null,
        identity: toIdentity(row),
      }));
    },

    async putMember(member) {
      await members.put(db, member, ["rolloutId", "deviceId"], ["firstGivenAt"]);
    },

    async countLeases(rolloutIds, now) {
      if (rolloutIds.length === 0) return new Map();
      const rows = await db
        .selectFrom("rollout_members as m")
        .innerJoin("rollouts as r", "r.id", "m.rollout_id")
        .leftJoin("device_identities as i", "i.device_id", "m.device_id")
        .select(["m.rollout_id", sql<number>`count(*)`.as("count")])
        .select(counted(isUncounted(sql.ref("r.started_at"))).as("uncounted"))
        .where("m.rollout_id", "in", rolloutIds)
        .where("m.lease_until", "is not", null)
        .where("m.lease_until", ">", now)
        .groupBy("m.rollout_id")
        .execute();
      return new Map(
        rows.map(({ rollout_id, count, uncounted }) => [
          rollout_id,
          { count, countedCount: count - uncounted },
        ]),
      );
    },

    tallyRollout: (rollout, now) => tally(db, rollout, now),

    async listRolledBack(firmwareId, minCount) {
      const rows = await db
        .selectFrom("updates")
        .select("device_id")
        .where("firmware_id", "=", firmwareId)
        .where("error_code", "=", sql.lit("ROLLED_BACK"))
        .groupBy("device_id")
        .having(sql<number>`count(*)`, ">=", minCount)
        .execute();
      return rows.map(({ device_id }) => device_id);
    },
  };
}

/** Columns of an identity that may be missing. */
type JoinedIdentity = {
  [Column in "state" | "device_type" | "vouched_type" | "type_since"]:
    | Selectable<Tables["device_identities"]>[Column]
    | null;
};
const toIdentity = ({ state, device_type, vouched_type, type_since }: JoinedIdentity) =>
  state === null || device_type === null || type_since === null
    ? undefined
    : { state, deviceType: device_type, vouchedType: vouched_type, typeSince: type_since };

/** One pass over the members, each with when its device was last seen, and whether it counts. */
async function tally(db: Kysely<Tables>, rollout: Rollout, now: number): Promise<Tally> {
  const { stages, stage, gates, gatesSince } = rollout;
  const soakMs = stages[stage]?.soakMs ?? 0;
  const isValidated = sql`m.outcome = 'validated'`;
  // Silence counts from the moment it is noticed.
  const isSilent = sql`d.last_seen < ${now - gates.silentAfterMs} and (m.is_updating = 1 or (${isValidated} and d.last_seen < m.outcome_at + ${soakMs}))`;
  const isNewlySilent = sql`${isSilent} and d.last_seen > ${gatesSince - gates.silentAfterMs}`;
  const isRecent = sql`m.outcome_at > ${gatesSince}`;
  const reached = sql`(m.outcome is not null and ${isRecent}) or (m.is_updating = 1 and d.last_seen > ${gatesSince - gates.silentAfterMs})`;
  const all = await db
    .selectFrom("rollout_members as m")
    // SQLite goes through the members first only if it is told so.
    .crossJoin("devices as d")
    .leftJoin(selectUncounted(db, rollout.startedAt).as("u"), "u.device_id", "m.device_id")
    .select([
      "m.stage",
      sql<number>`case when u.device_id is null then 1 else 0 end`.as("isCounted"),
      sql<number>`count(*)`.as("givenCount"),
      counted(sql`m.lease_until > ${now}`).as("updatingCount"),
      counted(isValidated).as("validatedCount"),
      counted(sql`${isValidated} and d.last_seen >= m.outcome_at + ${soakMs}`).as("soakedCount"),
      counted(sql`m.outcome = 'failed'`).as("failedCount"),
      counted(sql`m.outcome = 'rolled_back'`).as("rolledBackCount"),
      counted(isSilent).as("silentCount"),
      counted(sql`${isValidated} and ${isRecent}`).as("recentValidatedCount"),
      counted(sql`m.outcome = 'failed' and ${isRecent}`).as("recentFailedCount"),
      counted(sql`m.outcome = 'rolled_back' and ${isRecent}`).as("recentRolledBackCount"),
      counted(isNewlySilent).as("recentSilentCount"),
      counted(reached).as("recentReachedCount"),
    ])
    .where("m.rollout_id", "=", rollout.id)
    .whereRef("d.id", "=", "m.device_id")
    .groupBy(["m.stage", sql`2`])
    .execute();
  const rows = all.filter(({ isCounted }) => isCounted === 1);
  const total = (pick: (row: (typeof rows)[number]) => number) =>
    rows.reduce((sum, row) => sum + pick(row), 0);
  return {
    stages: stages.map((_, index) => {
      const row = rows.find((one) => one.stage === index);
      return row ? tallyOf((field) => row[field]) : NO_STAGE_TALLY;
    }),
    uncountedCount: all
      .filter(({ isCounted }) => isCounted === 0)
      .reduce((sum, { givenCount }) => sum + givenCount, 0),
    recent: {
      validatedCount: total((row) => row.recentValidatedCount),
      failedCount: total((row) => row.recentFailedCount),
      rolledBackCount: total((row) => row.recentRolledBackCount),
      silentCount: total((row) => row.recentSilentCount),
      reachedCount: total((row) => row.recentReachedCount),
    },
  };
}

const counted = (condition: ReturnType<typeof sql>) =>
  sql<number>`sum(case when ${condition} then 1 else 0 end)`;

const toRollout = ({ plan, ...row }: Selectable<Tables["rollouts"]>): Rollout => ({
  ...(JSON.parse(plan) as RolloutPlan),
  ...rollouts.toItem(row),
});

function toRolloutRow(rollout: NewRollout) {
  const { name: _name, firmwareId: _firmwareId, ...plan } = planOf(rollout);
  const columns = Object.entries(rollout).filter(([field]) => !(field in plan));
  return {
    ...rollouts.toRow(Object.fromEntries(columns) as unknown as Omit<RolloutRecord, "id">),
    plan: JSON.stringify(plan),
  };
}
