import { requireSight, sightOf } from "../auth/require-change.js";
import { recordChange } from "../events/journal.js";
import type { Actor } from "../shared/actor.js";
import { defined } from "../shared/defined.js";
import { Refusal } from "../shared/refusal.js";
import type { Firmware, FirmwareChanges } from "../store/store.js";
import { created, listOf, ok, page } from "./answers.js";
import type { Context } from "./context.js";
import { actorOf } from "./guard.js";
import { changeFirmware, deleteFirmware } from "./release-change.js";
import { DeletionQuery, FirmwarePatch, FirmwareQuery, LogsQuery, RegisterBody } from "./release-schemas.js";
import { registerKnown, uploadFirmware } from "./release-upload.js";
import { FirmwareView, SignedFirmwareView, UpdateView, viewFirmware, viewUpdate } from "./release-views.js";
import { route } from "./route.js";
import { IdParams } from "./schemas.js";
import type { Api } from "./typed-app.js";

const bodyLimit = 64 * 1024;
const PREFIX = "/api/ota/admin";

export function releaseRoutes(app: Api, context: Context): void {
  const { store } = context;

  // A form cannot be checked before it is read: its fields are UploadFields.
  app.post(
    `${PREFIX}/upload`,
    route(
      "releases:write",
      "Upload an image with its signed manifest (multipart: file, release, and the fields of registration)",
      created(FirmwareView),
      { consumes: ["multipart/form-data"] },
    ),
    async (request, reply) =>
      reply.code(201).send(viewFirmware(await uploadFirmware(request, context), context)),
  );

  app.post(
    `${PREFIX}/firmware`,
    route("releases:write", "Register a release whose image is already stored here", created(FirmwareView), {
      body: RegisterBody,
      bodyLimit,
    }),
    async (request, reply) =>
      reply.code(201).send(viewFirmware(await registerKnown(request, context, request.body), context)),
  );

  app.get(
    `${PREFIX}/firmware`,
    route("read", "List firmware, newest first", ok(listOf("firmware", FirmwareView)), {
      querystring: FirmwareQuery,
    }),
    async (request) => {
      const { query } = request;
      const { device_type: deviceType, is_active: isActive, is_stable: isStable } = query;
      const filter = { ...defined({ deviceType, isActive, isStable }), ...sightOf(actorOf(request)) };
      const found = await store.listFirmware(filter, query);
      return page("firmware", found, (firmware) => viewFirmware(firmware, context), query);
    },
  );

  app.get(
    `${PREFIX}/firmware/:id`,
    route("read", "Show a release and its signed manifest", ok(SignedFirmwareView), { params: IdParams }),
    async (request) => {
      const { params } = request;
      const firmware = await store.findFirmware(params.id);
      if (!firmware) throw new Refusal("FIRMWARE_UNKNOWN", `firmware ${params.id} does not exist`);
      requireSight(actorOf(request), firmware);
      return { ...viewFirmware(firmware, context), release: firmware.release };
    },
  );

  app.patch(
    `${PREFIX}/firmware/:id`,
    route(
      "releases:write",
      "Change whether firmware is stable or active, its minimum version and notes",
      ok(FirmwareView),
      { params: IdParams, body: FirmwarePatch, bodyLimit },
    ),
    async (request) => {
      const { params, body } = request;
      const changes = defined({
        isStable: body.is_stable,
        isActive: body.is_active,
        minCurrentVersion: body.min_current_version,
        notes: body.release_notes,
      });
      if (Object.keys(changes).length === 0) {
        const known = Object.keys(FirmwarePatch.properties).join(", ");
        throw new Refusal("INVALID_REQUEST", `this would change nothing; what can be changed: ${known}`);
      }
      return viewFirmware(await change(context, actorOf(request), params.id, changes), context);
    },
  );

  // By default the record stays: attempts and rollouts refer to it.
  app.delete(
    `${PREFIX}/firmware/:id`,
    route(
      "releases:write",
      "Deactivate firmware: it is no longer offered or downloaded. With `permanently`: delete it with its attempts and ended rollouts, if it is inactive and nothing needs it",
      ok(FirmwareView, "As it is, or was"),
      { params: IdParams, querystring: DeletionQuery },
    ),
    async (request) => {
      const { id } = request.params;
      const actor = actorOf(request);
      const firmware =
        request.query.permanently === true
          ? await recordChange(context, actor, (journal) => deleteFirmware(journal, context, actor, id))
          : await change(context, actor, id, { isActive: false });
      return viewFirmware(firmware, context);
    },
  );

  app.get(
    `${PREFIX}/logs`,
    route("read", "List attempts, newest first", ok(listOf("logs", UpdateView)), { querystring: LogsQuery }),
    async (request) => {
      const { query } = request;
      const { device_id: deviceId, firmware_id: firmwareId, status } = query;
      const filter = { ...defined({ deviceId, firmwareId, status }), ...sightOf(actorOf(request)) };
      const found = await store.listUpdates(filter, query);
      return page("logs", found, viewUpdate, query);
    },
  );
}

const change = (context: Context, actor: Actor, id: number, changes: FirmwareChanges): Promise<Firmware> =>
  recordChange(context, actor, (journal) => changeFirmware(journal, context, actor, id, changes));
