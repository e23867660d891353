// Devices for operators: list, show, explain their offers, timeline; and change tags, group and pin of one or many.

import { Type } from "@sinclair/typebox";
import { requireSight, sightOf } from "../auth/require-change.js";
import { findPanelImage } from "../content/panel.js";
import { changeDevice, changeDevices, findSeenDevice, relabel } from "../devices/changes.js";
import { describeVouching } from "../devices/identity-changes.js";
import { DAILY_READINGS_MS, HOURLY_READINGS_MS } from "../devices/reading-history.js";
import { viewEvent } from "../events/event-view.js";
import { askWhy } from "../rollout/ask-why.js";
import { FORMER_VERDICTS } from "../rollout/verdicts.js";
import { defined } from "../shared/defined.js";
import { statusOf } from "../shared/device-status.js";
import { time } from "../shared/iso-time.js";
import { NO_LABELS } from "../shared/rollout.js";
import type { Device, DeviceAbilities, DeviceIdentity } from "../store/store.js";
import { findRemovable } from "../updates/remove-device.js";
import { listOf, ok, page, resultsOf } from "./answers.js";
import { viewImage } from "./content-views.js";
import type { Context } from "./context.js";
import { filterOf } from "./device-bulk-routes.js";
import { DevicePatch, DeviceQuery, DevicesPatch, TimelineQuery } from "./device-schemas.js";
import {
  DeviceDetailView,
  EventAnswer,
  LabelCountView,
  LabelsView,
  ListedDeviceView,
  OfferView,
  ReadingSampleView,
  ReasonView,
  viewDevice,
  viewLabelCount,
  viewOutcomes,
  viewReadingSample,
  viewReason,
} from "./device-views.js";
import { dateTime, integer, list, number, orNull, text } from "./fields.js";
import { actorOf } from "./guard.js";
import { viewUpdate } from "./release-views.js";
import { viewMember } from "./rollout-views.js";
import { route } from "./route.js";
import { DeviceParams } from "./schemas.js";
import type { Api } from "./typed-app.js";

const ATTEMPT_COUNT = 20;
const DAY_MS = 24 * 60 * 60_000;
const ReadingsQuery = Type.Object({
  days: Type.Integer({ minimum: 1, maximum: DAILY_READINGS_MS / DAY_MS, default: 3 }),
});

export function deviceAdminRoutes(app: Api, context: Context): void {
  const { store, settings, now } = context;
  /** A device from before identities were introduced counts as approved. */
  const presenceOf = ({ lastSeen }: Device, identity: DeviceIdentity | undefined) => {
    const status = statusOf(now() - lastSeen, identity?.intervalSeconds, settings.onlineMs);
    return {
      status,
      online: status === "online",
      state: identity?.state ?? "approved",
      uses_token: identity?.tokenHash != null,
      interval_seconds: identity?.intervalSeconds ?? null,
      ...describeVouching(identity),
    };
  };

  app.get(
    "/api/devices",
    route(
      "read",
      "List devices, last seen first",
      ok(
        listOf("devices", ListedDeviceView, {
          online_seconds: number("How long a device without a reported interval counts as online"),
          time: dateTime("The server's"),
        }),
      ),
      { querystring: DeviceQuery },
    ),
    async (request) => {
      const { query } = request;
      const { limit: _, offset: __, order, ...filter } = query;
      const seen = { ...filterOf(filter, context), ...sightOf(actorOf(request)) };
      const found = await store.listDevices(seen, query, order);
      const ids = found.rows.map(({ id }) => id);
      const labels = await store.findLabelsOf(ids);
      const identityOf = new Map((await store.findIdentities(ids)).map((one) => [one.deviceId, one]));
      const view = (device: Device) => ({
        ...viewDevice(device),
        ...(labels.get(device.id) ?? NO_LABELS),
        ...presenceOf(device, identityOf.get(device.id)),
      });
      const online_seconds = settings.onlineMs / 1000;
      return { ...page("devices", found, view, query), online_seconds, time: time(now()) };
    },
  );

  app.get(
    "/api/devices/labels",
    route(
      "read",
      "List the tags and groups of devices, with their counts",
      ok(Type.Object({ tags: list(LabelCountView), groups: list(LabelCountView) })),
    ),
    async (request) => {
      const { tags, groups } = await store.countLabels(sightOf(actorOf(request)).deviceTypes);
      return { tags: tags.map(viewLabelCount), groups: groups.map(viewLabelCount) };
    },
  );

  app.get(
    "/api/devices/:id",
    route("read", "Show a device, its attempts and what it may have", ok(DeviceDetailView), {
      params: DeviceParams,
    }),
    async (request) => {
      const device = await findSeenDevice(store, actorOf(request), request.params.id);
      const { answers, members } = await readWhy(context, device);
      const identity = await store.findIdentity(device.id);
      const attempts = await store.listUpdates({ deviceId: device.id }, { limit: ATTEMPT_COUNT, offset: 0 });
      return {
        ...viewDevice(device),
        ...(await store.findLabels(device.id)),
        ...presenceOf(device, identity),
        attributes: (await store.findAttributes(device.id)) ?? null,
        trust: await viewTrust(context, device.id),
        panel: await viewPanel(context, device.id),
        abilities: viewAbilities(await store.findAbilities(device.id)),
        attempts: attempts.rows.map(viewUpdate),
        rollouts: members.map(({ isCounted, ...member }) => ({
          rollout_id: member.rolloutId,
          ...viewMember(member, isCounted),
        })),
        plan: answers,
      };
    },
  );

  app.get(
    "/api/devices/:id/why",
    route(
      "read",
      "Explain what a device is offered, in sentences",
      ok(
        Type.Object({
          device_id: text(),
          summary: text("For people"),
          offer: orNull(OfferView, "null: nothing is offered"),
          answers: list(ReasonView),
        }),
      ),
      { params: DeviceParams },
    ),
    async (request) => {
      const device = await findSeenDevice(store, actorOf(request), request.params.id);
      const { summary, offer, answers } = await readWhy(context, device);
      return { device_id: device.id, summary, offer, answers };
    },
  );

  app.get(
    "/api/devices/:id/timeline",
    route(
      "read",
      "What happened to a device, newest first; also to one that was removed",
      ok(Type.Object({ device_id: text(), events: list(EventAnswer) })),
      { params: DeviceParams, querystring: TimelineQuery },
    ),
    async (request) => {
      const { query } = request;
      const { id } = request.params;
      requireSight(actorOf(request), await findRemovable(context, id));
      const events = await store.listEvents({
        deviceId: id,
        limit: query.limit,
        ...defined({ beforeId: query.before }),
      });
      return { device_id: id, events: events.map(viewEvent) };
    },
  );

  app.get(
    "/api/devices/:id/readings",
    route(
      "read",
      "What a device's sensors said over time: hourly, and daily for older samples",
      ok(
        Type.Object({
          device_id: text(),
          hourly_days: integer("Number of the last days that have hourly values"),
          samples: list(ReadingSampleView, "Oldest first"),
        }),
      ),
      { params: DeviceParams, querystring: ReadingsQuery },
    ),
    async (request) => {
      const { id } = await findSeenDevice(store, actorOf(request), request.params.id);
      const since = now() - request.query.days * DAY_MS;
      const hourly = await store.listReadingSamples("hourly", id, since);
      const daily = await store.listReadingSamples("daily", id, since);
      const older = daily.filter((one) => one.time < (hourly[0]?.time ?? Number.POSITIVE_INFINITY));
      return {
        device_id: id,
        hourly_days: HOURLY_READINGS_MS / DAY_MS,
        samples: [...older, ...hourly].map((one) => viewReadingSample(one)),
      };
    },
  );

  app.patch(
    "/api/devices/:id",
    route("devices:write", "Change a device's tags, group and pin", ok(LabelsView), {
      params: DeviceParams,
      body: DevicePatch,
    }),
    async (request) => {
      const work = relabel(request.body);
      const labels = await changeDevice(context, actorOf(request), request.params.id, work);
      return { device_id: request.params.id, ...labels };
    },
  );

  // Each device is changed or refused separately: the answer has an entry for each.
  app.post(
    "/api/devices/labels",
    route(
      "devices:write",
      "Change tags, group and pin of many devices",
      ok(
        Type.Object({
          changed: integer("Devices"),
          failed: integer("Devices"),
          devices: resultsOf(LabelsView),
        }),
      ),
      { body: DevicesPatch, bodyLimit: 128 * 1024 },
    ),
    async (request) => {
      const { devices, ...changes } = request.body;
      const outcomes = await changeDevices(context, actorOf(request), devices, relabel(changes));
      const results = viewOutcomes(outcomes, (labels, device_id) => ({ device_id, ...labels }));
      return { changed: results.doneCount, failed: results.refusedCount, devices: results.views };
    },
  );
}

async function viewTrust({ store }: Context, deviceId: string) {
  const [root, statedAt] = await Promise.all([store.findNewestRoot(), store.findStatementTime(deviceId)]);
  return { newest_root: root?.version ?? null, stated_at: statedAt === undefined ? null : time(statedAt) };
}

async function viewPanel(context: Context, deviceId: string) {
  const panel = await context.store.findPanel(deviceId);
  if (!panel) return null;
  const image = await findPanelImage(context, panel);
  return {
    asked_at: time(panel.askedAt),
    etag: panel.etag,
    fetched_at: panel.fetchedAt === null ? null : time(panel.fetchedAt),
    image: image ? viewImage(image) : null,
  };
}

const viewAbilities = (known: DeviceAbilities | undefined) =>
  known
    ? { orders: known.orders, fields: known.fields, values: known.values, told_at: time(known.toldAt) }
    : null;

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
    answers: answers.map((answer) => ({
      ...viewReason({ ...answer, version: answer.version ?? "" }),
      ...defined({ former_verdict: FORMER_VERDICTS[answer.verdict] }),
    })),
  };
}
