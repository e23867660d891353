// How a server ends: it says that it is not ready, takes no more connections, finishes what it has begun, closes its store.
//
//   not ready ─ drainMs ─▶ stops accepting ─ requests under way end, limitMs at most ─▶ connections cut ─▶ store closed

import type { IncomingMessage, Server } from "node:http";
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

/** Connections on which no request has come: Node counts them as busy, and would wait for them. */
export class UnusedConnections {
  readonly #sockets = new Set<Socket>();

  constructor(server: Server) {
    // Over TLS requests name the connection inside.
    const opened = "setSecureContext" in server ? "secureConnection" : "connection";
    server.on(opened, (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.on("request", ({ socket }: IncomingMessage) => this.#sockets.delete(socket));
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

export async function shutDown(
  app: FastifyInstance,
  readiness: Readiness,
  { drainMs, limitMs }: ShutdownLimits,
  unused: UnusedConnections,
  pause: (milliseconds: number) => Promise<unknown> = sleep,
): Promise<void> {
  readiness.close();
  if (drainMs > 0) await pause(drainMs);
  // A connection that is kept alive has no request on it as soon as its answer has left.
  const idle = setInterval(() => {
    app.server.closeIdleConnections();
    unused.close();
  }, IDLE_CHECK_MS);
  const limit = setTimeout(() => app.server.closeAllConnections(), limitMs);
  try {
    await app.close();
  } finally {
    clearInterval(idle);
    clearTimeout(limit);
  }
}
