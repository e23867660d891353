// What operators speak: upload, register, list, change and deactivate firmware, and read the attempts. All of it behind guard.ts.

import type { Static } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import { requireChange } from "../auth/require-change.js";
import { recordChange } from "../events/journal.js";
import { changeRelease } from "../releases/add-release.js";
import type { Actor } from "../shared/actor.js";
import { Refusal } from "../shared/refusal.js";
import type { Firmware, FirmwareChanges } from "../store/store.js";
import type { Context } from "./context.js";
import { actorOf } from "./guard.js";
import { FirmwarePatch, FirmwareQuery, IdParams, LogsQuery, RegisterBody } from "./schemas.js";
import { registerKnown, uploadFirmware } from "./upload.js";
import { viewFirmware, viewUpdate } from "./views.js";

const READ = Object.freeze({ access: "read" as const });
const WRITE = Object.freeze({ access: "releases:write" as const });
const MAX_ADMIN_BODY_BYTES = 64 * 1024;
const PREFIX = "/api/ota/admin";

/** A form cannot be checked before it is read: its fields are UploadFields. */
const UPLOAD = Object.freeze({
  summary: "Upload an image with its signed manifest (multipart: file, release and fields as in registering)",
  consumes: ["multipart/form-data"],
});

export function adminRoutes(app: FastifyInstance, context: Context): void {
  const { store } = context;

  app.post(`${PREFIX}/upload`, { config: WRITE, schema: { ...UPLOAD } }, async (request, reply) => {
    return reply.code(201).send(viewFirmware(await uploadFirmware(request, context)));
  });

  app.post<{ Body: Static<typeof RegisterBody> }>(
    `${PREFIX}/firmware`,
    {
      config: WRITE,
      bodyLimit: MAX_ADMIN_BODY_BYTES,
      schema: { summary: "Register a release whose image is stored here already", body: RegisterBody },
    },
    async (request, reply) =>
      reply.code(201).send(viewFirmware(await registerKnown(request, context, request.body))),
  );

  app.get<{ Querystring: Static<typeof FirmwareQuery> }>(
    `${PREFIX}/firmware`,
    { config: READ, schema: { summary: "List firmware, newest first", querystring: FirmwareQuery } },
    async ({ query }) => {
      const { rows, totalCount } = await store.listFirmware(
        {
          ...(query.device_type === undefined ? {} : { deviceType: query.device_type }),
          ...(query.is_active === undefined ? {} : { isActive: query.is_active }),
          ...(query.is_stable === undefined ? {} : { isStable: query.is_stable }),
        },
        query,
      );
      return {
        firmware: rows.map(viewFirmware),
        total: totalCount,
        limit: query.limit,
        offset: query.offset,
      };
    },
  );

  app.get<{ Params: { id: number } }>(
    `${PREFIX}/firmware/:id`,
    { config: READ, schema: { summary: "One firmware and its signed manifest", params: IdParams } },
    async ({ params }) => {
      const firmware = await store.findFirmware(params.id);
      if (!firmware) throw new Refusal("FIRMWARE_UNKNOWN", `firmware ${params.id} does not exist`);
      return { ...viewFirmware(firmware), release: firmware.release };
    },
  );

  app.patch<{ Params: { id: number }; Body: Static<typeof FirmwarePatch> }>(
    `${PREFIX}/firmware/:id`,
    {
      config: WRITE,
      bodyLimit: MAX_ADMIN_BODY_BYTES,
      schema: {
        summary: "Change whether firmware is stable or active, its stepping stone and notes",
        params: IdParams,
        body: FirmwarePatch,
      },
    },
    async (request) => {
      const { params, body } = request;
      const changes = {
        ...(body.is_stable === undefined ? {} : { isStable: body.is_stable }),
        ...(body.is_active === undefined ? {} : { isActive: body.is_active }),
        ...(body.min_current_version === undefined ? {} : { minCurrentVersion: body.min_current_version }),
        ...(body.release_notes === undefined ? {} : { notes: body.release_notes }),
      };
      if (Object.keys(changes).length === 0) {
        const known = Object.keys(FirmwarePatch.properties).join(", ");
        throw new Refusal("INVALID_REQUEST", `this would change nothing; what can be changed: ${known}`);
      }
      return viewFirmware(await change(context, actorOf(request), params.id, changes));
    },
  );

  // Deactivates: the record stays, because attempts and the log refer to it.
  app.delete<{ Params: { id: number } }>(
    `${PREFIX}/firmware/:id`,
    {
      config: WRITE,
      schema: { summary: "Deactivate firmware: it is offered and downloaded no more", params: IdParams },
    },
    async (request) =>
      viewFirmware(await change(context, actorOf(request), request.params.id, { isActive: false })),
  );

  app.get<{ Querystring: Static<typeof LogsQuery> }>(
    `${PREFIX}/logs`,
    { config: READ, schema: { summary: "List attempts, newest first", querystring: LogsQuery } },
    async ({ query }) => {
      const { rows, totalCount } = await store.listUpdates(
        {
          ...(query.device_id === undefined ? {} : { deviceId: query.device_id }),
          ...(query.firmware_id === undefined ? {} : { firmwareId: query.firmware_id }),
          ...(query.status === undefined ? {} : { status: query.status }),
        },
        query,
      );
      return { logs: rows.map(viewUpdate), total: totalCount, limit: query.limit, offset: query.offset };
    },
  );
}

function change(context: Context, actor: Actor, id: number, changes: FirmwareChanges): Promise<Firmware> {
  return recordChange(context, actor, async (journal) => {
    const before = await journal.store.findFirmware(id);
    if (before) requireChange(actor, before);
    const after = await changeRelease(journal, id, changes);
    await journal.audit({
      action: changes.isActive === false ? "firmware.deactivated" : "firmware.changed",
      subject: `firmware/${id}`,
      before: before && viewFirmware(before),
      after: viewFirmware(after),
    });
    return after;
  });
}
