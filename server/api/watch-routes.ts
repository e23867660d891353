// What people and monitors look at: devices, the event log and its live stream, health and metrics. Reads only.

import type { Static } from "@sinclair/typebox";
import type { FastifyInstance, FastifyReply } from "fastify";
import { decide, NO_FACTS } from "../rollout/decide.js";
import { NO_LABELS } from "../rollout/model.js";
import type { Context } from "./context.js";
import { ApiError } from "./errors.js";
import { DeviceParams, DeviceQuery, EventsQuery } from "./schemas.js";
import { viewDevice, viewEvent, viewFirmware, viewMessage, viewUpdate } from "./views.js";

/** Bytes that may wait for a slow watcher before it is let go; it connects again and reads anew. */
const MAX_WAITING_BYTES = 1024 * 1024;
const MAX_WATCHER_COUNT = 200;
const HEARTBEAT_MS = 15_000;
/** Releases that a device's plan explains. */
const PLAN_LENGTH = 100;

export function watchRoutes(app: FastifyInstance, context: Context): void {
  const { store, settings, now, metrics } = context;

  app.get<{ Querystring: Static<typeof DeviceQuery> }>(
    "/api/devices",
    { schema: { querystring: DeviceQuery } },
    async ({ query }) => {
      const { rows, totalCount } = await store.listDevices(
        query.type === undefined ? {} : { type: query.type },
        query,
      );
      return {
        devices: rows.map((device) => ({
          ...viewDevice(device),
          online: now() - device.lastSeen < settings.onlineMs,
        })),
        total: totalCount,
        limit: query.limit,
        offset: query.offset,
        online_seconds: settings.onlineMs / 1000,
        time: new Date(now()).toISOString(),
      };
    },
  );

  // Answers the question that every operator asks: why does this device not get that release?
  app.get<{ Params: { id: string } }>(
    "/api/devices/:id",
    { schema: { params: DeviceParams } },
    async ({ params }) => {
      const device = await store.findDevice(params.id);
      if (!device)
        throw new ApiError(404, "DEVICE_UNKNOWN", `device ${params.id} has never checked for updates here`);
      const releases = (
        await store.listFirmware({ deviceType: device.type }, { limit: PLAN_LENGTH, offset: 0 })
      ).rows;
      const history = await store.countFailures(device.id);
      const { verdicts } = decide({ ...device, ...NO_LABELS }, releases, [], { ...NO_FACTS, history }, now());
      const attempts = await store.listUpdates({ deviceId: device.id }, { limit: 20, offset: 0 });
      return {
        ...viewDevice(device),
        online: now() - device.lastSeen < settings.onlineMs,
        attempts: attempts.rows.map(viewUpdate),
        plan: verdicts.map(({ firmwareId, verdict }, index) => {
          const release = releases[index];
          return { firmware_id: firmwareId, version: release && viewFirmware(release).version, verdict };
        }),
      };
    },
  );

  app.get<{ Querystring: Static<typeof EventsQuery> }>(
    "/api/events",
    { schema: { querystring: EventsQuery } },
    async ({ query }) => {
      const events = await store.listEvents({
        limit: query.limit,
        ...(query.device_id === undefined ? {} : { deviceId: query.device_id }),
        ...(query.kind === undefined ? {} : { kind: query.kind }),
        ...(query.before === undefined ? {} : { beforeId: query.before }),
      });
      return { events: events.map(viewEvent) };
    },
  );

  app.get("/api/events/stream", async (_request, reply) => streamEvents(reply, context));

  app.get("/healthz", { config: { isPublic: true } }, async () => {
    await store.countDevicesSeenSince(Number.MAX_SAFE_INTEGER);
    return { status: "ok" };
  });

  app.get("/metrics", async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}

/** Server-sent events: one message for every record that changes. A reader loads the lists when the stream opens. */
function streamEvents(reply: FastifyReply, { live }: Context): void {
  if (live.watcherCount >= MAX_WATCHER_COUNT) {
    throw new ApiError(
      503,
      "TOO_MANY_WATCHERS",
      `${MAX_WATCHER_COUNT} live streams are open, that is the limit`,
    );
  }
  reply.hijack();
  const { raw } = reply;
  const headers = Object.fromEntries(
    Object.entries(reply.getHeaders()).map(([name, value]) => [name, value ?? ""]),
  );
  raw.writeHead(200, {
    ...headers,
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
  });
  const send = (text: string) => {
    if (raw.writableLength > MAX_WAITING_BYTES) raw.destroy();
    else raw.write(text);
  };
  send("retry: 2000\n\nevent: open\ndata: {}\n\n");
  const unwatch = live.watch({
    message: (message) => send(`event: ${message.type}\ndata: ${JSON.stringify(viewMessage(message))}\n\n`),
    gap: () => raw.destroy(),
  });
  const heartbeat = setInterval(() => send(": alive\n\n"), HEARTBEAT_MS);
  heartbeat.unref();
  raw.on("close", () => {
    clearInterval(heartbeat);
    unwatch();
  });
}
