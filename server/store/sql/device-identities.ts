// Device identities, enrolment tokens and registration policies in SQL.

import type { Kysely } from "kysely";
import type {
  DeviceIdentity,
  DeviceIdentityStore,
  EnrolmentToken,
  RegistrationPolicy,
} from "../device-identities.js";
import { forgetNoOpKey, forgetNoOpKeys } from "./no-op-checks.js";
import { pageOf } from "./page.js";
import { recordsOf } from "./rows.js";
import type { Tables } from "./tables.js";

const identities = recordsOf<DeviceIdentity>({ issued: "json", isRotating: "flag" });
const tokens = recordsOf<EnrolmentToken>({});
const policies = recordsOf<RegistrationPolicy>({});

export function createDeviceIdentityStore(db: Kysely<Tables>): DeviceIdentityStore {
  return {
    async putIdentity(identity) {
      const { device_id: _id, created_at: _createdAt, ...changing } = identities.toRow(identity);
      await db
        .insertInto("device_identities")
        .values(identities.toRow(identity))
        .onConflict((conflict) => conflict.column("device_id").doUpdateSet(changing))
        .execute();
      await forgetNoOpKey(db, identity.deviceId);
    },

    findIdentity: (deviceId) =>
      identities.first(db.selectFrom("device_identities").selectAll().where("device_id", "=", deviceId)),

    async findIdentities(deviceIds) {
      if (deviceIds.length === 0) return [];
      return identities.all(
        db.selectFrom("device_identities").selectAll().where("device_id", "in", deviceIds),
      );
    },

    async listIdentities({ state }, page) {
      let query = db.selectFrom("device_identities");
      if (state !== undefined) query = query.where("state", "=", state);
      return pageOf(query.selectAll().orderBy("device_id"), page, identities.toItem);
    },

    async listBarred() {
      const rows = await db
        .selectFrom("device_identities")
        .select(["device_id", "state"])
        .where("state", "in", ["pending", "blocked"])
        .execute();
      return new Map(rows.map(({ device_id, state }) => [device_id, state as "pending" | "blocked"]));
    },

    addEnrolmentToken: (token) =>
      tokens.one(
        db
          .insertInto("enrolment_tokens")
          .values(tokens.toRow({ ...token, useCount: 0 }))
          .returningAll(),
      ),

    findEnrolmentToken: (hash) =>
      tokens.first(db.selectFrom("enrolment_tokens").selectAll().where("hash", "=", hash)),

    listEnrolmentTokens: () =>
      tokens.all(db.selectFrom("enrolment_tokens").selectAll().orderBy("id", "desc")),

    changeEnrolmentToken: (id, changes) =>
      tokens.first(
        db
          .updateTable("enrolment_tokens")
          .set(tokens.toRow({ id, ...changes }))
          .where("id", "=", id)
          .returningAll(),
      ),

    async putPolicy({ deviceType, registration, tokens }) {
      await db
        .insertInto("registration_policies")
        .values({ device_type: deviceType, registration, tokens })
        .onConflict((conflict) => conflict.column("device_type").doUpdateSet({ registration, tokens }))
        .execute();
      await forgetNoOpKeys(db);
    },

    findPolicies: (deviceTypes) =>
      policies.all(
        db.selectFrom("registration_policies").selectAll().where("device_type", "in", deviceTypes),
      ),

    async removePolicy(deviceType) {
      await db.deleteFrom("registration_policies").where("device_type", "=", deviceType).execute();
      await forgetNoOpKeys(db);
    },

    listPolicies: () =>
      policies.all(db.selectFrom("registration_policies").selectAll().orderBy("device_type")),
  };
}
