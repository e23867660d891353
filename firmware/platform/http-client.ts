// HTTP requests, through `embedded:network/http/client`: a client for each request, because the SDK's stops working after an error.
// Bodies are pulled: bytes stay in the TCP window until core reads them. A short body may be collected instead, into one buffer of the
// length that core gives, so that it is held once.

import Resolver from "embedded:network/dns/resolver/udp";
import HTTPClient from "embedded:network/http/client";
import Net from "net";
import type { HttpRequest } from "../core/effect.js";
import { readAddress } from "../core/http/address.js";
import { KEPT_ANSWER_HEADERS } from "../core/http/answer-head.js";
import { ClientSocket } from "./client-socket.js";
import { DnsSocket } from "./dns-socket.js";
import type { Dispatch } from "./runner.js";

interface Running {
  readonly client: HTTPClient;
  request?: HTTPClient.Request;
  /** A body that is collected. */
  body?: Body | undefined;
}

interface Body {
  readonly bytes: Uint8Array;
  readonly as: "bytes" | "text";
  filledBytes: number;
}

export class HttpRequests {
  readonly #dispatch: Dispatch;
  readonly #running = new Map<number, Running>();

  constructor(dispatch: Dispatch) {
    this.#dispatch = dispatch;
  }

  start(attempt: number, { method, url, headers, body }: HttpRequest): void {
    const address = readAddress(url);
    if (!address.ok)
      return this.#dispatch({ type: "requestFailed", attempt, message: address.failure.message });
    const { host, port, path } = address.value;
    const sent = body === undefined ? undefined : ArrayBuffer.fromString(body);
    const client = new HTTPClient({
      host,
      port,
      dns: { io: Resolver, servers: dnsServers(), socket: { io: DnsSocket } },
      socket: { io: ClientSocket },
      onError: () => this.#failed(attempt, `no connection to ${host}:${port}`),
    });
    const entry: Running = { client };
    this.#running.set(attempt, entry);
    let unsent = sent;
    entry.request = client.request({
      method,
      path,
      headers: new Map([
        ...Object.entries(headers),
        ...(sent ? [["content-length", `${sent.byteLength}`] as const] : []),
      ]),
      headersMask: KEPT_ANSWER_HEADERS,
      onHeaders: (status, received) => {
        const headers = Object.fromEntries(received);
        this.#dispatch({ type: "responseStarted", attempt, status, headers });
        // the client ends a chunked body wrongly, and throws in its own turns, where nothing catches it
        if (received.has("transfer-encoding")) this.#failed(attempt, "the answer comes in chunks");
      },
      onReadable: (count) => {
        if (!this.#running.has(attempt)) return;
        if (entry.body) fill(entry.body, entry.request, count);
        else this.#dispatch({ type: "responseReadable", attempt, count });
      },
      onWritable(count) {
        if (!unsent) return;
        const piece = unsent.slice(0, count);
        unsent = piece.byteLength < unsent.byteLength ? unsent.slice(count) : undefined;
        this.write(piece);
      },
      onDone: (error) => {
        if (error)
          this.#failed(attempt, `connection to ${host}:${port} ended: ${error.message || "no reason given"}`);
        else if (this.#running.has(attempt)) this.#ended(attempt, entry);
      },
    });
  }

  read(attempt: number, maxBytes: number): void {
    const bytes = this.#running.get(attempt)?.request?.read(maxBytes);
    if (bytes) this.#dispatch({ type: "responseData", attempt, bytes: new Uint8Array(bytes) });
  }

  collect(attempt: number, sizeBytes: number, as: Body["as"]): void {
    const entry = this.#running.get(attempt);
    if (entry) entry.body = { bytes: new Uint8Array(sizeBytes), as, filledBytes: 0 };
  }

  close(attempt: number): void {
    const found = this.#running.get(attempt);
    this.#running.delete(attempt);
    found?.client.close();
  }

  #failed(attempt: number, message: string): void {
    if (!this.#running.has(attempt)) return;
    this.close(attempt);
    this.#dispatch({ type: "requestFailed", attempt, message });
  }

  #ended(attempt: number, entry: Running): void {
    if (!isWhole(entry.body)) return this.#dispatch({ type: "responseEnded", attempt });
    if (entry.body.as === "bytes")
      return this.#dispatch({ type: "bytesCollected", attempt, bytes: takeBytes(entry) });
    const text = takeText(entry);
    if (text === undefined) this.#failed(attempt, "the answer is no UTF-8 text");
    else this.#dispatch({ type: "textCollected", attempt, text });
  }
}

const isWhole = (body: Body | undefined): body is Body =>
  body !== undefined && body.filledBytes === body.bytes.length;

function fill(body: Body, request: HTTPClient.Request | undefined, count: number): void {
  const left = body.bytes.length - body.filledBytes;
  const piece = left > 0 ? request?.read(Math.min(count, left)) : undefined;
  if (!piece) return;
  body.bytes.set(new Uint8Array(piece), body.filledBytes);
  body.filledBytes += piece.byteLength;
}

/** From here on only the receiver of the bytes holds them. */
function takeBytes(entry: Running): Uint8Array {
  const bytes = entry.body?.bytes ?? new Uint8Array(0);
  entry.body = undefined;
  return bytes;
}

/** The bytes are released when this returns. `undefined`: they are not UTF-8. */
function takeText(entry: Running): string | undefined {
  try {
    return String.fromArrayBuffer(takeBytes(entry).buffer);
  } catch {
    return undefined;
  }
}

/** Name servers from DHCP. */
function dnsServers(): string[] {
  const given = Net.get("DNS") as unknown;
  return Array.isArray(given) && given.length > 0 ? given : ["1.1.1.1"];
}
