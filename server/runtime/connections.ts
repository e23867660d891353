// Which connections a server keeps: how many there are, in all and from one address, and how fast a body has to come and an answer has
// to go. Those whose head does not come, and those on which nothing moves, Node ends by itself (http-server.ts).
//
//   opened ─▶ is there room? ── no ─▶ what only waits for its next request makes room, or this one is closed at once
//      └─▶ request ─▶ its body comes ─▶ at every sweep: fast enough? ── no ─▶ 408, and closed
//                        └─▶ its answer waits for the reader ─▶ at every sweep: fast enough? ── no ─▶ closed
//
// What a request costs here is one look into a map. Everything else is done when a connection opens, and by the sweep.

import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { networkOf } from "../shared/address.js";

export interface ConnectionLimits {
  /** Connections that are open at a time. */
  readonly maxCount: number;
  /** Of them, those from one address (of IPv6: one /64). Proxies that are trusted may have all. */
  readonly maxCountEach: number;
  /** How long a short body may take, and the rest of one that is no longer needed. */
  readonly shortBodyMs: number;
  /** Of a longer one, in every such while, as many bytes a second have to come. An answer has to be read as fast, after `idleMs`. */
  readonly bodyWindowMs: number;
  readonly minBytesPerSecond: number;
  /** How often bodies are looked at. */
  readonly sweepMs: number;
  /** How long the head of a request may take. */
  readonly headMs: number;
  /** How long a connection may be idle. Live streams send a heartbeat more often than that. */
  readonly idleMs: number;
}

export const DEFAULT_CONNECTIONS: ConnectionLimits = Object.freeze({
  maxCount: 10_000,
  maxCountEach: 1_000,
  // Four packets of a device may be lost one after the other.
  shortBodyMs: 15_000,
  bodyWindowMs: 30_000,
  // Less than any line has over which an image would ever come.
  minBytesPerSecond: 1_024,
  sweepMs: 5_000,
  headMs: 20_000,
  idleMs: 120_000,
});

/** Why a connection was refused or ended. */
export type Refusal = "all" | "address" | "slow_body" | "slow_head" | "slow_reader";

/** A body that is not longer than this is short. */
const SHORT_BODY_BYTES = 64 * 1024;
/** How often room is made for all, which looks at every connection. */
const MAKE_ROOM_MS = 1_000;

interface Connection {
  /** As requests name it: over TLS the one inside. */
  socket: Socket;
  /** `undefined`: a trusted proxy's. */
  readonly network: string | undefined;
  /** The last one, until it is over and a sweep has seen that. */
  response: ServerResponse<IncomingMessage> | undefined;
  isUsed: boolean;
  watched: Watched | undefined;
}

/** Something that has not been fast enough so far, since a sweep that saw it. */
interface Watched {
  readonly what: "body" | "answer";
  readonly request: IncomingMessage;
  readonly since: number;
  /** Those that had come; those that had gone before what was waiting then. */
  readonly bytes: number;
}

export interface ConnectionsOptions {
  readonly limits: ConnectionLimits;
  readonly isProxy: (address: string) => boolean;
  readonly onRefused: (why: Refusal, address: string) => void;
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
}

export class Connections {
  readonly limits: ConnectionLimits;
  readonly #isProxy: (address: string) => boolean;
  readonly #onRefused: (why: Refusal, address: string) => void;
  readonly #now: () => number;
  readonly #all = new Set<Connection>();
  readonly #bySocket = new Map<Socket, Connection>();
  readonly #byPeer = new Map<string, Connection>();
  readonly #byNetwork = new Map<string, Set<Connection>>();
  #madeRoomAt = Number.NEGATIVE_INFINITY;

  constructor({ limits, isProxy, onRefused, now = () => performance.now() }: ConnectionsOptions) {
    this.limits = limits;
    this.#isProxy = isProxy;
    this.#onRefused = onRefused;
    this.#now = now;
  }

  /** Those that are open. */
  get count(): number {
    return this.#all.size;
  }

  /** Watches those of a server, as long as it listens. */
  join(server: Server): void {
    let timer: NodeJS.Timeout | undefined;
    server.on("listening", () => {
      timer = setInterval(() => this.sweep(), this.limits.sweepMs).unref();
    });
    server.on("close", () => clearInterval(timer));
    server.prependListener("connection", (socket: Socket) => this.#open(socket));
    // Only counted: the server's own handler answers it, as Fastify does.
    server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
      if (error.code === "ERR_HTTP_REQUEST_TIMEOUT")
        this.#onRefused("slow_head", socket.remoteAddress ?? "unknown");
    });
  }

  before(listener: RequestListener): RequestListener {
    return (request, response) => {
      const connection = this.#bySocket.get(request.socket) ?? this.#adopt(request.socket);
      if (connection) connection.response = response;
      listener(request, response);
    };
  }

  #open(socket: Socket): void {
    const address = socket.remoteAddress;
    // It is closed already.
    if (address === undefined) return;
    const network = this.#isProxy(address) ? undefined : networkOf(address);
    const own = network === undefined ? undefined : this.#byNetwork.get(network);
    const lack = this.#findLack(own);
    if (lack) {
      socket.destroy();
      this.#onRefused(lack, address);
      return;
    }
    this.#keep({ socket, network, response: undefined, isUsed: false, watched: undefined });
  }

  #findLack(own: ReadonlySet<Connection> | undefined): Refusal | undefined {
    const { maxCount, maxCountEach } = this.limits;
    if (own && own.size >= maxCountEach && !this.#endIdle(own, 1)) return "address";
    if (this.#all.size >= maxCount && !this.#makeRoom()) return "all";
    return undefined;
  }

  /** @returns whether there is some */
  #makeRoom(): boolean {
    const now = this.#now();
    if (now - this.#madeRoomAt < MAKE_ROOM_MS) return false;
    this.#madeRoomAt = now;
    return this.#endIdle(this.#all, Math.ceil(this.limits.maxCount / 10));
  }

  #keep(connection: Connection): void {
    const { socket, network } = connection;
    const peer = peerOf(socket);
    this.#all.add(connection);
    this.#bySocket.set(socket, connection);
    this.#byPeer.set(peer, connection);
    if (network !== undefined)
      this.#byNetwork.set(network, (this.#byNetwork.get(network) ?? new Set()).add(connection));
    socket.once("close", () => {
      this.#bySocket.delete(socket);
      this.#bySocket.delete(connection.socket);
      if (this.#byPeer.get(peer) === connection) this.#byPeer.delete(peer);
      this.#discount(connection);
    });
  }

  #discount(connection: Connection): void {
    const { network } = connection;
    this.#all.delete(connection);
    const own = network === undefined ? undefined : this.#byNetwork.get(network);
    if (network !== undefined && own?.delete(connection) && own.size === 0) this.#byNetwork.delete(network);
  }

  /** Closes some that wait for their next request, the oldest first. @returns whether there were any */
  #endIdle(connections: Iterable<Connection>, maxCount: number): boolean {
    let count = 0;
    for (const connection of connections) {
      const { response, isUsed, socket } = connection;
      if (!(response ? isOver(response) : isUsed)) continue;
      socket.destroy();
      // Its close event comes later than the next one may open.
      this.#discount(connection);
      if (++count >= maxCount) break;
    }
    return count > 0;
  }

  /** Over TLS requests name a socket that was not there when the connection was opened. Its other end is the same. */
  #adopt(socket: Socket): Connection | undefined {
    const connection = this.#byPeer.get(peerOf(socket));
    if (!connection) return undefined;
    connection.socket = socket;
    this.#bySocket.set(socket, connection);
    return connection;
  }

  /** Ends those whose bodies come too slowly, or whose answers are read too slowly. */
  sweep(): void {
    const now = this.#now();
    for (const connection of this.#all) {
      const { response } = connection;
      if (!response) continue;
      if (isOver(response)) forget(connection);
      else this.#check(connection, response, now);
    }
  }

  #check(connection: Connection, response: ServerResponse<IncomingMessage>, now: number): void {
    const { socket } = connection;
    // It was answered already, and does not even read that.
    if (socket.writableEnded) socket.destroy();
    else if (!response.req.complete) {
      if (this.#isBodySlow(connection, response, now)) this.#endBody(socket, response);
    } else if (this.#isReaderSlow(connection, response.req, now)) {
      this.#onRefused("slow_reader", socket.remoteAddress ?? "unknown");
      socket.destroy();
    }
  }

  #isBodySlow(connection: Connection, response: ServerResponse<IncomingMessage>, now: number): boolean {
    const { req: request } = response;
    const { watched, socket } = connection;
    const { shortBodyMs, bodyWindowMs, minBytesPerSecond } = this.limits;
    const next: Watched = { what: "body", request, since: now, bytes: socket.bytesRead };
    // What has come and is not read waits for the server, not for the client.
    if (watched?.what !== "body" || watched.request !== request || request.readableLength > 0) {
      connection.watched = next;
      return false;
    }
    const elapsedMs = now - watched.since;
    if (response.writableEnded || isShort(request)) return elapsedMs >= shortBodyMs;
    if (elapsedMs < bodyWindowMs) return false;
    connection.watched = next;
    return socket.bytesRead - watched.bytes < (minBytesPerSecond * elapsedMs) / 1000;
  }

  /** How much of a large answer was sent is unknown until all of it was: so the limit is for all of it. */
  #isReaderSlow(connection: Connection, request: IncomingMessage, now: number): boolean {
    const { watched, socket } = connection;
    const { idleMs, minBytesPerSecond } = this.limits;
    const { bytesWritten, writableLength } = socket;
    // Nothing waits for it: the answer has gone, or the server has to go on.
    if (writableLength === 0) connection.watched = undefined;
    else if (watched?.what !== "answer" || watched.request !== request)
      connection.watched = { what: "answer", request, since: now, bytes: bytesWritten - writableLength };
    else return now - watched.since >= idleMs + ((bytesWritten - watched.bytes) * 1000) / minBytesPerSecond;
    return false;
  }

  #endBody(socket: Socket, response: ServerResponse): void {
    this.#onRefused("slow_body", socket.remoteAddress ?? "unknown");
    // Nothing has been said so far, and it is this answer's turn.
    if (!response.headersSent && response.socket === socket) socket.write(describeSlowness(this.limits));
    socket.destroySoon();
  }
}

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

const isOver = (response: ServerResponse<IncomingMessage>): boolean =>
  response.writableFinished && response.req.complete;

const isShort = ({ headers }: IncomingMessage): boolean =>
  Number(headers["content-length"] ?? Number.POSITIVE_INFINITY) <= SHORT_BODY_BYTES;

/** It waits for its next request: what the last one held may go. */
function forget(connection: Connection): void {
  connection.response = undefined;
  connection.watched = undefined;
  connection.isUsed = true;
}

function describeSlowness({ shortBodyMs, bodyWindowMs, minBytesPerSecond }: ConnectionLimits): string {
  const text = JSON.stringify({
    error: "BODY_TOO_SLOW",
    message:
      `the body came too slowly: a short one has ${shortBodyMs / 1000} s, ` +
      `a longer one needs ${minBytesPerSecond} bytes a second in every ${bodyWindowMs / 1000} s`,
  });
  return [
    "HTTP/1.1 408 Request Timeout",
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(text)}`,
    "connection: close",
    "",
    text,
  ].join("\r\n");
}
