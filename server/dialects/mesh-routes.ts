// The mesh gateway's API, for gateways and their operators: firmware by node type, updates, and the progress of each node.
//
//   operators   POST /api/v1/firmware/upload   GET /api/v1/firmware   POST|GET /api/v1/ota/updates   GET|DELETE …/{id}
//   gateways    GET /api/v1/ota/updates/pending   POST …/{id}/nodes   POST …/{id}/finish

import { type Static, Type } from "@sinclair/typebox";
import { created, ok } from "../api/answers.js";
import type { Context } from "../api/context.js";
import { list } from "../api/fields.js";
import { actorOf } from "../api/guard.js";
import { uploadFirmware } from "../api/release-upload.js";
import { route } from "../api/route.js";
import { choice, DeviceId, Exactly, Id, IdParams, literals, Name, Page, Text } from "../api/schemas.js";
import type { Api } from "../api/typed-app.js";
import { requireChange, sightOf } from "../auth/require-change.js";
import { type Journal, record, recordChange } from "../events/journal.js";
import type { Actor } from "../shared/actor.js";
import { defined } from "../shared/defined.js";
import { Refusal } from "../shared/refusal.js";
import type { MeshUpdate } from "../store/store.js";
import { cancelDistribution, finishDistribution, openDistribution, reportNode } from "../updates/mesh.js";
import {
  DISTRIBUTION_STATUSES,
  DistributionDetailView,
  DistributionView,
  NODE_STATUSES,
  NodeFirmwareView,
  NodeView,
  RULES,
  total,
  viewDistribution,
  viewMeshUpdate,
  viewNode,
  viewNodeFirmware,
} from "./mesh-views.js";

const bodyLimit = 4096;
/** Of each type: a gateway does one after the other. */
const MAX_PENDING_COUNT = 100;
const MAX_NODES_SHOWN = 1000;
const PREFIX = "/api/v1";

/** Of the form's fields. */
const NAMES = Object.freeze({ node_type: "device_type" });

/** painlessMesh's ids are numbers of 32 bits. */
const NodeId = Type.Union([DeviceId, Type.Integer({ minimum: 0, maximum: 0xffffffff })], {
  description: "as the mesh names the node: text or number",
});
const Count = Type.Integer({ minimum: 0, maximum: 0xffff });
const Target = Type.Optional(Type.Union([NodeId, Type.Null()]));
const TargetType = Type.Optional(Type.Union([Name, Type.Null()]));
/** Both names of a target are known: one that was ignored would make it an order for every node of the type. */
const NewUpdateBody = Exactly({
  firmware_id: Id,
  force_update: Type.Optional(Type.Boolean({ description: "also to nodes that already run this image" })),
  rule: Type.Optional(
    choice(RULES, "all: every node installs it or none does; each (default): as many as can"),
  ),
  node_id: Target,
  target_node_id: Target,
  node_type: TargetType,
  target_node_type: TargetType,
});
type NewUpdate = Static<typeof NewUpdateBody>;
const NodeBody = Type.Object({
  node_id: NodeId,
  status: literals(NODE_STATUSES),
  current_part: Type.Optional(Count),
  total_parts: Type.Optional(Count),
  error: Type.Optional(Text(200)),
  error_message: Type.Optional(Text(200)),
});
const FinishBody = Type.Object({
  status: literals(["completed", "failed"]),
  error_message: Type.Optional(Text(200)),
});

export function meshRoutes(app: Api, context: Context): void {
  const { store } = context;

  app.post(
    `${PREFIX}/firmware/upload`,
    route(
      "releases:write",
      "Upload firmware of nodes (multipart: file, node_type, version, release_notes)",
      created(NodeFirmwareView),
      { consumes: ["multipart/form-data"] },
    ),
    async (request, reply) => {
      const firmware = await uploadFirmware(request, context, NAMES, { is_stable: false });
      return reply.code(201).send(viewNodeFirmware(firmware));
    },
  );

  const FirmwareQuery = Type.Object({ node_type: Type.Optional(Name), ...Page });
  app.get(
    `${PREFIX}/firmware`,
    route("read", "List firmware of nodes", ok(Type.Object({ firmware: list(NodeFirmwareView), total })), {
      querystring: FirmwareQuery,
    }),
    async (request) => {
      const { query } = request;
      const filter = { ...defined({ deviceType: query.node_type }), ...sightOf(actorOf(request)) };
      const { rows, totalCount } = await store.listFirmware(filter, query);
      return { firmware: rows.map(viewNodeFirmware), total: totalCount };
    },
  );

  app.post(
    `${PREFIX}/ota/updates`,
    route("rollouts:write", "Distribute firmware in the mesh", created(DistributionView), {
      body: NewUpdateBody,
      bodyLimit,
    }),
    async (request, reply) => {
      const { body } = request;
      const update = await recordChange(context, actorOf(request), async (journal) => {
        await requireType(journal, actorOf(request), body.firmware_id);
        const opened = await openDistribution(journal, {
          firmwareId: body.firmware_id,
          targetNode: await readTarget(journal, body),
          isForced: body.force_update ?? false,
          rule: body.rule ?? "each",
        });
        await audit(journal, "mesh-update.opened", undefined, opened);
        return opened;
      });
      return reply.code(201).send(await describe(update));
    },
  );

  const UpdatesQuery = Type.Object({ status: Type.Optional(literals(DISTRIBUTION_STATUSES)), ...Page });
  app.get(
    `${PREFIX}/ota/updates`,
    route(
      "read",
      "List distributions, newest first",
      ok(Type.Object({ updates: list(DistributionView), total })),
      { querystring: UpdatesQuery },
    ),
    async (request) => {
      const { query } = request;
      const filter = {
        ...defined({ statuses: query.status && [query.status] }),
        ...sightOf(actorOf(request)),
      };
      const { rows, totalCount } = await store.listMeshUpdates(filter, query);
      return { updates: await Promise.all(rows.map((row) => describe(row))), total: totalCount };
    },
  );

  const PendingQuery = Type.Object({
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_PENDING_COUNT,
        description: `At most so many in all; default: ${MAX_PENDING_COUNT} of each type. A gateway with little memory asks for 1`,
      }),
    ),
  });
  // Oldest first: a gateway does one after the other. A token bound to device types sees only theirs.
  app.get(
    `${PREFIX}/ota/updates/pending`,
    route(
      "mesh:report",
      "List the distributions that a gateway has to do, oldest first",
      ok(Type.Object({ updates: list(DistributionView) })),
      { querystring: PendingQuery },
    ),
    async (request) => {
      const { deviceTypes } = actorOf(request);
      const { limit = Number.POSITIVE_INFINITY } = request.query;
      const open = await store.listOpenMeshUpdates({ deviceTypes, limit: MAX_PENDING_COUNT });
      return { updates: await Promise.all(open.slice(0, limit).map((update) => describe(update))) };
    },
  );

  app.get(
    `${PREFIX}/ota/updates/:id`,
    route("read", "Show a distribution and the progress of its nodes", ok(DistributionDetailView), {
      params: IdParams,
    }),
    async (request) => {
      const { params } = request;
      const update = await requireTypeOf({ store }, actorOf(request), params.id);
      if (!update) throw new Refusal("UPDATE_UNKNOWN", `update ${params.id} does not exist`);
      const nodes = await store.listMeshNodes(update.id, MAX_NODES_SHOWN);
      return { ...(await describe(update)), nodes: nodes.map(viewNode) };
    },
  );

  app.delete(
    `${PREFIX}/ota/updates/:id`,
    route("rollouts:write", "Cancel a distribution", ok(DistributionView), { params: IdParams }),
    async (request) => {
      const cancelled = await recordChange(context, actorOf(request), async (journal) => {
        const before = await requireTypeOf(journal, actorOf(request), request.params.id);
        const after = await cancelDistribution(journal, request.params.id);
        await audit(journal, "mesh-update.cancelled", before, after);
        return after;
      });
      return describe(cancelled);
    },
  );

  app.post(
    `${PREFIX}/ota/updates/:id/nodes`,
    route("mesh:report", "Report the progress of a node", ok(NodeView), {
      params: IdParams,
      body: NodeBody,
      bodyLimit,
    }),
    async (request) => {
      const { params, body } = request;
      const node = await record(context, async (journal) => {
        await requireTypeOf(journal, actorOf(request), params.id);
        return reportNode(journal, params.id, {
          nodeId: `${body.node_id}`,
          status: body.status,
          currentPart: body.current_part ?? 0,
          totalParts: body.total_parts ?? 0,
          error: body.error ?? body.error_message ?? null,
        });
      });
      return viewNode(node);
    },
  );

  app.post(
    `${PREFIX}/ota/updates/:id/finish`,
    route("mesh:report", "Report the end of a distribution", ok(DistributionView), {
      params: IdParams,
      body: FinishBody,
      bodyLimit,
    }),
    async (request) => {
      const { params, body } = request;
      const finished = await record(context, async (journal) => {
        await requireTypeOf(journal, actorOf(request), params.id);
        return finishDistribution(journal, params.id, body.status, body.error_message ?? null);
      });
      return describe(finished);
    },
  );

  async function describe(update: MeshUpdate) {
    return viewDistribution(update, await store.findFirmware(update.firmwareId), context);
  }
}

/** The one node that an order is for; `null`: every node of the firmware's type. @throws Refusal FIELD_MISMATCH */
async function readTarget({ store }: Journal, body: NewUpdate): Promise<string | null> {
  const firmware = await store.findFirmware(body.firmware_id);
  for (const type of [body.node_type, body.target_node_type]) {
    if (firmware && typeof type === "string" && type !== firmware.deviceType)
      throw new Refusal(
        "FIELD_MISMATCH",
        `firmware ${firmware.id} is for nodes of type ${firmware.deviceType}, not ${type}`,
      );
  }
  const [target = null, other = target] = [body.node_id, body.target_node_id]
    .filter((node) => node !== undefined && node !== null)
    .map(String);
  if (target !== other)
    throw new Refusal("FIELD_MISMATCH", `node_id is ${target}, target_node_id is ${other}`);
  return target;
}

async function requireType(
  { store }: Pick<Journal, "store">,
  actor: Actor,
  firmwareId: number,
): Promise<void> {
  const firmware = await store.findFirmware(firmwareId);
  if (firmware) requireChange(actor, firmware);
}

/** A gateway speaks for nodes of its types only. @returns the update, if there is one. @throws Refusal FORBIDDEN */
async function requireTypeOf(
  journal: Pick<Journal, "store">,
  actor: Actor,
  id: number,
): Promise<MeshUpdate | undefined> {
  const update = await journal.store.findMeshUpdate(id);
  if (update) await requireType(journal, actor, update.firmwareId);
  return update;
}

const audit = (journal: Journal, action: string, before: MeshUpdate | undefined, after: MeshUpdate) =>
  journal.audit({
    action,
    subject: `mesh-update/${after.id}`,
    before: before && viewMeshUpdate(before),
    after: viewMeshUpdate(after),
  });
