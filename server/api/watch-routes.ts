// What people and monitors look at: devices, the event log and its live stream, health and metrics. Reads only.

import type { Static } from "@sinclair/typebox";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { Actor } from "../auth/actor.js";
import { statusOf } from "../device-status.js";
import { chooseRelease } from "../rollout.js";
import type { Device, DeviceIdentity } from "../store/store.js";
import type { Context } from "./context.js";
import { ApiError } from "./errors.js";
import { actorOf } from "./guard.js";
import { DeviceParams, DeviceQuery, EventsQuery } from "./schemas.js";
import { viewDevice, viewEvent, viewFirmware, viewMessage, viewUpdate } from "./views.js";

/** Bytes that may wait for a slow watcher before it is let go; it connects again and reads anew. */
const MAX_WAITING_BYTES = 1024 * 1024;
const MAX_WATCHER_COUNT = 200;
const HEARTBEAT_MS = 15_000;
/** Releases that a device's plan explains. */
const PLAN_LENGTH = 100;
const READ = Object.freeze({ access: "read" as const });

export function watchRoutes(app: FastifyInstance, context: Context): void {
  const { store, settings, now, metrics } = context;

  app.get<{ Querystring: Static<typeof DeviceQuery> }>(
    "/api/devices",
    { config: READ, schema: { querystring: DeviceQuery } },
    async ({ query }) => {
      const { rows, totalCount } = await store.listDevices(
        query.type === undefined ? {} : { type: query.type },
        query,
      );
      const identities = await store.findIdentities(rows.map(({ id }) => id));
      const identityOf = new Map(identities.map((identity) => [identity.deviceId, identity]));
      return {
        devices: rows.map((device) => ({
          ...viewDevice(device),
          ...presenceOf(device, identityOf.get(device.id)),
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
    { config: READ, schema: { params: DeviceParams } },
    async ({ params }) => {
      const device = await store.findDevice(params.id);
      if (!device)
        throw new ApiError(404, "DEVICE_UNKNOWN", `device ${params.id} has never checked for updates here`);
      const releases = (
        await store.listFirmware({ deviceType: device.type }, { limit: PLAN_LENGTH, offset: 0 })
      ).rows;
      const { verdicts } = chooseRelease(device, releases, await store.countFailures(device.id), now());
      const attempts = await store.listUpdates({ deviceId: device.id }, { limit: 20, offset: 0 });
      return {
        ...viewDevice(device),
        ...presenceOf(device, await store.findIdentity(device.id)),
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
    { config: READ, schema: { querystring: EventsQuery } },
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

  /** A device that was here before there were identities counts as approved. */
  function presenceOf({ lastSeen }: Device, identity: DeviceIdentity | undefined) {
    const status = statusOf(now() - lastSeen, identity?.intervalSeconds, settings.onlineMs);
    return {
      status,
      online: status === "online",
      state: identity?.state ?? "approved",
      uses_token: identity?.tokenHash != null,
      interval_seconds: identity?.intervalSeconds ?? null,
    };
  }

  app.get("/api/events/stream", { config: READ }, async (request, reply) =>
    streamEvents(reply, context, actorOf(request)),
  );

  app.get("/healthz", { config: { access: "public" } }, async () => {
    await store.countDevicesSeenSince(Number.MAX_SAFE_INTEGER);
    return { status: "ok" };
  });

  app.get("/metrics", { config: READ }, async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}

/** Server-sent events: one message for every record that changes. A reader loads the lists when the stream opens. */
function streamEvents(reply: FastifyReply, { live, auth }: Context, actor: Actor): void {
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
  // Whoever was signed out, or may do less now, is let go and has to ask anew.
  const heartbeat = setInterval(async () => {
    if (await auth.isStillKnown(actor).catch(() => false)) send(": alive\n\n");
    else raw.destroy();
  }, HEARTBEAT_MS);
  heartbeat.unref();
  raw.on("close", () => {
    clearInterval(heartbeat);
    unwatch();
  });
}
