// What people look at: the event log and its live stream. Reads only.

import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";
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
import type { Api } from "./typed-app.js";

/** Bytes that may wait for a slow watcher before it is let go; it connects again and reads anew. */
const MAX_WAITING_BYTES = 1024 * 1024;
const MAX_WATCHER_COUNT = 200;
/** Of one person, with all tokens: nobody alone keeps the others from watching. */
const MAX_WATCHER_COUNT_EACH = 40;
const HEARTBEAT_MS = 15_000;
const READ = Object.freeze({ access: "read" as const });
const STREAM =
  "A message for every record that changes. Its event is device, update, firmware, rollout or event, its data the Device, " +
  "Attempt, Firmware, Rollout or Event as JSON; of the event seen: a list of the fields of devices that checks have changed";

export function watchRoutes(app: Api, context: Context): void {
  const { store } = context;

  app.get(
    "/api/events",
    {
      config: READ,
      schema: {
        summary: "List events, newest first",
        response: ok(listed("events", EventAnswer)),
        querystring: EventsQuery,
      },
    },
    async ({ query }) => {
      const events = await store.listEvents({
        limit: query.limit,
        ...defined({ deviceId: query.device_id, kind: query.kind, beforeId: query.before }),
      });
      return { events: events.map(viewEvent) };
    },
  );

  const streams = new Map<ServerResponse, string>();
  app.get(
    "/api/events/stream",
    {
      config: { ...READ, isStream: true },
      schema: {
        summary: "Follow changes live (server-sent events)",
        response: sent("text/event-stream", STREAM),
      },
    },
    async (request, reply) => streamEvents(reply, context, actorOf(request), streams),
  );
  // A server that closes does not wait for those who watch.
  app.addHook("preClose", async () => {
    for (const stream of streams.keys()) stream.destroy();
  });
}

/** Server-sent events: one message for every record that changes. A reader loads the lists when the stream opens. */
function streamEvents(
  reply: FastifyReply,
  { live, auth }: Context,
  actor: Actor,
  streams: Map<ServerResponse, string>,
): void {
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
  // An answer that waits behind another on its connection is not told of the connection's end: the connection itself is asked.
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

function viewMessage(message: LiveMessage): object {
  switch (message.type) {
    case "device":
      return viewDevice(message.device);
    case "seen":
      return message.seen.map(viewSeen);
    case "update":
      return viewUpdate(message.update);
    case "firmware":
      return viewFirmware(message.firmware);
    case "rollout":
      return viewRollout(message.rollout);
    case "event":
      return viewEvent(message.event);
  }
}
