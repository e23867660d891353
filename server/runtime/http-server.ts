// The HTTP server below the routes, with or without TLS, and its timeouts.

import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { FastifyInstance } from "fastify";
import type { Connections } from "./connections.js";
import { MAX_RECORD_BYTES, TLS_OPTIONS, type TlsPair } from "./tls.js";

const OPTIONS = Object.freeze({
  maxHeaderSize: 16 * 1024,
  /** Of a whole request: none. A body comes as fast as it has to, or not (connections.ts). */
  requestTimeout: 0,
  /** How long a connection waits for its next request: longer than a device pauses between parts of an image or a proxy keeps one. */
  keepAliveTimeout: 75_000,
});

/** @param tls absent: plain HTTP */
export function createHttpServer(
  tls: TlsPair | undefined,
  connections: Connections,
  listener: RequestListener,
): Server {
  const { headMs, idleMs, sweepMs } = connections.limits;
  const options = { ...OPTIONS, headersTimeout: headMs, connectionsCheckingInterval: sweepMs };
  const routes = connections.before(listener);
  const server = tls
    ? createTlsServer({ ...options, handshakeTimeout: headMs, ...TLS_OPTIONS, ...tls }, routes)
    : createServer(options, routes);
  server.on("secureConnection", (socket: TLSSocket) => socket.setMaxSendFragment(MAX_RECORD_BYTES));
  // A reader that takes nothing is one on which nothing moves.
  server.setTimeout(idleMs);
  connections.join(server as Server);
  return server as Server;
}

/**
 * A second server with the same routes, which begins and ends with the app.
 * @returns what makes it listen
 */
export function besideApp(
  app: FastifyInstance,
  server: Server,
): (address: { readonly host: string; readonly port: number }) => Promise<void> {
  server.on("clientError", ({ code }: NodeJS.ErrnoException, socket: Duplex) => {
    const status = CLIENT_ERRORS[code ?? ""] ?? "400 Bad Request";
    if (!socket.writable) return socket.destroy();
    return socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
  });
  let closed: Promise<unknown> | undefined;
  app.addHook("preClose", async () => {
    if (server.listening) closed = new Promise((resolve) => server.close(resolve));
  });
  app.addHook("onClose", () => closed);
  return (address) =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(address, resolve);
    });
}

const CLIENT_ERRORS: Readonly<Record<string, string>> = Object.freeze({
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
});
