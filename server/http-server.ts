// The HTTP server below the routes, with or without TLS, and how long it has patience with whom.

import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { TLS_OPTIONS, type TlsPair } from "./tls.js";

/** A connection on which nothing moves for so long is closed. Live streams send a heartbeat more often than that. */
const IDLE_CONNECTION_MS = 120_000;

const OPTIONS = Object.freeze({
  maxHeaderSize: 16 * 1024,
  headersTimeout: 20_000,
  /** Of a whole request: the largest image over a slow line. */
  requestTimeout: 15 * 60_000,
  /** How long a connection waits for its next request: longer than a device pauses between parts of an image or a proxy keeps one. */
  keepAliveTimeout: 75_000,
});

/** @param tls absent: plain HTTP */
export function createHttpServer(tls: TlsPair | undefined, listener: RequestListener): Server {
  const server = tls
    ? createTlsServer({ ...OPTIONS, ...TLS_OPTIONS, ...tls }, listener)
    : createServer(OPTIONS, listener);
  server.setTimeout(IDLE_CONNECTION_MS);
  return server as Server;
}
