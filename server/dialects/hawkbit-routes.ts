// hawkBit's Direct Device Integration API, for clients that exist: swupdate's suricatta, rauc-hawkbit-updater, Zephyr. The tenant in
// the path is the device type, which has to be legacy: such clients do not check our signatures.
//
//   poll ──▶ _links: configData ──PUT──▶ never again
//   poll ──▶ _links:
//              deploymentBase/{attempt} ──▶ chunks[0].artifacts[0] ──▶ …/artifacts/{file} ──▶ feedback … closed
//              cancelAction/{attempt}   for an attempt that the server ended while the client was at it
//
// Where the registration of the type is not open, every route asks for a token before anything else: `Authorization: TargetToken`
// with the device's own (`skyslot registration give-token`), or `GatewayToken` with an enrolment token of the type.
//
// Source: https://eclipse.dev/hawkbit/rest-api/rootcontroller-api-guide/. An action's id is the id of our attempt.

import { Type } from "@sinclair/typebox";
import type { FastifyRequest } from "fastify";
import type { CheckRequest } from "../../firmware/core/wire.js";
import { IMAGE_FILE, ok } from "../api/answers.js";
import type { Context } from "../api/context.js";
import {
  aboutDevice,
  answerFully,
  credentialOf,
  expectDevice,
  noteRefusal,
  recordDevice,
  showOf,
} from "../api/device-check.js";
import { boundDevice, proveWithin } from "../api/device-rate.js";
import { countFetch } from "../api/fetches.js";
import { PRIVATE_CACHING, sendImage } from "../api/http/send-image.js";
import { route } from "../api/route.js";
import { DeviceId, Name } from "../api/schemas.js";
import type { Api } from "../api/typed-app.js";
import { admitDevice, requireCredential } from "../devices/identity.js";
import { type Journal, record } from "../events/journal.js";
import { requireLegacy } from "../releases/unsigned.js";
import { Refusal } from "../shared/refusal.js";
import { seeDevice } from "../updates/check.js";
import { reportStatus } from "../updates/status-report.js";
import {
  describeController,
  findAction,
  findController,
  hearAttributes,
  hearLateEnd,
  noteRetrieved,
} from "./hawkbit-actions.js";
import { ConfigBody } from "./hawkbit-attributes.js";
import { FeedbackBody, feedbackReport, isClosing } from "./hawkbit-feedback.js";
import {
  baseOf,
  CANCEL_HEARD,
  CancelView,
  type Controller,
  DeploymentView,
  isEndedHere,
  linksFor,
  NOTHING,
  PollView,
  sleepOf,
  viewDeployment,
} from "./hawkbit-views.js";

const BASE = "/:tenant/controller/v1/:id";
/** A client may send its whole log with a failure; what is kept of it is short. */
const bodyLimit = 1024 * 1024;

const ControllerParams = Type.Object({ tenant: Name, id: DeviceId });
const ActionParams = Type.Object({
  tenant: Name,
  id: DeviceId,
  action: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
});
const ArtifactParams = Type.Object({ ...ActionParams.properties, filename: Type.String({ maxLength: 128 }) });

export function hawkbitRoutes(app: Api, context: Context): void {
  pollRoute(app, context);
  app.register(async (guarded) => {
    guarded.addHook<{ Params: Controller }>("preHandler", (request) => letIn(request, context));
    controllerRoutes(guarded, context);
  });
}

/** Parameters are checked by now, nothing else has happened. @throws Refusal TOO_MANY_REQUESTS, TYPE_IS_SIGNED, DEVICE_… */
async function letIn(request: FastifyRequest<{ Params: Controller }>, context: Context): Promise<void> {
  if (!request.routeOptions.config.isUnbounded) await boundDevice(context, request, request.params.id);
  await requireKnown(request, context);
}

/** @throws Refusal TYPE_IS_SIGNED, DEVICE_… */
async function requireKnown(
  request: FastifyRequest<{ Params: Controller }>,
  context: Context,
): Promise<void> {
  const { tenant: deviceType, id: deviceId } = request.params;
  const { isUnbounded } = request.routeOptions.config;
  const { store, now } = context;
  await requireLegacy(deviceType, store);
  const shown = { deviceId, deviceType, credential: credentialOf(request) };
  const prove = () => noteRefusal(context, deviceId, () => requireCredential({ store, time: now() }, shown));
  await (isUnbounded ? proveWithin(context, request, deviceId, prove) : prove());
}

/**
 * The first poll has no version, and its answer asks for the attributes that contain it: so a release is offered from the second poll on.
 */
async function meetController(context: Context, request: FastifyRequest, check: CheckRequest): Promise<void> {
  const { device_id } = check;
  const takePlace = await expectDevice(context, request, device_id);
  const meet = async (journal: Journal) => {
    const admission = await admitDevice(journal, showOf(request, check));
    await seeDevice(journal, check, () => takePlace(admission));
  };
  await noteRefusal(context, device_id, () => record(context, meet, { about: aboutDevice(device_id) }));
  context.metrics.checks.inc({ result: "current" });
}

/**
 * A poll. Nearly all of them find nothing new, and are known again by a key as checks are: such a one is answered before anything is asked
 * that its key depends on.
 */
function pollRoute(app: Api, context: Context): void {
  const { store, fastPath } = context;
  app.get(
    BASE,
    route("device", "hawkBit: poll", ok(PollView), { params: ControllerParams }),
    async (request) => {
      const { params } = request;
      const config = { polling: { sleep: sleepOf(context) } };
      await boundDevice(context, request, params.id);
      const poll = describePoll(params);
      const key = fastPath.keyOf(poll, credentialOf(request));
      if (await fastPath.take(request.raw, poll, key)) return { config, _links: {} };
      await requireKnown(request, context);
      const check = await describeController(store, params);
      const isNothingElse = async (journal: Journal) =>
        Object.keys(await linksFor(request, context, journal.store)).length === 0;
      if (await store.findDevice(params.id))
        await answerFully(context, request, check, { key, isNothingElse });
      else await meetController(context, request, check);
      return { config, _links: await linksFor(request, context, store) };
    },
  );
}

/** What a poll says itself. The version is that of the device's row, and whatever changes a row takes its key away. No check has this one. */
const describePoll = ({ tenant, id }: Controller): CheckRequest => ({
  device_id: id,
  device_type: tenant,
  current_version: "hawkBit poll",
  current_build: 0,
});

function controllerRoutes(app: Api, context: Context): void {
  const { store } = context;

  app.put(
    `${BASE}/configData`,
    route("device", "hawkBit: attributes of the device", ok(NOTHING), {
      params: ControllerParams,
      body: ConfigBody,
      bodyLimit,
    }),
    async (request) => {
      const { params, body } = request;
      await findController(store, params);
      await recordDevice(context, request, params.id, (journal) => hearAttributes(journal, params, body));
      return {};
    },
  );

  app.get(
    `${BASE}/deploymentBase/:action`,
    route("device", "hawkBit: what to install", ok(DeploymentView), {
      params: ActionParams,
    }),
    async (request) => {
      const action = await findAction(store, request.params);
      const { device, attempt, firmware } = action;
      if (isEndedHere(attempt))
        throw new Refusal(
          "ACTION_ENDED",
          `action ${attempt.id} was ended here: ${attempt.errorMessage ?? attempt.errorCode}`,
        );
      if (attempt.finishedAt === null && attempt.step === null)
        await recordDevice(context, request, device.id, (journal) => noteRetrieved(journal, action));
      return viewDeployment(attempt, firmware, baseOf(request, context));
    },
  );

  app.route({
    method: ["GET", "HEAD"],
    url: `${BASE}/deploymentBase/:action/artifacts/:filename`,
    // RAUC streams a file as very many parts.
    ...route("device", "hawkBit: the file to install", IMAGE_FILE, {
      params: ArtifactParams,
      config: { isUnbounded: true },
    }),
    handler: async (request, reply) => {
      const { attempt, firmware } = await findAction(store, request.params);
      if (!(await countFetch(context, request, reply, attempt, firmware)))
        throw new Refusal(
          "ACTION_ENDED",
          `action ${attempt.id} was ended here: its file was sent often enough`,
        );
      return sendImage(request, reply, context, firmware, {
        caching: PRIVATE_CACHING,
        deviceId: request.params.id,
      });
    },
  });

  app.post(
    `${BASE}/deploymentBase/:action/feedback`,
    route("device", "hawkBit: progress of the installation", ok(NOTHING), {
      params: ActionParams,
      body: FeedbackBody,
      bodyLimit,
    }),
    async (request) => {
      const { params, body } = request;
      const action = await findAction(store, params);
      const { device, attempt, firmware } = action;
      const report = feedbackReport(body, attempt.status);
      if (attempt.finishedAt !== null) {
        if (isEndedHere(attempt) && isClosing(body))
          await recordDevice(context, request, params.id, (journal) =>
            hearLateEnd(journal, action, report.status),
          );
        return {};
      }
      await recordDevice(context, request, params.id, async (journal) => {
        await reportStatus(journal, { device_id: device.id, firmware_id: firmware.id, ...report });
        // Unverified; the attempt succeeds when the client polls again.
        if (report.status === "success")
          await journal.putDevice({ ...device, version: firmware.version, build: firmware.buildNumber });
      });
      context.metrics.statusReports.inc({ status: report.status });
      return {};
    },
  );

  app.get(
    `${BASE}/cancelAction/:action`,
    route("device", "hawkBit: an action that the server has ended", ok(CancelView), {
      params: ActionParams,
    }),
    async ({ params }) => {
      const { attempt } = await findAction(store, params);
      return { id: `${attempt.id}`, cancelAction: { stopId: `${attempt.id}` } };
    },
  );

  app.post(
    `${BASE}/cancelAction/:action/feedback`,
    route("device", "hawkBit: the device confirms the cancellation", ok(NOTHING), {
      params: ActionParams,
      body: FeedbackBody,
      bodyLimit,
    }),
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
