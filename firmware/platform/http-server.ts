// An HTTP/1.1 server on one port: accepts connections, reads heads (core/http/http.ts), passes bodies on as they are requested, and writes
// responses. One request per connection. The owner of the port decides who may do what.
//
// It replaces the SDK's server, which has no limit on a head, no timeout and no support of `Expect: 100-continue`: one long URL in any web
// page could restart the device. A connection too many is closed at once, a slow one after a timeout.

import Listener from "embedded:io/socket/listener";
import type TCP from "embedded:io/socket/tcp";
import type { HttpResponse } from "../core/effect.js";
import type { Failure } from "../core/errors.js";
import type { RequestHead } from "../core/event.js";
import {
  allowedOrigin,
  bodyBytes,
  CONTINUE,
  expectsContinue,
  formatHead,
  type HeadError,
  type HeadReader,
  newHeadReader,
  readHead,
} from "../core/http/http.js";
import { type StreamEvents, TcpStream } from "./tcp-stream.js";
import { utf8Bytes } from "./text-pieces.js";

/** Read at once of a head. */
const HEAD_PIECE_BYTES = 512;

export interface PortSettings {
  readonly port: number;
  readonly maxConnections: number;
  /** X-Skyslot-Release is kept. */
  readonly takesRelease: boolean;
  /** Timeout of the head, and of the body if `timesBody`. */
  readonly requestMs: number;
  readonly timesBody: boolean;
}

/** What a port belongs to. */
export interface PortOwner {
  /** A valid head: call `respond`, or `takeBody` first. */
  onHead(exchange: Exchange, head: RequestHead): void;
  /** Bytes of an accepted body can be read. */
  onBody(exchange: Exchange, count: number): void;
  /** The connection is closed, by either side. `isAwaited`: a valid head has not been answered yet. */
  onClosed(exchange: Exchange, isAwaited: boolean): void;
  /** The response to an invalid head. */
  refuse(failure: Failure<HeadError>): HttpResponse;
}

/** One request and its answer. */
export class Exchange implements StreamEvents {
  /** From 1, never used again. */
  readonly number: number;
  readonly #server: HttpServer;
  readonly #stream: TcpStream;
  #phase: "head" | "checked" | "body" | "answered" = "head";
  #reader: HeadReader | undefined;
  #awaitsContinue = false;
  #isHead = false;
  #origin: string | undefined;
  /** Bytes of the body that were not read yet. */
  #bodyLeft = Infinity;

  constructor(number: number, server: HttpServer, from: TCP) {
    this.number = number;
    this.#server = server;
    this.#reader = newHeadReader(server.settings.takesRelease);
    this.#stream = new TcpStream({ from }, this);
    this.#stream.closeAfter(server.settings.requestMs);
  }

  get isOpen(): boolean {
    return this.#stream.isOpen;
  }

  /** Accepts the body. */
  takeBody(): void {
    if (this.#phase !== "checked") return;
    this.#phase = "body";
    if (this.#awaitsContinue) this.#stream.write(CONTINUE);
    this.#announce();
  }

  /** At most `maxBytes` of the body; `more` is notified of them before it is notified that the client has closed. */
  read(maxBytes: number, more: (bytes: Uint8Array) => void): void {
    if (this.#phase !== "body") return;
    const bytes = this.#stream.read(Math.min(maxBytes, this.#bodyLeft));
    this.#bodyLeft -= bytes.length;
    if (bytes.length > 0) more(bytes);
    if (this.#stream.isOver) this.close();
  }

  respond(response: HttpResponse): void {
    if (this.#phase === "answered") return;
    this.#phase = "answered";
    this.#reader = undefined;
    const { body } = response;
    this.#stream.write(formatHead(response, utf8Bytes(body), this.#origin));
    if (!this.#isHead && body !== "") this.#stream.write(body);
    this.#stream.finish(this.#bodyLeft > 0);
  }

  close(): void {
    this.#stream.close();
  }

  readable(): void {
    if (this.#phase === "head") this.#readHead();
    else if (this.#phase === "body") this.#announce();
  }

  ended(): void {
    this.close();
  }

  closed(): void {
    const isAwaited = this.#phase === "checked" || this.#phase === "body";
    this.#phase = "answered";
    this.#server.closed(this, isAwaited);
  }

  #readHead(): void {
    let reader = this.#reader;
    while (reader && !reader.head && this.#stream.availableBytes > 0) {
      const piece = this.#stream.read(HEAD_PIECE_BYTES);
      reader = readHead(reader, piece);
      if (reader.head) this.#stream.unread(piece.slice(reader.bodyOffset));
    }
    this.#reader = reader;
    if (!reader?.head) return;
    this.#reader = undefined; // the release in it is large: core holds it now
    if (!reader.head.ok) return this.respond(this.#server.owner.refuse(reader.head.failure));
    this.#headRead(reader.head.value);
  }

  #headRead(head: RequestHead): void {
    this.#phase = "checked";
    this.#origin = allowedOrigin(head);
    this.#awaitsContinue = expectsContinue(head);
    this.#isHead = head.method === "HEAD";
    this.#bodyLeft = bodyBytes(head);
    if (!this.#server.settings.timesBody) this.#stream.stay();
    this.#server.owner.onHead(this, head);
  }

  #announce(): void {
    const count = Math.min(this.#stream.availableBytes, this.#bodyLeft);
    if (count > 0) this.#server.owner.onBody(this, count);
  }
}

/** Opens nothing before `open`. */
export class HttpServer {
  readonly settings: PortSettings;
  readonly owner: PortOwner;
  readonly #exchanges = new Map<number, Exchange>();
  #listener: Listener | undefined;
  #nextNumber = 1;

  constructor(settings: PortSettings, owner: PortOwner) {
    this.settings = settings;
    this.owner = owner;
  }

  get(number: number): Exchange | undefined {
    return this.#exchanges.get(number);
  }

  open(): void {
    if (this.#listener) return;
    const acceptNext = (from: Listener) => this.#acceptNext(from);
    this.#listener = new Listener({
      port: this.settings.port,
      onReadable(count) {
        for (let i = 0; i < count; i++) acceptNext(this);
      },
    });
  }

  close(): void {
    this.#listener?.close();
    this.#listener = undefined;
    for (const exchange of [...this.#exchanges.values()]) exchange.close();
  }

  /** An exchange has ended. */
  closed(exchange: Exchange, isAwaited: boolean): void {
    this.#exchanges.delete(exchange.number);
    this.owner.onClosed(exchange, isAwaited);
  }

  #acceptNext(from: Listener): void {
    try {
      const accepted = from.read();
      if (accepted) this.#accept(accepted);
    } catch {
      // it was closed before it was accepted
    }
  }

  #accept(from: TCP): void {
    if (this.#exchanges.size < this.settings.maxConnections) {
      const exchange = new Exchange(this.#nextNumber++, this, from);
      if (exchange.isOpen) {
        this.#exchanges.set(exchange.number, exchange);
        return;
      }
    }
    from.close();
  }
}
