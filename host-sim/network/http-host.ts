/**
 * An HTTP/1.1 server for hosts of the virtual network: parses requests out of the stream, asks a function, and answers with
 * a content-length, unless the function wants its bytes sent as they are. Independent of what it serves.
 */

import { STATUS_CODES } from "node:http";
import type { World } from "../world/world.js";
import { HttpParser } from "./http-parser.js";
import type { IpNode, TcpListener } from "./ip-node.js";
import type { PolicyOf } from "./link-policy.js";
import { type RawAnswer, sendRaw } from "./raw-answer.js";
import type { TcpSocket } from "./tcp-socket.js";
import { type ServedSocket, type TlsIdentity, TlsStream } from "./tls-stream.js";

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The address that the request came from. */
  readonly remoteAddress?: string;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[] | number | undefined>>;
  readonly body?: Uint8Array;
  /** Instead of all that: these bytes as they are. */
  readonly raw?: RawAnswer;
}

/** Answers one request. A rejection is answered with status 500. */
export type HttpHandler = (request: HttpRequest) => Promise<HttpResponse>;

/** Headers of the handler that would contradict how the body is sent. */
const OWN_HEADERS = new Set(["content-length", "transfer-encoding", "connection", "keep-alive"]);

/** Listens on a host's port. Throws if the port is taken. */
export function serveHttp(options: {
  world: World;
  host: IpNode;
  port: number;
  handler: HttpHandler;
  policyOf?: PolicyOf | undefined;
  /** By TLS: https. */
  tls?: TlsIdentity | undefined;
}): TcpListener {
  const { world, host, port, handler, tls } = options;
  const accept = (socket: TcpSocket): void =>
    new Connection(world, tls ? new TlsStream(socket, tls) : socket, handler).start();
  const listener = host.listen(port, accept, options.policyOf);
  if (listener === undefined) throw new Error(`port ${port} of ${host.name} is taken`);
  return listener;
}

/** The bytes of a whole response. */
function encodeResponse(method: string, response: HttpResponse, keepsAlive: boolean): Uint8Array {
  const body = response.body ?? new Uint8Array();
  const given = Object.entries(response.headers ?? {});
  const length = given.find(([name]) => name.toLowerCase() === "content-length")?.[1];
  const isHead = method === "HEAD";
  const lines = [`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? "Unknown"}`];
  for (const [name, value] of given) {
    if (value === undefined || OWN_HEADERS.has(name.toLowerCase())) continue;
    for (const one of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${one}`);
  }
  lines.push(`content-length: ${isHead ? (length ?? body.length) : body.length}`);
  if (!keepsAlive) lines.push("connection: close");
  const head = new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`);
  return isHead ? head : Buffer.concat([head, body]);
}

class Connection {
  #world: World;
  #socket: ServedSocket;
  #handler: HttpHandler;
  #parser = new HttpParser("request");
  #isBusy = false;
  #isClosing = false;

  constructor(world: World, socket: ServedSocket, handler: HttpHandler) {
    this.#world = world;
    this.#socket = socket;
    this.#handler = handler;
  }

  start(): void {
    this.#socket.events = { received: () => this.#next(), ended: () => this.#ended() };
    this.#next();
    if (this.#socket.hasEnded) this.#ended();
  }

  #ended(): void {
    this.#isClosing = true;
    if (!this.#isBusy) this.#socket.close();
  }

  /** Serves the next whole request; one at a time, so that answers keep the order. */
  #next(): void {
    if (this.#isBusy) return;
    this.#parser.push(this.#socket.read());
    const message = this.#parser.take();
    if (message === "malformed") {
      this.#send("GET", { status: 400 }, false);
      return;
    }
    if (message === undefined) {
      if (this.#isClosing) this.#socket.close();
      return;
    }
    this.#isBusy = true;
    const { method, path, headers, body } = message;
    const keepsAlive = headers.connection?.toLowerCase() !== "close";
    const request = { method, path, headers, body, remoteAddress: this.#socket.remoteAddress };
    const answer = (response: HttpResponse): void => this.#send(method, response, keepsAlive);
    const answered = new Promise<HttpResponse>((resolve) => resolve(this.#handler(request)));
    this.#world.hold(answered, answer, (error: unknown) => {
      answer({ status: 500, body: new TextEncoder().encode(String(error)) });
    });
  }

  #send(method: string, response: HttpResponse, keepsAlive: boolean): void {
    if (response.raw) return sendRaw(this.#world, this.#socket, response.raw);
    this.#isBusy = false;
    this.#socket.write(encodeResponse(method, response, keepsAlive));
    if (!keepsAlive || this.#isClosing) this.#socket.close();
    else this.#next();
  }
}
