// A port that speaks HTTP/1.1: takes connections, reads heads (core/http/http.ts), hands bodies on as they are asked for, and writes answers.
// One request a connection. The owner of the port decides who may do what.
//
// It is ours because the SDK's server has no limit on a head, no timeout and no answer to `Expect: 100-continue`: a page in the house
// could restart the device with one long URL. A connection too many is closed at once, a slow one in time.

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
  /** For the head, and for the body unless somebody else watches over it. */
  readonly requestMs: number;
  readonly timesBody: boolean;
}

/** Whose port it is. */
export interface PortOwner {
  /** A sound head: `respond`, or `takeBody` first. */
  onHead(exchange: Exchange, head: RequestHead): void;
  /** Bytes of a body that is taken wait. */
  onBody(exchange: Exchange, count: number): void;
  /** The connection is closed, by either side. `isAwaited`: a valid head has not been answered yet. */
  onClosed(exchange: Exchange, isAwaited: boolean): void;
  /** The answer to a head that cannot be taken. */
  refuse(failure: Failure<HeadError>): HttpResponse;
}

/** One request and its answer. */
export class Exchange implements StreamEvents {
  /** From 1, never used again. */
  readonly number: number;
  readonly #server: HttpServer;
  readonly #stream: TcpStream;
  #phase: "head" | "judged" | "body" | "answered" = "head";
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

  /** Lets the body come. */
  takeBody(): void {
    if (this.#phase !== "judged") return;
    this.#phase = "body";
    if (this.#awaitsContinue) this.#stream.write(CONTINUE);
    this.#announce();
  }

  /** At most `maxBytes` of the body; `more` hears of them before it can hear that the client has gone. */
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
    const isAwaited = this.#phase === "judged" || this.#phase === "body";
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
    this.#reader = undefined; // the release in it is large: it is core's now
    if (!reader.head.ok) return this.respond(this.#server.owner.refuse(reader.head.failure));
    this.#judge(reader.head.value);
  }

  #judge(head: RequestHead): void {
    this.#phase = "judged";
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

  /** An exchange tells of its end. */
  closed(exchange: Exchange, isAwaited: boolean): void {
    this.#exchanges.delete(exchange.number);
    this.owner.onClosed(exchange, isAwaited);
  }

  #acceptNext(from: Listener): void {
    try {
      const accepted = from.read();
      if (accepted) this.#accept(accepted);
    } catch {
      // it has gone before it was taken
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
