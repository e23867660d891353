// How a server ends: it says that it is not ready, takes no more connections, finishes what it has begun, closes its store.
//
//   not ready ─ drainMs ─▶ stops accepting ─ requests under way end, limitMs at most ─▶ connections cut ─▶ store closed

import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import type { Readiness } from "./readiness.js";

export interface ShutdownLimits {
  /** How long requests are still taken, so that a load balancer learns of it before any is refused. */
  readonly drainMs: number;
  /** How long requests may go on that were begun before. */
  readonly limitMs: number;
}

export const DEFAULT_SHUTDOWN: ShutdownLimits = Object.freeze({ drainMs: 0, limitMs: 10_000 });
const IDLE_CHECK_MS = 50;
const RETRY_SECONDS = "5";

/** What requests pass before anything else: it is closed when the app begins to end. */
export class Gate {
  #isClosed = false;

  /** Requests that have passed are finished; those that come later, on connections that are still busy, are refused. */
  before(listener: RequestListener): RequestListener {
    return (request, response) => (this.#isClosed ? refuse(response) : listener(request, response));
  }

  /**
   * Makes `app.close()` end connections that have no request on them: those that are kept alive, also when their request ends later,
   * and those on which none has come, which Node counts as busy.
   */
  join(app: FastifyInstance, servers: readonly Server[]): void {
    const unused = new Set<Socket>();
    for (const server of servers) {
      // Over TLS requests name the connection inside.
      server.on("setSecureContext" in server ? "secureConnection" : "connection", (socket: Socket) => {
        unused.add(socket);
        socket.once("close", () => unused.delete(socket));
      });
      server.on("request", ({ socket }: IncomingMessage) => unused.delete(socket));
    }
    let timer: NodeJS.Timeout | undefined;
    app.addHook("preClose", async () => {
      this.#isClosed = true;
      timer = setInterval(() => {
        for (const server of servers) server.closeIdleConnections();
        for (const socket of unused) socket.destroy();
      }, IDLE_CHECK_MS);
    });
    app.addHook("onClose", async () => clearInterval(timer));
  }
}

function refuse(response: ServerResponse): void {
  const text = JSON.stringify({
    error: "SHUTTING_DOWN",
    message: "this server ends: ask again, there may be another",
  });
  const headers = {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "retry-after": RETRY_SECONDS,
    connection: "close",
  };
  response.writeHead(503, headers).end(text);
}

export async function shutDown(
  app: FastifyInstance,
  readiness: Readiness,
  { drainMs, limitMs }: ShutdownLimits,
  pause: (milliseconds: number) => Promise<unknown> = sleep,
): Promise<void> {
  readiness.close();
  if (drainMs > 0) await pause(drainMs);
  const limit = setTimeout(() => {
    for (const server of [app.server, app.tlsServer]) server?.closeAllConnections();
  }, limitMs);
  try {
    await app.close();
  } finally {
    clearTimeout(limit);
  }
}
