// What operators do with rollouts: plan, create, change, start, approve, pause, resume, promote, cancel and roll back, and look at them
// with their tallies. The work is rollout/service.ts's. A rollout's entity tag is the number of its plan's revision.

import { Type } from "@sinclair/typebox";
import type { FastifyReply, FastifyRequest } from "fastify";
import { requireChange, requireSight, sightOf } from "../auth/require-change.js";
import { findPolicy } from "../devices/identity.js";
import { isCounted, standingOf } from "../devices/vouching.js";
import { planRollout } from "../rollout/fleet-plan.js";
import type { Command } from "../rollout/lifecycle.js";
import { listWaysBack, rollBackRollout } from "../rollout/roll-back.js";
import {
  commandRollout,
  createRollout,
  draftEdit,
  draftRollout,
  editRollout,
  findRollout,
  makeSeed,
  type PlanChange,
  type SeenRevisions,
} from "../rollout/service.js";
import type { Actor } from "../shared/actor.js";
import { defined } from "../shared/defined.js";
import { time } from "../shared/iso-time.js";
import { Refusal } from "../shared/refusal.js";
import { nameRelease, ROLLOUT_STATES, type Rollout, type RolloutState } from "../shared/rollout.js";
import { viewRollout } from "../shared/rollout-view.js";
import type { Member } from "../store/store.js";
import { created, listOf, ok, page } from "./answers.js";
import type { Context } from "./context.js";
import { list } from "./fields.js";
import { actorOf } from "./guard.js";
import { readRevisions, revisionTag } from "./http/conditions.js";
import { patchPlan, RolloutPatch, type RolloutPatchInput } from "./rollout-patch.js";
import {
  MembersQuery,
  ReasonBody,
  RollBackBody,
  RolloutBody,
  type RolloutInput,
  RolloutsQuery,
  readPlan,
} from "./rollout-schemas.js";
import {
  MemberView,
  PlanView,
  ProgressAnswer,
  RolloutAnswer,
  viewMember,
  viewPlan,
  viewProgress,
  viewWayBack,
  WayBackView,
} from "./rollout-views.js";
import { route } from "./route.js";
import { IdParams, PageQuery } from "./schemas.js";
import type { Api } from "./typed-app.js";

const PREFIX = "/api/rollouts";

export function rolloutRoutes(app: Api, context: Context): void {
  const { store, now } = context;

  app.get(
    PREFIX,
    route("read", "List rollouts, newest first", ok(listOf("rollouts", RolloutAnswer)), {
      querystring: RolloutsQuery,
    }),
    async (request) => {
      const { query } = request;
      const filter = defined({
        states: query.state === undefined ? undefined : readStates(query.state),
        firmwareId: query.firmware_id,
        deviceType: query.device_type,
      });
      const found = await store.listRollouts({ ...filter, ...sightOf(actorOf(request)) }, query);
      return page("rollouts", found, viewRollout, query);
    },
  );

  app.post(
    PREFIX,
    route("rollouts:write", "Create a rollout, as a draft", created(RolloutAnswer), { body: RolloutBody }),
    async (request, reply) => {
      const actor = await requireFor(request, context, request.body.firmware_id);
      const plan = await readBody(request.body, context);
      return reply.code(201).send(viewRollout(await createRollout(context, plan, actor)));
    },
  );

  // Changes nothing: what a rollout would do that does not exist yet.
  app.post(
    `${PREFIX}/plan`,
    route("rollouts:write", "Plan a rollout without creating it", ok(PlanView), {
      querystring: PageQuery,
      body: RolloutBody,
    }),
    async (request) => {
      const actor = await requireFor(request, context, request.body.firmware_id);
      const plan = await readBody(request.body, context);
      const { draft } = await draftRollout(store, plan, actor.person, now());
      return viewPlan(await planRollout(store, draft, now(), request.query), draft);
    },
  );

  app.get(
    `${PREFIX}/:id`,
    route("read", "Show a rollout with what happened to its devices", ok(ProgressAnswer), {
      params: IdParams,
    }),
    async (request, reply) => showProgress(context, (await findSeen(request, context)).id, reply),
  );

  app.patch(
    `${PREFIX}/:id`,
    route(
      "rollouts:write",
      "Change a rollout; one that has begun only where its evidence stays valid",
      ok(ProgressAnswer),
      { params: IdParams, headers: IfMatch, body: RolloutPatch },
    ),
    async (request, reply) => {
      const { params } = request;
      await editRollout(context, params.id, await changeOf(request, context, true));
      return showProgress(context, params.id, reply);
    },
  );

  app.post(
    `${PREFIX}/:id/plan`,
    route(
      "rollouts:write",
      "Plan what a rollout would do after a change, without changing it",
      ok(PlanView),
      { params: IdParams, querystring: PageQuery, body: RolloutPatch },
    ),
    async (request) => {
      const change = await changeOf(request, context, false);
      const { after } = await draftEdit(store, request.params.id, change, now());
      return viewPlan(await planRollout(store, after, now(), request.query), after);
    },
  );

  app.get(
    `${PREFIX}/:id/plan`,
    route("read", "Plan what remains of a rollout", ok(PlanView), {
      params: IdParams,
      querystring: PageQuery,
    }),
    async (request) => {
      const { query } = request;
      const rollout = await findSeen(request, context);
      return viewPlan(await planRollout(store, rollout, now(), query), rollout);
    },
  );

  app.get(
    `${PREFIX}/:id/devices`,
    route(
      "read",
      "List the devices that were offered something by a rollout",
      ok(listOf("devices", MemberView)),
      { params: IdParams, querystring: MembersQuery },
    ),
    async (request) => {
      const { params, query } = request;
      const rollout = await findSeen(request, context);
      const { stage, outcome } = query;
      const filter = { rolloutId: params.id, ...defined({ stage, outcome }) };
      const found = await store.listMembers(filter, query);
      const identities = await store.findIdentities(found.rows.map(({ deviceId }) => deviceId));
      const identityOf = new Map(identities.map((identity) => [identity.deviceId, identity]));
      const view = (member: Member) =>
        viewMember(member, isCounted(standingOf(identityOf.get(member.deviceId)), rollout));
      return page("devices", found, view, query);
    },
  );

  for (const [kind, summary] of [
    ["start", "Start a draft"],
    ["approve", "Approve a rollout of another person"],
    ["pause", "Offer nothing more until it is resumed"],
    ["resume", "Resume; the gates count only what happens from now on"],
    ["promote", "Open the next stage now, without waiting for evidence"],
    ["cancel", "Cancel for good, from any state"],
  ] as const) {
    app.post(
      `${PREFIX}/:id/${kind}`,
      route("rollouts:write", summary, ok(ProgressAnswer), {
        params: IdParams,
        headers: IfMatch,
        body: ReasonBody,
      }),
      async (request, reply) => {
        const actor = await requireFor(request, context, await firmwareOf(context, request.params.id));
        const order = { kind, reason: request.body.reason ?? "" } as Command;
        await commandRollout(context, request.params.id, order, actor, seenBy(request));
        return showProgress(context, request.params.id, reply);
      },
    );
  }

  app.get(
    `${PREFIX}/:id/rollback`,
    route(
      "read",
      "List the releases that a rollout can be rolled back to",
      ok(Type.Object({ releases: list(WayBackView) })),
      { params: IdParams },
    ),
    async (request) => {
      const { id } = await findSeen(request, context);
      return { releases: (await listWaysBack(store, id, now())).map(viewWayBack) };
    },
  );

  app.post(
    `${PREFIX}/:id/rollback`,
    route(
      "rollouts:write",
      "Cancel it and bring its devices to another release",
      created(
        Type.Object({ ended: RolloutAnswer, back: RolloutAnswer }),
        "It is cancelled, and another rollout leads back",
      ),
      { params: IdParams, headers: IfMatch, body: RollBackBody },
    ),
    async (request, reply) => {
      const { params, body } = request;
      const actor = await requireFor(request, context, await firmwareOf(context, params.id));
      const { ended, back } = await rollBackRollout(
        context,
        params.id,
        body.firmware_id,
        actor,
        seenBy(request),
      );
      return reply.code(201).send({ ended: viewRollout(ended), back: viewRollout(back) });
    },
  );
}

/** The revision that a client has seen: a rollout that was changed since is not changed again. */
const IfMatch = Type.Object({
  "if-match": Type.Optional(Type.String({ description: 'The revision that was seen, such as "3"; or *' })),
});

const seenBy = ({ headers }: FastifyRequest): SeenRevisions =>
  headers["if-match"] === undefined ? undefined : readRevisions(headers["if-match"]);

/** @throws Refusal FORBIDDEN, REVISION_MISSING */
async function changeOf(
  request: FastifyRequest<{ Params: { id: number }; Body: RolloutPatchInput }>,
  context: Context,
  needsRevision: boolean,
): Promise<PlanChange> {
  const { body, params, headers } = request;
  const actor = await requireFor(request, context, await firmwareOf(context, params.id));
  if (typeof body.firmware_id === "number") await requireFor(request, context, body.firmware_id);
  if (needsRevision && headers["if-match"] === undefined)
    throw new Refusal(
      "REVISION_MISSING",
      'send the rollout\'s revision that you have seen in If-Match, such as "3", or * to change any revision',
    );
  return { seen: seenBy(request), actor, apply: (rollout) => patchPlan(rollout, body) };
}

async function showProgress({ store, now }: Context, id: number, reply: FastifyReply) {
  const rollout = await findRollout(store, id);
  reply.header("etag", revisionTag(rollout.revision));
  const firmware = await store.findFirmware(rollout.firmwareId);
  return {
    ...viewProgress(
      rollout,
      await store.tallyRollout(rollout, now()),
      firmware && (await findPolicy({ store }, firmware.deviceType)),
      now(),
    ),
    release: firmware ? nameRelease(firmware) : null,
    time: time(now()),
  };
}

const firmwareOf = async ({ store }: Context, id: number): Promise<number> =>
  (await findRollout(store, id)).firmwareId;

/** The rollout of a request, if who asks may see what it is for. @throws Refusal ROLLOUT_UNKNOWN, FORBIDDEN */
async function findSeen(
  request: FastifyRequest<{ Params: { id: number } }>,
  { store }: Context,
): Promise<Rollout> {
  const rollout = await findRollout(store, request.params.id);
  const firmware = await store.findFirmware(rollout.firmwareId);
  if (firmware) requireSight(actorOf(request), firmware);
  return rollout;
}

/** The actor, if they may change what this release is for. */
async function requireFor(request: FastifyRequest, context: Context, firmwareId: number): Promise<Actor> {
  const actor = actorOf(request);
  const firmware = await context.store.findFirmware(firmwareId);
  if (firmware) requireChange(actor, firmware);
  return actor;
}

async function readBody(body: RolloutInput, { store }: Context) {
  const firmware = await store.findFirmware(body.firmware_id);
  const name = body.name ?? (firmware ? nameRelease(firmware) : `firmware ${body.firmware_id}`);
  const plan = readPlan(body, name, body.seed ?? makeSeed(body.firmware_id));
  if (typeof plan === "string") throw new Refusal("ROLLOUT_INVALID", plan);
  return plan;
}

function readStates(text: string): RolloutState[] {
  const state = ROLLOUT_STATES.find((one) => one === text);
  if (!state) throw new Refusal("INVALID_REQUEST", `state "${text}" is none of ${ROLLOUT_STATES.join(", ")}`);
  return [state];
}
