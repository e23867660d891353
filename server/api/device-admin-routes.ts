// Devices as operators see them: list, show, why they get what they get, their timeline; and what an operator says of them (tags,
// group, pin), of one or of many.

import type { Static } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import { changeDevice, changeDevices, findDevice, relabel } from "../devices/changes.js";
import { viewEvent } from "../events/event-view.js";
import { askWhy } from "../rollout/ask-why.js";
import { statusOf } from "../shared/device-status.js";
import { NO_LABELS } from "../shared/rollout.js";
import type { Device, DeviceIdentity } from "../store/store.js";
import type { Context } from "./context.js";
import { actorOf } from "./guard.js";
import { DevicePatch, DevicesPatch, TimelineQuery } from "./rollout-schemas.js";
import { viewMember } from "./rollout-views.js";
import { DeviceParams, DeviceQuery } from "./schemas.js";
import { viewDevice, viewUpdate } from "./views.js";

const READ = { config: { access: "read" } } as const;
const WRITE = { config: { access: "devices:write" } } as const;
const ATTEMPT_COUNT = 20;

type WithId = { Params: { id: string } };

export function deviceAdminRoutes(app: FastifyInstance, context: Context): void {
  const { store, settings, now } = context;
  /** A device that was here before there were identities counts as approved. */
  const presenceOf = ({ lastSeen }: Device, identity: DeviceIdentity | undefined) => {
    const status = statusOf(now() - lastSeen, identity?.intervalSeconds, settings.onlineMs);
    return {
      status,
      online: status === "online",
      state: identity?.state ?? "approved",
      uses_token: identity?.tokenHash != null,
      interval_seconds: identity?.intervalSeconds ?? null,
    };
  };

  app.get<{ Querystring: Static<typeof DeviceQuery> }>(
    "/api/devices",
    { ...READ, schema: { summary: "List devices, last seen first", querystring: DeviceQuery } },
    async ({ query }) => {
      const { limit, offset, order, status, ...rest } = query;
      const terms = { now: now(), usualMs: settings.onlineMs };
      const filter = { ...rest, ...(status === undefined ? {} : { status: { is: status, ...terms } }) };
      const { rows, totalCount } = await store.listDevices(filter, { limit, offset }, order);
      const ids = rows.map(({ id }) => id);
      const labels = await store.findLabelsOf(ids);
      const identityOf = new Map((await store.findIdentities(ids)).map((one) => [one.deviceId, one]));
      return {
        devices: rows.map((device) => ({
          ...viewDevice(device),
          ...(labels.get(device.id) ?? NO_LABELS),
          ...presenceOf(device, identityOf.get(device.id)),
        })),
        total: totalCount,
        limit,
        offset,
        online_seconds: settings.onlineMs / 1000,
        time: new Date(now()).toISOString(),
      };
    },
  );

  app.get(
    "/api/devices/labels",
    { ...READ, schema: { summary: "Tags and groups that devices have, and how many" } },
    async () => {
      const { tags, groups } = await store.countLabels();
      const view = ({ name, deviceCount }: (typeof tags)[number]) => ({ name, device_count: deviceCount });
      return { tags: tags.map(view), groups: groups.map(view) };
    },
  );

  app.get<WithId>(
    "/api/devices/:id",
    {
      ...READ,
      schema: { summary: "Show a device, its attempts and what it may have", params: DeviceParams },
    },
    async ({ params }) => {
      const device = await findDevice(store, params.id);
      const { answers, members } = await readWhy(context, device);
      const attempts = await store.listUpdates({ deviceId: device.id }, { limit: ATTEMPT_COUNT, offset: 0 });
      return {
        ...viewDevice(device),
        ...(await store.findLabels(device.id)),
        ...presenceOf(device, await store.findIdentity(device.id)),
        attempts: attempts.rows.map(viewUpdate),
        rollouts: members.map((member) => ({ rollout_id: member.rolloutId, ...viewMember(member) })),
        plan: answers,
      };
    },
  );

  // Answers the question that every operator asks: why does this device not get that release?
  app.get<WithId>(
    "/api/devices/:id/why",
    { ...READ, schema: { summary: "Why a device gets what it gets, in sentences", params: DeviceParams } },
    async ({ params }) => {
      const device = await findDevice(store, params.id);
      const { summary, offer, answers } = await readWhy(context, device);
      return { device_id: device.id, summary, offer, answers };
    },
  );

  app.get<WithId & { Querystring: Static<typeof TimelineQuery> }>(
    "/api/devices/:id/timeline",
    {
      ...READ,
      schema: {
        summary: "What happened to a device, newest first",
        params: DeviceParams,
        querystring: TimelineQuery,
      },
    },
    async ({ params, query }) => {
      const device = await findDevice(store, params.id);
      const events = await store.listEvents({
        deviceId: device.id,
        limit: query.limit,
        ...(query.before === undefined ? {} : { beforeId: query.before }),
      });
      return { device_id: device.id, events: events.map(viewEvent) };
    },
  );

  app.patch<WithId & { Body: Static<typeof DevicePatch> }>(
    "/api/devices/:id",
    {
      ...WRITE,
      schema: { summary: "Change a device's tags, group and pin", params: DeviceParams, body: DevicePatch },
    },
    async (request) => {
      const work = relabel(request.body);
      const labels = await changeDevice(context, actorOf(request), request.params.id, work);
      return { device_id: request.params.id, ...labels };
    },
  );

  // Each device is judged by itself: the answer says of each what became of it.
  app.post<{ Body: Static<typeof DevicesPatch> }>(
    "/api/devices/labels",
    {
      ...WRITE,
      bodyLimit: 128 * 1024,
      schema: { summary: "Change tags, group and pin of many devices", body: DevicesPatch },
    },
    async (request) => {
      const { devices, ...changes } = request.body;
      const outcomes = await changeDevices(context, actorOf(request), devices, relabel(changes));
      const results = outcomes.map((one) => ({
        device_id: one.deviceId,
        ...("refusal" in one ? { error: one.refusal.code, message: one.refusal.message } : one.result),
      }));
      const failedCount = results.filter((result) => "error" in result).length;
      return { changed: results.length - failedCount, failed: failedCount, devices: results };
    },
  );
}

async function readWhy({ store, now }: Context, device: Device) {
  const { summary, offer, answers, members } = await askWhy(store, device, now());
  return {
    members,
    summary,
    offer: offer
      ? {
          firmware_id: offer.release.id,
          wanted_firmware_id: offer.wanted.id,
          rollout_id: offer.rollout?.id ?? null,
        }
      : null,
    answers: answers.map(({ firmwareId, version, rolloutId, verdict, sentence }) => ({
      firmware_id: firmwareId,
      version,
      rollout_id: rolloutId,
      verdict,
      sentence,
    })),
  };
}
