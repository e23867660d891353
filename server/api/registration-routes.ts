// Registration policies, device identities and enrolment tokens.

import { Type } from "@sinclair/typebox";
import { requireChange, requireChangeOfAll, sightOf } from "../auth/require-change.js";
import { hashSecret, makeSecret } from "../auth/secret.js";
import { changeDevices, decideIdentity } from "../devices/changes.js";
import { ANY_TYPE, findPolicy } from "../devices/identity.js";
import { describeIdentity, giveToken } from "../devices/identity-changes.js";
import { recordChange } from "../events/journal.js";
import { type Actor, mayChange } from "../shared/actor.js";
import { defined } from "../shared/defined.js";
import { Refusal } from "../shared/refusal.js";
import type { RegistrationPolicy } from "../store/store.js";
import { created, listed, ok, resultsOf } from "./answers.js";
import type { Context } from "./context.js";
import { viewOutcomes } from "./device-views.js";
import { integer, list, named, text } from "./fields.js";
import { actorOf } from "./guard.js";
import { setPolicy } from "./policy-change.js";
import {
  EnrolmentView,
  IdentityAnswer,
  PolicyView,
  REGISTRATIONS,
  TOKEN_POLICIES,
  viewEnrolment,
  viewPolicy,
} from "./registration-views.js";
import { route } from "./route.js";
import { choice, DeviceId, DeviceParams, Exactly, IdParams, Name, Page } from "./schemas.js";
import type { Api } from "./typed-app.js";

const DAY_MS = 24 * 60 * 60_000;

const TypeParams = Type.Object({
  type: Type.String({
    pattern: "^((?!\\.{1,2}$)[A-Za-z0-9._-]{1,64}|\\*)$",
    description: "a device type, or * for all others",
  }),
});
const PolicyBody = Exactly({
  registration: choice(
    REGISTRATIONS,
    "open: any device. enrolment: with an enrolment token. approval: any device, but nothing is offered before an operator approves it",
  ),
  tokens: choice(
    TOKEN_POLICIES,
    "optional: never needed. first-use: required once the device has used its own. required: devices that store none are refused",
  ),
});
const UnvouchedView = Type.Object({ device_type: text(), device_count: integer() });
const IdentityQuery = Type.Object({
  state: Type.Optional(choice(["pending", "approved", "blocked"], "only these")),
  ...Page,
});
const ChangeBody = Exactly({
  device_ids: Type.Array(DeviceId, { minItems: 1, maxItems: 500, uniqueItems: true }),
  action: choice(
    ["approve", "block", "rotate-token", "forget-token"],
    "rotate-token: the device gets a new one. forget-token: it has lost its own, the next device with its id is trusted",
  ),
});
const TokenBody = Exactly({ device_type: Type.Optional(Name) });
const EnrolmentBody = Exactly({
  name: Type.String({
    pattern: "^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$",
    description: "for people, such as batch 7",
  }),
  device_type: Type.Optional(Name),
  max_use_count: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  expires_in_days: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650 })),
});

export function identityRoutes(app: Api, context: Context): void {
  const { store } = context;

  app.get(
    "/api/registration",
    route(
      "read",
      "List who may register, and whether devices need tokens",
      ok(
        Type.Object({
          default: PolicyView,
          policies: list(PolicyView),
          unvouched: list(UnvouchedView, "Devices that nobody vouched for, of each type that has any"),
        }),
      ),
    ),
    async (request) => {
      const isSeen = (item: { readonly deviceType: string }) => mayChange(actorOf(request), item);
      const policies = (await store.listPolicies()).filter(
        (policy) => policy.deviceType === ANY_TYPE || isSeen(policy),
      );
      const unvouched = [...(await store.countUnvouched())].filter(([deviceType]) => isSeen({ deviceType }));
      return {
        default: viewPolicy(await findPolicy({ store }, ANY_TYPE)),
        policies: policies.map(viewPolicy),
        unvouched: unvouched.map(([device_type, device_count]) => ({ device_type, device_count })),
      };
    },
  );

  app.put(
    "/api/registration/:type",
    route("settings:write", "Set the registration policy of a device type", ok(PolicyView), {
      params: TypeParams,
      body: PolicyBody,
    }),
    async (request) => {
      const policy: RegistrationPolicy = { deviceType: request.params.type, ...request.body };
      requirePolicyOf(actorOf(request), policy.deviceType);
      await recordChange(context, actorOf(request), (journal) =>
        setPolicy(journal, policy.deviceType, policy),
      );
      return viewPolicy(policy);
    },
  );

  app.delete(
    "/api/registration/:type",
    route(
      "settings:write",
      "Remove the policy of a device type: the default applies",
      ok(PolicyView, "The policy that applies from now on"),
      { params: TypeParams },
    ),
    async (request) => {
      const { type } = request.params;
      requirePolicyOf(actorOf(request), type);
      await recordChange(context, actorOf(request), (journal) => setPolicy(journal, type, undefined));
      return viewPolicy(await findPolicy({ store }, type));
    },
  );

  app.get(
    "/api/device-identities",
    route(
      "read",
      "List devices by state: pending, approved, blocked",
      ok(Type.Object({ devices: list(IdentityAnswer), total: integer("Total number") })),
      { querystring: IdentityQuery },
    ),
    async (request) => {
      const { query } = request;
      const filter = { ...defined({ state: query.state }), ...sightOf(actorOf(request)) };
      const { rows, totalCount } = await store.listIdentities(filter, query);
      return { devices: rows.map(describeIdentity), total: totalCount };
    },
  );

  app.post(
    "/api/device-identities/change",
    route(
      "devices:write",
      "Approve or block devices, renew or forget their tokens",
      ok(Type.Object({ results: resultsOf(IdentityAnswer) })),
      { body: ChangeBody },
    ),
    async (request) => {
      const { device_ids, action } = request.body;
      const outcomes = await changeDevices(context, actorOf(request), device_ids, decideIdentity(action));
      return { results: viewOutcomes(outcomes, describeIdentity).views };
    },
  );

  app.post(
    "/api/device-identities/:id/token",
    route(
      "devices:write",
      "Create a token for a device that is set up by hand, such as a hawkBit client; it is shown once",
      created(
        named("NewDeviceToken", "The device and its new token", {
          ...IdentityAnswer.properties,
          token: text("Shown only now"),
        }),
      ),
      { params: DeviceParams, body: TokenBody },
    ),
    async (request, reply) => {
      const actor = actorOf(request);
      const { identity, token } = await recordChange(context, actor, async (journal) => {
        const known = await journal.store.findIdentity(request.params.id);
        if (known) requireChange(actor, known);
        const given = await giveToken(journal, request.params.id, request.body.device_type, actor.person);
        requireChange(actor, given.identity);
        return given;
      });
      return reply
        .code(201)
        .header("cache-control", "no-store")
        .send({ ...describeIdentity(identity), token });
    },
  );

  app.get(
    "/api/enrolment-tokens",
    route("devices:write", "List enrolment tokens", ok(listed("enrolment_tokens", EnrolmentView))),
    async (request) => {
      const tokens = await store.listEnrolmentTokens();
      const actor = actorOf(request);
      const seen = tokens.filter(({ deviceType }) =>
        deviceType === null ? actor.deviceTypes === null : mayChange(actor, { deviceType }),
      );
      return { enrolment_tokens: seen.map(viewEnrolment) };
    },
  );

  app.post(
    "/api/enrolment-tokens",
    route(
      "devices:write",
      "Create an enrolment token; it is shown once",
      created(
        named("NewEnrolmentToken", "An enrolment token that was just created", {
          ...EnrolmentView.properties,
          token: text("Shown only now"),
        }),
      ),
      { body: EnrolmentBody },
    ),
    async (request, reply) => {
      const { name, device_type, max_use_count, expires_in_days } = request.body;
      requireType(actorOf(request), device_type ?? null);
      const secret = makeSecret("enrolment");
      const view = await recordChange(context, actorOf(request), async (journal) => {
        const added = await journal.store.addEnrolmentToken({
          name,
          hash: hashSecret(secret),
          deviceType: device_type ?? null,
          maxUseCount: max_use_count ?? null,
          createdAt: journal.time,
          expiresAt: expires_in_days === undefined ? null : journal.time + expires_in_days * DAY_MS,
        });
        const after = viewEnrolment(added);
        await journal.audit({
          action: "enrolment-token.created",
          subject: `enrolment-token/${added.id}`,
          after,
        });
        return after;
      });
      return reply
        .code(201)
        .header("cache-control", "no-store")
        .send({ ...view, token: secret });
    },
  );

  app.delete(
    "/api/enrolment-tokens/:id",
    route("devices:write", "Revoke an enrolment token", ok(EnrolmentView), { params: IdParams }),
    async (request) =>
      recordChange(context, actorOf(request), async (journal) => {
        const { id } = request.params;
        const known = (await journal.store.listEnrolmentTokens()).find((token) => token.id === id);
        if (!known) throw new Refusal("TOKEN_UNKNOWN", `there is no enrolment token ${id}`);
        requireType(actorOf(request), known.deviceType);
        const changed = await journal.store.changeEnrolmentToken(id, {
          revokedAt: known.revokedAt ?? journal.time,
        });
        const after = viewEnrolment(changed ?? known);
        await journal.audit({
          action: "enrolment-token.revoked",
          subject: `enrolment-token/${id}`,
          before: viewEnrolment(known),
          after,
        });
        return after;
      }),
  );
}

/** An enrolment token without a type is for all types. */
function requireType(actor: Actor, deviceType: string | null): void {
  if (deviceType === null) requireChangeOfAll(actor);
  else requireChange(actor, { deviceType });
}

const requirePolicyOf = (actor: Actor, type: string): void =>
  requireType(actor, type === ANY_TYPE ? null : type);
