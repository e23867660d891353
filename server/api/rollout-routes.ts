// What operators do with rollouts: plan, create, change, start, approve, pause, resume, promote, cancel and roll back, and look at them
// with their tallies. The work is rollout/service.ts's. A rollout's entity tag is the number of its plan's revision.

import { type Static, Type } from "@sinclair/typebox";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { requireChange } from "../auth/require-change.js";
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
import { Refusal } from "../shared/refusal.js";
import { nameRelease, ROLLOUT_STATES, type RolloutState } from "../shared/rollout.js";
import { viewRollout } from "../shared/rollout-view.js";
import type { Context } from "./context.js";
import { actorOf } from "./guard.js";
import { readRevisions, revisionTag } from "./http/conditions.js";
import { patchPlan, RolloutPatch, type RolloutPatchInput } from "./rollout-patch.js";
import {
  MembersQuery,
  PageQuery,
  ReasonBody,
  RollBackBody,
  RolloutBody,
  type RolloutInput,
  RolloutsQuery,
  readPlan,
} from "./rollout-schemas.js";
import { viewMember, viewPlan, viewProgress, viewWayBack } from "./rollout-views.js";
import { IdParams } from "./schemas.js";

const PREFIX = "/api/rollouts";
const READ = { config: { access: "read" } } as const;
const WRITE = { config: { access: "rollouts:write" } } as const;

type WithId = { Params: { id: number } };

export function rolloutRoutes(app: FastifyInstance, context: Context): void {
  const { store, now } = context;

  app.get<{ Querystring: Static<typeof RolloutsQuery> }>(
    PREFIX,
    { ...READ, schema: { summary: "List rollouts, newest first", querystring: RolloutsQuery } },
    async ({ query }) => {
      const { rows, totalCount } = await store.listRollouts(
        {
          ...(query.state === undefined ? {} : { states: readStates(query.state) }),
          ...(query.firmware_id === undefined ? {} : { firmwareId: query.firmware_id }),
          ...(query.device_type === undefined ? {} : { deviceType: query.device_type }),
        },
        query,
      );
      return {
        rollouts: rows.map(viewRollout),
        total: totalCount,
        limit: query.limit,
        offset: query.offset,
      };
    },
  );

  app.post<{ Body: RolloutInput }>(
    PREFIX,
    { ...WRITE, schema: { summary: "Make a rollout, as a draft", body: RolloutBody } },
    async (request, reply) => {
      const actor = await requireFor(request, context, request.body.firmware_id);
      const plan = await readBody(request.body, context);
      return reply.code(201).send(viewRollout(await createRollout(context, plan, actor)));
    },
  );

  // Changes nothing: what a rollout would do that does not exist yet.
  app.post<{ Body: RolloutInput; Querystring: Static<typeof PageQuery> }>(
    `${PREFIX}/plan`,
    {
      ...WRITE,
      schema: { summary: "Plan a rollout without making it", body: RolloutBody, querystring: PageQuery },
    },
    async (request) => {
      const actor = actorOf(request);
      const plan = await readBody(request.body, context);
      const { draft } = await draftRollout(store, plan, actor.person, now());
      return viewPlan(await planRollout(store, draft, now(), request.query), draft);
    },
  );

  app.get<WithId>(
    `${PREFIX}/:id`,
    { ...READ, schema: { summary: "Show a rollout with what happened to its devices", params: IdParams } },
    async ({ params }, reply) => showProgress(context, params.id, reply),
  );

  app.patch<WithId & { Body: RolloutPatchInput }>(
    `${PREFIX}/:id`,
    {
      ...WRITE,
      schema: {
        summary: "Change a rollout; one that has begun only in what leaves its evidence true",
        params: IdParams,
        headers: IfMatch,
        body: RolloutPatch,
      },
    },
    async (request, reply) => {
      const { params } = request;
      await editRollout(context, params.id, await changeOf(request, context, true));
      return showProgress(context, params.id, reply);
    },
  );

  app.post<WithId & { Body: RolloutPatchInput; Querystring: Static<typeof PageQuery> }>(
    `${PREFIX}/:id/plan`,
    {
      ...WRITE,
      schema: {
        summary: "Plan what a rollout would do after a change, without changing it",
        params: IdParams,
        body: RolloutPatch,
        querystring: PageQuery,
      },
    },
    async (request) => {
      const change = await changeOf(request, context, false);
      const { after } = await draftEdit(store, request.params.id, change, now());
      return viewPlan(await planRollout(store, after, now(), request.query), after);
    },
  );

  app.get<WithId & { Querystring: Static<typeof PageQuery> }>(
    `${PREFIX}/:id/plan`,
    {
      ...READ,
      schema: { summary: "Plan what a rollout has yet to do", params: IdParams, querystring: PageQuery },
    },
    async ({ params, query }) => {
      const rollout = await findRollout(store, params.id);
      return viewPlan(await planRollout(store, rollout, now(), query), rollout);
    },
  );

  app.get<WithId & { Querystring: Static<typeof MembersQuery> }>(
    `${PREFIX}/:id/devices`,
    {
      ...READ,
      schema: {
        summary: "List the devices that it offered something",
        params: IdParams,
        querystring: MembersQuery,
      },
    },
    async ({ params, query }) => {
      await findRollout(store, params.id);
      const filter = {
        rolloutId: params.id,
        ...(query.stage === undefined ? {} : { stage: query.stage }),
        ...(query.outcome === undefined ? {} : { outcome: query.outcome }),
      };
      const { rows, totalCount } = await store.listMembers(filter, query);
      return { devices: rows.map(viewMember), total: totalCount, limit: query.limit, offset: query.offset };
    },
  );

  for (const [kind, summary] of [
    ["start", "Start a draft"],
    ["approve", "Agree to a rollout that another person made"],
    ["pause", "Offer nothing more until it is resumed"],
    ["resume", "Go on; the gates judge what happens from now on"],
    ["promote", "Open the next stage now, without waiting for evidence"],
    ["cancel", "End it, for good and from every state"],
  ] as const) {
    app.post<WithId & { Body: Static<typeof ReasonBody> }>(
      `${PREFIX}/:id/${kind}`,
      { ...WRITE, schema: { summary, params: IdParams, headers: IfMatch, body: ReasonBody } },
      async (request, reply) => {
        const actor = await requireFor(request, context, await firmwareOf(context, request.params.id));
        const order = { kind, reason: request.body.reason ?? "" } as Command;
        await commandRollout(context, request.params.id, order, actor, seenBy(request));
        return showProgress(context, request.params.id, reply);
      },
    );
  }

  app.get<WithId>(
    `${PREFIX}/:id/rollback`,
    {
      ...READ,
      schema: { summary: "List the releases that its devices could be led to", params: IdParams },
    },
    async ({ params }) => ({ releases: (await listWaysBack(store, params.id, now())).map(viewWayBack) }),
  );

  app.post<WithId & { Body: Static<typeof RollBackBody> }>(
    `${PREFIX}/:id/rollback`,
    {
      ...WRITE,
      schema: {
        summary: "End it and lead its devices to another release",
        params: IdParams,
        headers: IfMatch,
        body: RollBackBody,
      },
    },
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

/** With it a client tells which revision it has seen: one that somebody has changed since is left alone. */
const IfMatch = Type.Object({
  "if-match": Type.Optional(Type.String({ description: 'The revision that was seen, such as "3"; or *' })),
});

const seenBy = ({ headers }: FastifyRequest): SeenRevisions =>
  headers["if-match"] === undefined ? undefined : readRevisions(headers["if-match"]);

/** @throws Refusal FORBIDDEN, REVISION_MISSING */
async function changeOf(
  request: FastifyRequest<WithId & { Body: RolloutPatchInput }>,
  context: Context,
  needsRevision: boolean,
): Promise<PlanChange> {
  const { body, params, headers } = request;
  const actor = await requireFor(request, context, await firmwareOf(context, params.id));
  if (typeof body.firmware_id === "number") await requireFor(request, context, body.firmware_id);
  if (needsRevision && headers["if-match"] === undefined)
    throw new Refusal(
      "REVISION_MISSING",
      'tell in If-Match which revision of the rollout you have seen, such as "3", or * to change it whatever it is',
    );
  return { seen: seenBy(request), actor, apply: (rollout) => patchPlan(rollout, body) };
}

async function showProgress({ store, now }: Context, id: number, reply: FastifyReply) {
  const rollout = await findRollout(store, id);
  reply.header("etag", revisionTag(rollout.revision));
  const firmware = await store.findFirmware(rollout.firmwareId);
  return {
    ...viewProgress(rollout, await store.tallyRollout(rollout, now()), now()),
    release: firmware ? nameRelease(firmware) : null,
    time: new Date(now()).toISOString(),
  };
}

const firmwareOf = async ({ store }: Context, id: number): Promise<number> =>
  (await findRollout(store, id)).firmwareId;

/** The actor, if they may change what this release is for. */
async function requireFor(request: FastifyRequest, context: Context, firmwareId: number): Promise<Actor> {
  const actor = actorOf(request);
  const firmware = await context.store.findFirmware(firmwareId);
  if (firmware) requireChange(actor, firmware);
  return actor;
}

async function readBody(body: RolloutInput, { store, now }: Context) {
  const firmware = await store.findFirmware(body.firmware_id);
  const name = body.name ?? (firmware ? nameRelease(firmware) : `firmware ${body.firmware_id}`);
  const plan = readPlan(body, name, body.seed ?? makeSeed(body.firmware_id, name, now()));
  if (typeof plan === "string") throw new Refusal("ROLLOUT_INVALID", plan);
  return plan;
}

function readStates(text: string): RolloutState[] {
  const state = ROLLOUT_STATES.find((one) => one === text);
  if (!state) throw new Refusal("INVALID_REQUEST", `state "${text}" is none of ${ROLLOUT_STATES.join(", ")}`);
  return [state];
}
