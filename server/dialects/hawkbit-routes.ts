// hawkBit's Direct Device Integration API, for clients that exist: swupdate's suricatta, rauc-hawkbit-updater, Zephyr. The tenant in
// the path is the device type, which has to be legacy: such a client knows no signatures of ours.
//
//   poll ──▶ _links: configData ──PUT──▶ gone for ever
//              deploymentBase/{attempt} ──▶ chunks[0].artifacts[0] ──▶ download ──▶ feedback … closed
//              cancelAction/{attempt}   for an attempt that the server ended while the client was at it
//
// Source: https://eclipse.dev/hawkbit/rest-api/rootcontroller-api-guide/. An action's id is the id of our attempt.

import { type Static, Type } from "@sinclair/typebox";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { CheckRequest } from "../../firmware/core/wire.js";
import { answerCheck, recordDevice } from "../api/check.js";
import type { Context } from "../api/context.js";
import { ApiError } from "../api/errors.js";
import { DeviceId, Name } from "../api/schemas.js";
import { downloadPath } from "../api/views.js";
import { requireLegacy } from "../legacy.js";
import type { Device, Firmware, Store, Update } from "../store/store.js";
import { reportStatus } from "../updates.js";
import { feedbackReport } from "./hawkbit-feedback.js";

const BASE = "/:tenant/controller/v1/:id";
const MAX_BODY_BYTES = 16 * 1024;
const MAX_ATTRIBUTE_COUNT = 64;
const DEFAULT_POLL_SECONDS = 120;
/** The step of an attempt that the server has ended and whose client has heard of it. */
const CANCEL_HEARD = "cancel-heard";
/** Ends that the device does not know of by itself. */
const ENDED_HERE: readonly (string | null)[] = Object.freeze(["SUPERSEDED", "WITHDRAWN", "CANCELLED"]);

const ControllerParams = Type.Object({ tenant: Name, id: DeviceId });
const ActionParams = Type.Object({
  tenant: Name,
  id: DeviceId,
  action: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
});
const ConfigBody = Type.Object({
  data: Type.Record(Type.String({ maxLength: 128 }), Type.String({ maxLength: 512 }), {
    maxProperties: MAX_ATTRIBUTE_COUNT,
  }),
});
/** Clients differ in everything but this. */
export const FeedbackBody = Type.Object({
  status: Type.Object({
    execution: Type.String({ maxLength: 32 }),
    result: Type.Optional(Type.Object({ finished: Type.Optional(Type.String({ maxLength: 32 })) })),
    details: Type.Optional(Type.Array(Type.String({ maxLength: 4096 }), { maxItems: 64 })),
  }),
});

type Controller = Static<typeof ControllerParams>;
type Action = Static<typeof ActionParams>;

export function hawkbitRoutes(app: FastifyInstance, context: Context): void {
  const { store } = context;
  const open = { bodyLimit: MAX_BODY_BYTES, config: { access: "device" as const } };

  app.get<{ Params: Controller }>(
    BASE,
    { ...open, schema: { summary: "hawkBit: poll", params: ControllerParams } },
    async (request) => {
      const { params } = request;
      await requireLegacy(params.tenant, store);
      const check = await describeController(store, params);
      await answerCheck(context, request, check);
      return { config: { polling: { sleep: sleepOf(context) } }, _links: await linksFor(request, store) };
    },
  );

  app.put<{ Params: Controller; Body: Static<typeof ConfigBody> }>(
    `${BASE}/configData`,
    {
      ...open,
      schema: { summary: "hawkBit: attributes of the device", params: ControllerParams, body: ConfigBody },
    },
    async (request) => {
      const { params, body } = request;
      await findController(store, params);
      await recordDevice(context, request, params.id, (journal) =>
        journal.store.putAttributes(params.id, body.data, context.now()),
      );
      return {};
    },
  );

  app.get<{ Params: Action }>(
    `${BASE}/deploymentBase/:action`,
    { ...open, schema: { summary: "hawkBit: what to install", params: ActionParams } },
    async (request) => {
      const { attempt, firmware } = await findAction(store, request.params);
      return viewDeployment(attempt, firmware, originOf(request));
    },
  );

  app.post<{ Params: Action; Body: Static<typeof FeedbackBody> }>(
    `${BASE}/deploymentBase/:action/feedback`,
    {
      ...open,
      schema: { summary: "hawkBit: how the installation goes", params: ActionParams, body: FeedbackBody },
    },
    async (request) => {
      const { params, body } = request;
      const { device, attempt, firmware } = await findAction(store, params);
      // What was ended here stays ended; a client that has not heard of it yet is not to blame.
      if (attempt.finishedAt !== null) return {};
      const report = feedbackReport(body);
      await recordDevice(context, request, params.id, async (journal) => {
        await reportStatus(journal, { device_id: device.id, firmware_id: firmware.id, ...report });
        // Its word is all there is; the attempt is a success when it polls again.
        if (report.status === "success")
          await journal.putDevice({ ...device, version: firmware.version, build: firmware.buildNumber });
      });
      context.metrics.statusReports.inc({ status: report.status });
      return {};
    },
  );

  app.get<{ Params: Action }>(
    `${BASE}/cancelAction/:action`,
    { ...open, schema: { summary: "hawkBit: an action that was ended here", params: ActionParams } },
    async ({ params }) => {
      const { attempt } = await findAction(store, params);
      return { id: `${attempt.id}`, cancelAction: { stopId: `${attempt.id}` } };
    },
  );

  app.post<{ Params: Action; Body: Static<typeof FeedbackBody> }>(
    `${BASE}/cancelAction/:action/feedback`,
    {
      ...open,
      schema: { summary: "hawkBit: the device has heard of it", params: ActionParams, body: FeedbackBody },
    },
    async (request) => {
      const { params } = request;
      const { attempt } = await findAction(store, params);
      if (attempt.status === "failed")
        await recordDevice(context, request, params.id, (journal) =>
          journal.changeUpdate(attempt.id, { step: CANCEL_HEARD }),
        );
      return {};
    },
  );
}

/** A poll tells nothing but who asks: the version is the last that is known. */
async function describeController(store: Store, { tenant, id }: Controller): Promise<CheckRequest> {
  const known = await store.findDevice(id);
  const attributes = known && (await store.findAttributes(id));
  return {
    device_id: id,
    device_type: tenant,
    current_version:
      known && known.version !== "0.0.0" ? known.version : (attributes?.version ?? "0.0.0").slice(0, 48),
    current_build: known?.build ?? 0,
  };
}

async function linksFor(request: FastifyRequest<{ Params: Controller }>, store: Store) {
  const { tenant, id } = request.params;
  const base = `${originOf(request)}/${tenant}/controller/v1/${encodeURIComponent(id)}`;
  const { rows } = await store.listUpdates({ deviceId: id }, { limit: 2, offset: 0 });
  const open = rows.find(({ finishedAt }) => finishedAt === null);
  const ended = rows.find(
    ({ status, step, errorCode }) =>
      status === "failed" && ENDED_HERE.includes(errorCode) && step !== null && step !== CANCEL_HEARD,
  );
  const link = (path: string) => ({ href: `${base}/${path}` });
  return {
    ...((await store.findAttributes(id)) ? {} : { configData: link("configData") }),
    // One thing at a time: first the old action has to end.
    ...(ended
      ? { cancelAction: link(`cancelAction/${ended.id}`) }
      : open
        ? { deploymentBase: link(`deploymentBase/${open.id}`) }
        : {}),
  };
}

function viewDeployment(attempt: Update, firmware: Firmware, origin: string) {
  const href = `${origin}${downloadPath(firmware.id)}`;
  const { sha1, md5, fileHash: sha256 } = firmware;
  return {
    id: `${attempt.id}`,
    deployment: {
      download: "forced",
      update: "forced",
      chunks: [
        {
          part: "firmware",
          name: firmware.deviceType,
          version: firmware.version,
          artifacts: [
            {
              filename: firmware.filename,
              hashes: { ...(sha1 === null ? {} : { sha1 }), ...(md5 === null ? {} : { md5 }), sha256 },
              size: firmware.fileSize,
              _links: { download: { href }, "download-http": { href } },
            },
          ],
        },
      ],
    },
  };
}

/** @throws ApiError TYPE_IS_SIGNED, DEVICE_UNKNOWN */
async function findController(store: Store, { tenant, id }: Controller): Promise<Device> {
  await requireLegacy(tenant, store);
  const device = await store.findDevice(id);
  if (device?.type !== tenant)
    throw new ApiError(404, "DEVICE_UNKNOWN", `controller ${id} has never polled as ${tenant}`);
  return device;
}

/** @throws ApiError TYPE_IS_SIGNED, DEVICE_UNKNOWN, ACTION_UNKNOWN */
async function findAction(store: Store, params: Action) {
  const device = await findController(store, params);
  const attempt = await store.findUpdate(params.action);
  const firmware = attempt && (await store.findFirmware(attempt.firmwareId));
  if (!attempt || !firmware || attempt.deviceId !== device.id)
    throw new ApiError(404, "ACTION_UNKNOWN", `controller ${device.id} has no action ${params.action}`);
  return { device, attempt, firmware };
}

/** Links have to be absolute: as the client has reached us. */
const originOf = (request: FastifyRequest): string => `${request.protocol}://${request.host}`;

/** "HH:MM:SS" */
function sleepOf({ settings }: Context): string {
  const seconds = Math.min(settings.pollSeconds ?? DEFAULT_POLL_SECONDS, 86_399);
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}
