// The event log and its live stream. Read only.

import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";
import { sightOf } from "../auth/require-change.js";
import { viewEvent } from "../events/event-view.js";
import type { LiveMessage } from "../events/live.js";
import type { Actor } from "../shared/actor.js";
import { defined } from "../shared/defined.js";
import { Refusal } from "../shared/refusal.js";
import { viewRollout } from "../shared/rollout-view.js";
import { listed, ok, sent } from "./answers.js";
import type { Context } from "./context.js";
import { EventsQuery } from "./device-schemas.js";
import { EventAnswer, viewDevice, viewSeen } from "./device-views.js";
import { actorOf } from "./guard.js";
import { viewFirmware, viewUpdate } from "./release-views.js";
import { route } from "./route.js";
import type { Api } from "./typed-app.js";

/** Bytes that may be buffered for a slow client before it is disconnected; it reconnects and reloads. */
const MAX_WAITING_BYTES = 1024 * 1024;
const MAX_WATCHER_COUNT = 200;
/** Per person, with all their tokens, so that no one can block the others. */
const MAX_WATCHER_COUNT_EACH = 40;
const HEARTBEAT_MS = 15_000;
const STREAM =
  "A message for every record that changes. Its event is device, update, firmware, rollout or event, its data the Device, " +
  "Attempt, Firmware, Rollout or Event as JSON; of the event seen: a list of the fields of devices that checks have changed";

export function watchRoutes(app: Api, context: Context): void {
  const { store } = context;

  app.get(
    "/api/events",
    route("read", "List events, newest first", ok(listed("events", EventAnswer)), {
      querystring: EventsQuery,
    }),
    async (request) => {
      const { query } = request;
      const events = await store.listEvents({
        limit: query.limit,
        ...sightOf(actorOf(request)),
        ...defined({ deviceId: query.device_id, kind: query.kind, beforeId: query.before }),
      });
      return { events: events.map(viewEvent) };
    },
  );

  const streams = new Map<ServerResponse, string>();
  app.get(
    "/api/events/stream",
    route("read", "Follow changes live (server-sent events)", sent("text/event-stream", STREAM), {
      config: { isStream: true, isOfAllTypes: true },
    }),
    async (request, reply) => streamEvents(reply, context, actorOf(request), streams),
  );
  // Shutdown does not wait for live streams.
  app.addHook("preClose", async () => {
    for (const stream of streams.keys()) stream.destroy();
  });
}

/** Server-sent events: one message for every changed record. Clients load the lists when the stream opens. */
function streamEvents(
  reply: FastifyReply,
  context: Context,
  actor: Actor,
  streams: Map<ServerResponse, string>,
): void {
  const { live, auth } = context;
  if (live.watcherCount >= MAX_WATCHER_COUNT) {
    throw new Refusal("TOO_MANY_WATCHERS", `${MAX_WATCHER_COUNT} live streams are open, that is the limit`);
  }
  const ownCount = [...streams.values()].filter((person) => person === actor.person).length;
  if (ownCount >= MAX_WATCHER_COUNT_EACH) {
    throw new Refusal(
      "TOO_MANY_WATCHERS",
      `${actor.person} has ${ownCount} live streams open, that is the limit of one person: close some pages`,
    );
  }
  reply.hijack();
  const { raw } = reply;
  streams.set(raw, actor.person);
  const headers = Object.fromEntries(
    Object.entries(reply.getHeaders()).map(([name, value]) => [name, value ?? ""]),
  );
  raw.writeHead(200, {
    ...headers,
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    // Proxies such as nginx may collect what they pass on: not this.
    "x-accel-buffering": "no",
  });
  const send = (text: string) => {
    if (raw.writableLength > MAX_WAITING_BYTES) raw.destroy();
    else raw.write(text);
  };
  // Not `open`: that is the browser's own event, which would load everything twice.
  send("retry: 2000\n\nevent: ready\ndata: {}\n\n");
  const unwatch = live.watch({
    message: (message) =>
      send(`event: ${message.type}\ndata: ${JSON.stringify(viewMessage(message, context))}\n\n`),
    gap: () => raw.destroy(),
  });
  // Disconnects actors who were signed out, or whose permissions have changed.
  const heartbeat = setInterval(async () => {
    if (await auth.isStillKnown(actor).catch(() => false)) send(": alive\n\n");
    else raw.destroy();
  }, HEARTBEAT_MS);
  heartbeat.unref();
  // A pipelined answer gets no close event, so the socket's is used, too.
  const { socket } = reply.request.raw;
  const end = () => {
    streams.delete(raw);
    clearInterval(heartbeat);
    unwatch();
    socket.off("close", end);
  };
  raw.on("close", end);
  socket.on("close", end);
  if (socket.destroyed) end();
}

function viewMessage(message: LiveMessage, context: Context): object {
  switch (message.type) {
    case "device":
      return viewDevice(message.device);
    case "seen":
      return message.seen.map(viewSeen);
    case "update":
      return viewUpdate(message.update);
    case "firmware":
      return viewFirmware(message.firmware, context);
    case "rollout":
      return viewRollout(message.rollout);
    case "event":
      return viewEvent(message.event);
  }
}
