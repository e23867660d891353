// What gateways of a mesh and their operators speak (system E): firmware by node type, updates, and the progress of each node.
//
//   operators   POST /api/v1/firmware/upload   GET /api/v1/firmware   POST|GET /api/v1/ota/updates   GET|DELETE …/{id}
//   gateways    GET /api/v1/ota/updates/pending   POST …/{id}/nodes   POST …/{id}/finish

import { type Static, Type } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import type { Context } from "../api/context.js";
import { actorOf } from "../api/guard.js";
import { Id, IdParams, Name, Page, Text } from "../api/schemas.js";
import { uploadFirmware } from "../api/upload.js";
import { downloadPath } from "../api/views.js";
import { requireChange } from "../auth/require-change.js";
import { type Journal, record, recordChange } from "../events/journal.js";
import type { Actor } from "../shared/actor.js";
import { time } from "../shared/iso-time.js";
import { Refusal } from "../shared/refusal.js";
import type { Firmware, MeshNode, MeshUpdate } from "../store/store.js";
import { cancelDistribution, finishDistribution, openDistribution, reportNode } from "../updates/mesh.js";

/** What painlessMesh nodes take: parts of 1 KiB. */
const PART_BYTES = 1024;
const MAX_BODY_BYTES = 4096;
const MAX_PENDING_COUNT = 100;
const MAX_NODES_SHOWN = 1000;
const PREFIX = "/api/v1";
const ROLLOUTS = Object.freeze({ access: "rollouts:write" as const });

const NodeId = Type.String({ pattern: "^[A-Za-z0-9._:-]{1,64}$", description: "as the mesh names the node" });
const Count = Type.Integer({ minimum: 0, maximum: 0xffff });
const UpdateStatus = Type.Union(
  (["pending", "distributing", "completed", "failed", "cancelled"] as const).map((status) =>
    Type.Literal(status),
  ),
);
const NewUpdateBody = Type.Object({
  firmware_id: Id,
  force_update: Type.Optional(Type.Boolean({ description: "also to nodes that run this very image" })),
  node_id: Type.Optional(NodeId),
});
const NodeBody = Type.Object({
  node_id: NodeId,
  status: Type.Union(
    (["pending", "transferring", "completed", "failed"] as const).map((status) => Type.Literal(status)),
  ),
  current_part: Type.Optional(Count),
  total_parts: Type.Optional(Count),
  error: Type.Optional(Text(200)),
});
const FinishBody = Type.Object({ status: Type.Union([Type.Literal("completed"), Type.Literal("failed")]) });

const UPLOAD = Object.freeze({
  summary: "Upload firmware of nodes (multipart: file, node_type, version, release_notes)",
  consumes: ["multipart/form-data"],
});

export function meshRoutes(app: FastifyInstance, context: Context): void {
  const { store } = context;
  const byGateways = { bodyLimit: MAX_BODY_BYTES, config: { access: "mesh:report" as const } };

  app.post(
    `${PREFIX}/firmware/upload`,
    { config: { access: "releases:write" }, schema: { ...UPLOAD } },
    async (request, reply) => {
      const names = { node_type: "device_type" };
      return reply.code(201).send(viewNodeFirmware(await uploadFirmware(request, context, names)));
    },
  );

  const FirmwareQuery = Type.Object({ node_type: Type.Optional(Name), ...Page });
  app.get<{ Querystring: Static<typeof FirmwareQuery> }>(
    `${PREFIX}/firmware`,
    { config: { access: "read" }, schema: { summary: "List firmware of nodes", querystring: FirmwareQuery } },
    async ({ query }) => {
      const filter = query.node_type === undefined ? {} : { deviceType: query.node_type };
      const { rows, totalCount } = await store.listFirmware(filter, query);
      return { firmware: rows.map(viewNodeFirmware), total: totalCount };
    },
  );

  app.post<{ Body: Static<typeof NewUpdateBody> }>(
    `${PREFIX}/ota/updates`,
    {
      config: ROLLOUTS,
      bodyLimit: MAX_BODY_BYTES,
      schema: { summary: "Distribute firmware in the mesh", body: NewUpdateBody },
    },
    async (request, reply) => {
      const { body } = request;
      const update = await recordChange(context, actorOf(request), async (journal) => {
        await requireType(journal, actorOf(request), body.firmware_id);
        const opened = await openDistribution(journal, {
          firmwareId: body.firmware_id,
          targetNode: body.node_id ?? null,
          isForced: body.force_update ?? false,
        });
        await audit(journal, "mesh-update.opened", undefined, opened);
        return opened;
      });
      return reply.code(201).send(await describe(update));
    },
  );

  const UpdatesQuery = Type.Object({ status: Type.Optional(UpdateStatus), ...Page });
  app.get<{ Querystring: Static<typeof UpdatesQuery> }>(
    `${PREFIX}/ota/updates`,
    {
      config: { access: "read" },
      schema: { summary: "List distributions, newest first", querystring: UpdatesQuery },
    },
    async ({ query }) => {
      const filter = query.status === undefined ? {} : { statuses: [query.status] };
      const { rows, totalCount } = await store.listMeshUpdates(filter, query);
      return { updates: await Promise.all(rows.map((row) => describe(row))), total: totalCount };
    },
  );

  // Oldest first: a gateway does one after the other. One whose token is for some types is told of theirs.
  app.get(
    `${PREFIX}/ota/updates/pending`,
    { ...byGateways, schema: { summary: "Distributions that a gateway has to do, oldest first" } },
    async (request) => {
      const { rows } = await store.listMeshUpdates(
        { statuses: ["pending", "distributing"] },
        { limit: MAX_PENDING_COUNT, offset: 0 },
      );
      const described = await Promise.all(rows.toReversed().map((row) => describe(row)));
      const { deviceTypes } = actorOf(request);
      return { updates: described.filter(({ node_type }) => isOneOf(deviceTypes, node_type)) };
    },
  );

  app.get<{ Params: { id: number } }>(
    `${PREFIX}/ota/updates/:id`,
    {
      config: { access: "read" },
      schema: { summary: "A distribution and the progress of its nodes", params: IdParams },
    },
    async ({ params }) => {
      const update = await store.findMeshUpdate(params.id);
      if (!update) throw new Refusal("UPDATE_UNKNOWN", `update ${params.id} does not exist`);
      const nodes = await store.listMeshNodes(update.id, MAX_NODES_SHOWN);
      return { ...(await describe(update)), nodes: nodes.map(viewNode) };
    },
  );

  app.delete<{ Params: { id: number } }>(
    `${PREFIX}/ota/updates/:id`,
    { config: ROLLOUTS, schema: { summary: "Cancel a distribution", params: IdParams } },
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

  app.post<{ Params: { id: number }; Body: Static<typeof NodeBody> }>(
    `${PREFIX}/ota/updates/:id/nodes`,
    { ...byGateways, schema: { summary: "A gateway reports a node", params: IdParams, body: NodeBody } },
    async (request) => {
      const { params, body } = request;
      const node = await record(context, async (journal) => {
        await requireTypeOf(journal, actorOf(request), params.id);
        return reportNode(journal, params.id, {
          nodeId: body.node_id,
          status: body.status,
          currentPart: body.current_part ?? 0,
          totalParts: body.total_parts ?? 0,
          error: body.error ?? null,
        });
      });
      return viewNode(node);
    },
  );

  app.post<{ Params: { id: number }; Body: Static<typeof FinishBody> }>(
    `${PREFIX}/ota/updates/:id/finish`,
    {
      ...byGateways,
      schema: { summary: "A gateway reports that it is done", params: IdParams, body: FinishBody },
    },
    async (request) => {
      const { params, body } = request;
      const finished = await record(context, async (journal) => {
        await requireTypeOf(journal, actorOf(request), params.id);
        return finishDistribution(journal, params.id, body.status);
      });
      return describe(finished);
    },
  );

  async function describe(update: MeshUpdate) {
    const firmware = await store.findFirmware(update.firmwareId);
    return { ...viewMeshUpdate(update), ...(firmware ? viewTarget(firmware) : NO_TARGET) };
  }
}

async function requireType({ store }: Journal, actor: Actor, firmwareId: number): Promise<void> {
  const firmware = await store.findFirmware(firmwareId);
  if (firmware) requireChange(actor, firmware);
}

/** A gateway speaks for nodes of its types only. @returns the update, if there is one. @throws Refusal FORBIDDEN */
async function requireTypeOf(journal: Journal, actor: Actor, id: number): Promise<MeshUpdate | undefined> {
  const update = await journal.store.findMeshUpdate(id);
  if (update) await requireType(journal, actor, update.firmwareId);
  return update;
}

const isOneOf = (deviceTypes: readonly string[] | null, type: string | undefined): boolean =>
  deviceTypes === null || (type !== undefined && deviceTypes.includes(type));

const audit = (journal: Journal, action: string, before: MeshUpdate | undefined, after: MeshUpdate) =>
  journal.audit({
    action,
    subject: `mesh-update/${after.id}`,
    before: before && viewMeshUpdate(before),
    after: viewMeshUpdate(after),
  });

const viewNodeFirmware = (firmware: Firmware) => ({
  id: firmware.id,
  node_type: firmware.deviceType,
  version: firmware.version,
  hardware: firmware.hardware,
  size: firmware.fileSize,
  md5: firmware.md5,
  release_notes: firmware.notes,
  is_stable: firmware.isStable,
  is_signed: firmware.release !== null,
  created_at: time(firmware.createdAt),
});

/** Firmware is never removed, only deactivated; a database may be older than that. */
const NO_TARGET: { readonly node_type?: string } = Object.freeze({});

/** What a gateway announces in its mesh. */
const viewTarget = (firmware: Firmware) => ({
  node_type: firmware.deviceType,
  hardware: firmware.hardware,
  version: firmware.version,
  md5: firmware.md5,
  size: firmware.fileSize,
  part_bytes: PART_BYTES,
  part_count: Math.ceil(firmware.fileSize / PART_BYTES),
  download_url: downloadPath(firmware.id),
});

const viewMeshUpdate = (update: MeshUpdate) => ({
  id: update.id,
  firmware_id: update.firmwareId,
  node_id: update.targetNode,
  force_update: update.isForced,
  status: update.status,
  created_at: time(update.createdAt),
  updated_at: time(update.updatedAt),
  finished_at: update.finishedAt === null ? null : time(update.finishedAt),
});

const viewNode = (node: MeshNode) => ({
  node_id: node.nodeId,
  status: node.status,
  current_part: node.currentPart,
  total_parts: node.totalParts,
  error: node.error,
  created_at: time(node.createdAt),
  updated_at: time(node.updatedAt),
});
