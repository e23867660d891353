// What operators speak: upload, register, list, change and deactivate firmware, and read the attempts. All of it behind guard.ts.

import type { Static } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import { record } from "../journal.js";
import { changeRelease } from "../registration.js";
import type { Context } from "./context.js";
import { ApiError } from "./errors.js";
import { FirmwarePatch, FirmwareQuery, IdParams, LogsQuery, RegisterBody } from "./schemas.js";
import { registerKnown, uploadFirmware } from "./upload.js";
import { viewFirmware, viewUpdate } from "./views.js";

const MAX_ADMIN_BODY_BYTES = 64 * 1024;
const PREFIX = "/api/ota/admin";

export function adminRoutes(app: FastifyInstance, context: Context): void {
  const { store } = context;

  app.post(`${PREFIX}/upload`, async (request, reply) => {
    return reply.code(201).send(viewFirmware(await uploadFirmware(request, context)));
  });

  app.post<{ Body: Static<typeof RegisterBody> }>(
    `${PREFIX}/firmware`,
    { bodyLimit: MAX_ADMIN_BODY_BYTES, schema: { body: RegisterBody } },
    async ({ body }, reply) => reply.code(201).send(viewFirmware(await registerKnown(context, body))),
  );

  app.get<{ Querystring: Static<typeof FirmwareQuery> }>(
    `${PREFIX}/firmware`,
    { schema: { querystring: FirmwareQuery } },
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
    { schema: { params: IdParams } },
    async ({ params }) => {
      const firmware = await store.findFirmware(params.id);
      if (!firmware) throw new ApiError(404, "FIRMWARE_UNKNOWN", `firmware ${params.id} does not exist`);
      return { ...viewFirmware(firmware), release: firmware.release };
    },
  );

  app.patch<{ Params: { id: number }; Body: Static<typeof FirmwarePatch> }>(
    `${PREFIX}/firmware/:id`,
    { bodyLimit: MAX_ADMIN_BODY_BYTES, schema: { params: IdParams, body: FirmwarePatch } },
    async ({ params, body }) => {
      const changes = {
        ...(body.is_stable === undefined ? {} : { isStable: body.is_stable }),
        ...(body.is_active === undefined ? {} : { isActive: body.is_active }),
        ...(body.min_current_version === undefined ? {} : { minCurrentVersion: body.min_current_version }),
        ...(body.release_notes === undefined ? {} : { notes: body.release_notes }),
      };
      return viewFirmware(await record(context, (journal) => changeRelease(journal, params.id, changes)));
    },
  );

  // Deactivates: the record stays, because attempts and the log refer to it.
  app.delete<{ Params: { id: number } }>(
    `${PREFIX}/firmware/:id`,
    { schema: { params: IdParams } },
    async ({ params }) =>
      viewFirmware(
        await record(context, (journal) => changeRelease(journal, params.id, { isActive: false })),
      ),
  );

  app.get<{ Querystring: Static<typeof LogsQuery> }>(
    `${PREFIX}/logs`,
    { schema: { querystring: LogsQuery } },
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
