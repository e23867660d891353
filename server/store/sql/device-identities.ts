// Device identities, enrolment tokens and registration policies in SQL.

import { type Kysely, sql } from "kysely";
import type {
  DeviceIdentity,
  DeviceIdentityStore,
  EnrolmentToken,
  RegistrationPolicy,
} from "../device-identities.js";
import { isUnvouched } from "./counted.js";
import { readFact } from "./fleet-facts.js";
import { forgetNoOpKey, forgetNoOpKeys } from "./no-op-checks.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const identities = tableOf<DeviceIdentity, "device_identities">("device_identities", {
  issued: "json",
  isRotating: "flag",
});
const tokens = tableOf<EnrolmentToken, "enrolment_tokens">("enrolment_tokens", {});
const policies = tableOf<RegistrationPolicy, "registration_policies">("registration_policies", {});

export function createDeviceIdentityStore(db: Kysely<Tables>): DeviceIdentityStore {
  return {
    async putIdentity(identity) {
      await identities.put(db, identity, ["deviceId"], ["createdAt"]);
      await forgetNoOpKey(db, identity.deviceId);
    },

    findIdentity: (deviceId) => identities.find(db, { deviceId }),

    async findIdentities(deviceIds) {
      if (deviceIds.length === 0) return [];
      return identities.list(identities.select(db).where("device_id", "in", deviceIds));
    },

    listIdentities({ state, deviceTypes }, page) {
      const all = identities.select(db, { state });
      const some = deviceTypes ? all.where("device_type", "in", deviceTypes) : all;
      return identities.page(some.orderBy("device_id"), page);
    },

    async countUnvouched() {
      const rows = await db
        .selectFrom("device_identities as i")
        .select(["device_type", sql<number>`count(*)`.as("count")])
        .where("state", "=", "approved")
        .where(isUnvouched)
        .groupBy("device_type")
        .execute();
      return new Map(rows.map(({ device_type, count }) => [device_type, count]));
    },

    addEnrolmentToken: (token) => tokens.add(db, { ...token, useCount: 0 }),

    findEnrolmentToken: (hash) => tokens.find(db, { hash }),

    listEnrolmentTokens: () => tokens.list(tokens.select(db).orderBy("id", "desc")),

    changeEnrolmentToken: (id, changes) => tokens.change(db, { id }, changes),

    async putPolicy(policy) {
      await policies.put(db, policy, ["deviceType"]);
      await forgetNoOpKeys(db);
    },

    findPolicies: (deviceTypes) =>
      readFact(db, `policies ${deviceTypes}`, () =>
        policies.list(policies.select(db).where("device_type", "in", deviceTypes)),
      ),

    async removePolicy(deviceType) {
      await policies.remove(db, { deviceType });
      await forgetNoOpKeys(db);
    },

    listPolicies: () => policies.list(policies.select(db).orderBy("device_type")),
  };
}
