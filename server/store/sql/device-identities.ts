// Device identities, enrolment tokens and registration policies in SQL.

import type { Generated, Insertable, Kysely, Selectable } from "kysely";
import type {
  DeviceIdentity,
  DeviceIdentityStore,
  DeviceState,
  EnrolmentToken,
  IssuedToken,
  RegistrationPolicy,
} from "../device-identities.js";
import { forgetNoOpKey, forgetNoOpKeys } from "./no-op-checks.js";
import { pageOf } from "./page.js";
import type { Tables } from "./tables.js";

export interface DeviceIdentityTable {
  device_id: string;
  device_type: string;
  state: string;
  token_hash: string | null;
  issued: string;
  is_rotating: number;
  interval_seconds: number | null;
  created_at: number;
  updated_at: number;
}

export interface EnrolmentTokenTable {
  id: Generated<number>;
  name: string;
  hash: string;
  device_type: string | null;
  max_use_count: number | null;
  use_count: number;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
}

export interface RegistrationPolicyTable {
  device_type: string;
  registration: string;
  tokens: string;
}

export function createDeviceIdentityStore(db: Kysely<Tables>): DeviceIdentityStore {
  return {
    async putIdentity(identity) {
      const { device_id: _id, created_at: _createdAt, ...changing } = toIdentityRow(identity);
      await db
        .insertInto("device_identities")
        .values(toIdentityRow(identity))
        .onConflict((conflict) => conflict.column("device_id").doUpdateSet(changing))
        .execute();
      await forgetNoOpKey(db, identity.deviceId);
    },

    async findIdentity(deviceId) {
      const row = await db
        .selectFrom("device_identities")
        .selectAll()
        .where("device_id", "=", deviceId)
        .executeTakeFirst();
      return row && toIdentity(row);
    },

    async findIdentities(deviceIds) {
      if (deviceIds.length === 0) return [];
      const rows = await db
        .selectFrom("device_identities")
        .selectAll()
        .where("device_id", "in", deviceIds)
        .execute();
      return rows.map(toIdentity);
    },

    async listIdentities({ state }, page) {
      let query = db.selectFrom("device_identities");
      if (state !== undefined) query = query.where("state", "=", state);
      return pageOf(query.selectAll().orderBy("device_id"), page, toIdentity);
    },

    async listBarred() {
      const rows = await db
        .selectFrom("device_identities")
        .select(["device_id", "state"])
        .where("state", "in", ["pending", "blocked"])
        .execute();
      return new Map(rows.map(({ device_id, state }) => [device_id, state as "pending" | "blocked"]));
    },

    async addEnrolmentToken(token) {
      const row = await db
        .insertInto("enrolment_tokens")
        .values({
          name: token.name,
          hash: token.hash,
          device_type: token.deviceType,
          max_use_count: token.maxUseCount,
          use_count: 0,
          created_at: token.createdAt,
          expires_at: token.expiresAt,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      return toEnrolmentToken(row);
    },

    async findEnrolmentToken(hash) {
      const row = await db
        .selectFrom("enrolment_tokens")
        .selectAll()
        .where("hash", "=", hash)
        .executeTakeFirst();
      return row && toEnrolmentToken(row);
    },

    async listEnrolmentTokens() {
      const rows = await db.selectFrom("enrolment_tokens").selectAll().orderBy("id", "desc").execute();
      return rows.map(toEnrolmentToken);
    },

    async changeEnrolmentToken(id, { useCount, revokedAt }) {
      const row = await db
        .updateTable("enrolment_tokens")
        .set({ id, use_count: useCount, revoked_at: revokedAt })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst();
      return row && toEnrolmentToken(row);
    },

    async putPolicy({ deviceType, registration, tokens }) {
      await db
        .insertInto("registration_policies")
        .values({ device_type: deviceType, registration, tokens })
        .onConflict((conflict) => conflict.column("device_type").doUpdateSet({ registration, tokens }))
        .execute();
      await forgetNoOpKeys(db);
    },

    async findPolicies(deviceTypes) {
      const rows = await db
        .selectFrom("registration_policies")
        .selectAll()
        .where("device_type", "in", deviceTypes)
        .execute();
      return rows.map(toPolicy);
    },

    async removePolicy(deviceType) {
      await db.deleteFrom("registration_policies").where("device_type", "=", deviceType).execute();
      await forgetNoOpKeys(db);
    },

    async listPolicies() {
      const rows = await db.selectFrom("registration_policies").selectAll().orderBy("device_type").execute();
      return rows.map(toPolicy);
    },
  };
}

const toIdentity = (row: Selectable<DeviceIdentityTable>): DeviceIdentity => ({
  deviceId: row.device_id,
  deviceType: row.device_type,
  state: row.state as DeviceState,
  tokenHash: row.token_hash,
  issued: JSON.parse(row.issued) as IssuedToken[],
  isRotating: row.is_rotating !== 0,
  intervalSeconds: row.interval_seconds,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const toIdentityRow = (identity: DeviceIdentity): Insertable<DeviceIdentityTable> => ({
  device_id: identity.deviceId,
  device_type: identity.deviceType,
  state: identity.state,
  token_hash: identity.tokenHash,
  issued: JSON.stringify(identity.issued),
  is_rotating: Number(identity.isRotating),
  interval_seconds: identity.intervalSeconds,
  created_at: identity.createdAt,
  updated_at: identity.updatedAt,
});

const toEnrolmentToken = (row: Selectable<EnrolmentTokenTable>): EnrolmentToken => ({
  id: row.id,
  name: row.name,
  hash: row.hash,
  deviceType: row.device_type,
  maxUseCount: row.max_use_count,
  useCount: row.use_count,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  revokedAt: row.revoked_at,
});

const toPolicy = (row: Selectable<RegistrationPolicyTable>): RegistrationPolicy => ({
  deviceType: row.device_type,
  registration: row.registration as RegistrationPolicy["registration"],
  tokens: row.tokens as RegistrationPolicy["tokens"],
});
