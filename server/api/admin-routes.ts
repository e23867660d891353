// What operators speak: upload, register, list, change and deactivate firmware, and read the attempts. All of it behind guard.ts.

import type { Static } from "@sinclair/typebox";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Blob, PutBlob } from "../blobs/blobs.js";
import { record } from "../journal.js";
import { addFirmware, changeRelease, checkFirmware, type FirmwareFields } from "../registration.js";
import { readRelease } from "../release.js";
import type { Firmware } from "../store/store.js";
import type { Context } from "./context.js";
import { ApiError } from "./errors.js";
import {
  FirmwarePatch,
  FirmwareQuery,
  IdParams,
  LogsQuery,
  parseText,
  RegisterBody,
  UploadFields,
} from "./schemas.js";
import { viewFirmware, viewUpdate } from "./views.js";

const MAX_ADMIN_BODY_BYTES = 64 * 1024;
const PREFIX = "/api/ota/admin";
/** Files are registered and removed one at a time, whichever server does it. */
const REGISTERING = "registering";

export function adminRoutes(app: FastifyInstance, context: Context): void {
  const { store } = context;

  app.post(`${PREFIX}/upload`, async (request, reply) => {
    const { fields, blob } = await receiveUpload(request, context);
    const firmware = await takeOrForget(context, fields, blob);
    return reply.code(201).send(viewFirmware(firmware));
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

/** Streams the file to the blob store as it comes; fields may stand before or behind it. */
async function receiveUpload(
  request: FastifyRequest,
  context: Context,
): Promise<{ readonly fields: FirmwareFields; readonly blob: PutBlob }> {
  const { blobs, settings } = context;
  if (!request.isMultipart()) {
    throw new ApiError(415, "MEDIA_TYPE_UNKNOWN", "send multipart/form-data with the parts file and release");
  }
  const values: { release?: unknown; filename?: unknown; [name: string]: unknown } = {};
  let blob: PutBlob | undefined;
  try {
    for await (const part of request.parts()) {
      if (part.type === "field") values[part.fieldname] = part.value;
      else if (part.fieldname !== "file" || blob)
        throw new ApiError(
          400,
          "INVALID_REQUEST",
          `file part "${part.fieldname.slice(0, 64)}" is not expected`,
        );
      else {
        if (part.filename) values.filename ??= part.filename.replace(/[^A-Za-z0-9._+-]/g, "_").slice(0, 128);
        blob = await blobs.put(part.file, settings.maxImageBytes);
      }
    }
    if (!blob) throw new ApiError(400, "FILE_MISSING", "part file is missing: the firmware image");
    const fields = parseText(UploadFields, values);
    if (typeof fields === "string") throw new ApiError(400, "INVALID_REQUEST", fields);
    return { fields, blob };
  } catch (error) {
    if (blob) await forgetUnused(context, blob);
    throw error;
  }
}

/** A file that is refused does not stay, unless it was here before. */
async function takeOrForget(context: Context, fields: FirmwareFields, blob: PutBlob): Promise<Firmware> {
  try {
    return await take(context, fields, blob);
  } catch (error) {
    await forgetUnused(context, blob);
    throw error;
  }
}

/** Removes what nobody has registered: of two uploads of one file, the other may have meanwhile. */
function forgetUnused({ store, blobs }: Context, blob: PutBlob): Promise<void> {
  return store.exclusive(REGISTERING, async () => {
    if (!blob.isNew) return;
    const { totalCount } = await store.listFirmware({ fileHash: blob.sha256 }, { limit: 1, offset: 0 });
    if (totalCount === 0) await blobs.remove(blob.sha256);
  });
}

/** Registers a release whose file is in the blob store already. */
async function registerKnown(context: Context, body: Static<typeof RegisterBody>): Promise<Firmware> {
  const sha256 = body.file_hash ?? (body.release && readRelease(body.release.trim()).release.sha256);
  if (!sha256)
    throw new ApiError(400, "FIELD_MISSING", "file_hash is missing: firmware without a manifest needs it");
  const blob = await context.blobs.stat(sha256);
  if (!blob)
    throw new ApiError(404, "FILE_UNKNOWN", `no file with SHA-256 ${sha256} is stored here: upload it`);
  return take(context, body, blob);
}

/** One at a time, so that no file is removed between its check and its registration. */
function take(context: Context, fields: FirmwareFields, blob: Blob): Promise<Firmware> {
  const { store, blobs, settings } = context;
  return store.exclusive(REGISTERING, async () => {
    if (!(await blobs.stat(blob.sha256))) {
      throw new ApiError(
        409,
        "FILE_GONE",
        "another upload of this file was refused at the same time: upload it again",
      );
    }
    const checked = await checkFirmware(fields, blob, blobs, context.store, settings.trustedKeys);
    return record(context, (journal) => addFirmware(journal, checked));
  });
}
