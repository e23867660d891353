// An HTTP/1.1 server on one port: accepts connections, reads heads (core/http/http.ts), passes bodies on as they are requested, and writes
// responses. One request per connection. The owner of the port decides who may do what.
//
// It replaces the SDK's server, which has no limit on a head, no timeout and no support of `Expect: 100-continue`: one long URL in any web
// page could restart the device. When all places are taken, a new connection gets that of the one that is worth least:
//
//   1. one that was answered, and that its client has not closed yet
//   2. the oldest whose head is not complete: idle, slow, or waiting for its turn
//   3. the oldest whose body is not complete, where the port times it (80)
//   4. one that has taken nothing of its answer for 5 s
//
// and is closed at once if there is none. Heads are read at most `maxHeads` at a time, and of those with room for a release one; the bytes of the
// others wait in their TCP windows.

import Listener from "embedded:io/socket/listener";
import type TCP from "embedded:io/socket/tcp";
import type { HttpResponse } from "../core/effect.js";
import type { Failure } from "../core/errors.js";
import type { RequestHead } from "../core/event.js";
import { bodyBytes } from "../core/http/framing.js";
import {
  allowedOrigin,
  CONTINUE,
  expectsContinue,
  formatHead,
  type HeadError,
  type HeadReader,
  newHeadReader,
  readHead,
  takesRelease,
} from "../core/http/http.js";
import { LEAST_DISCARDED_BYTES, type StreamEvents, TcpStream } from "./tcp-stream.js";
import { utf8Bytes } from "./text-pieces.js";

/** Read at once of a head. */
const HEAD_PIECE_BYTES = 512;
/** How long a head may still take when another one waits for its turn. */
const HEAD_TURN_MS = 1_000;
/** A client that has taken nothing for this long has to make room for another. */
const STALLED_MS = 5_000;
/** Discarded of a body that was announced, at most: a browser that sends an image reads no answer before it has sent all. */
export const MAX_DISCARDED_BYTES = 4 * 1024 * 1024;

export interface PortSettings {
  readonly port: number;
  /** Of its first connection; the others follow. */
  readonly firstNumber: number;
  readonly maxConnections: number;
  /** Heads that are read at the same time. */
  readonly maxHeads: number;
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
  /** Never used again, and unlike those of other ports. */
  readonly number: number;
  readonly #server: HttpServer;
  readonly #stream: TcpStream;
  #phase: "head" | "checked" | "body" | "answered" = "head";
  #reader: HeadReader | undefined;
  #awaitsContinue = false;
  #isHead = false;
  #isHurried = false;
  #isLent = false;
  #origin: string | undefined;
  /** Bytes of the body that were not read yet. */
  #bodyLeft = Infinity;

  constructor(number: number, server: HttpServer, from: TCP) {
    this.number = number;
    this.#server = server;
    this.#reader = newHeadReader();
    this.#stream = new TcpStream({ from }, this);
    this.#stream.closeAfter(server.settings.requestMs);
  }

  get isOpen(): boolean {
    return this.#stream.isOpen;
  }

  /** Of the client; undefined: not known. */
  get address(): string | undefined {
    return this.#stream.remoteAddress;
  }

  /** Bytes of its head wait. */
  get waitsForTurn(): boolean {
    return this.#phase === "head" && this.#stream.availableBytes > 0;
  }

  /** How readily it gives its place to a new connection, 1 first; undefined: not at all. */
  get dispensability(): 1 | 2 | 3 | 4 | undefined {
    if (this.#stream.isLingering) return 1;
    if (this.#phase === "head") return 2;
    if (this.#phase === "body" && this.#server.settings.timesBody && !this.#isLent) return 3;
    return this.#phase === "answered" && this.#stream.stalledMs > STALLED_MS ? 4 : undefined;
  }

  /** Another head waits for its turn. */
  hurry(): void {
    if (this.#isHurried || this.#phase !== "head") return;
    this.#isHurried = true;
    this.#stream.closeAfter(HEAD_TURN_MS);
  }

  /** Its body is another's: large, and timed there. */
  lend(): void {
    this.#isLent = true;
    this.#stream.stay();
  }

  /** Accepts the body. Called again, it tells once more what waits of it: who reads on did not hear of that. */
  takeBody(): void {
    if (this.#phase === "checked") {
      this.#phase = "body";
      if (this.#awaitsContinue) this.#stream.write(CONTINUE);
    }
    if (this.#phase === "body") this.#announce();
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
    const isUnknown = this.#bodyLeft === Infinity;
    this.#stream.finish(isUnknown ? LEAST_DISCARDED_BYTES : Math.min(this.#bodyLeft, MAX_DISCARDED_BYTES));
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
    if (!this.#server.mayReadHead(this)) return;
    let reader = this.#reader;
    while (reader && !reader.head && this.#stream.availableBytes > 0) {
      if (takesRelease(reader) && !this.#server.mayReadRelease(this)) break;
      const piece = this.#stream.read(HEAD_PIECE_BYTES);
      reader = readHead(reader, piece);
      if (reader.head) this.#stream.unread(piece.slice(reader.bodyOffset));
    }
    this.#reader = reader;
    if (!reader?.head) return;
    this.#reader = undefined; // the release in it is large: core holds it now
    if (reader.head.ok) this.#headRead(reader.head.value);
    else this.respond(this.#server.owner.refuse(reader.head.failure));
    this.#server.headRead(this);
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
  /** The oldest first. */
  readonly #exchanges = new Map<number, Exchange>();
  /** Those whose heads are being read. */
  readonly #heads: Exchange[] = [];
  /** The one of them that may bring a release. */
  #withRelease: Exchange | undefined;
  #listener: Listener | undefined;
  #nextNumber: number;

  constructor(settings: PortSettings, owner: PortOwner) {
    this.settings = settings;
    this.owner = owner;
    this.#nextNumber = settings.firstNumber;
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
    this.headRead(exchange);
  }

  /** Whether it is this exchange's turn. If not, it is told later. */
  mayReadHead(exchange: Exchange): boolean {
    if (this.#heads.includes(exchange)) return true;
    if (this.#heads.length >= this.settings.maxHeads) {
      this.#heads[0]?.hurry();
      return false;
    }
    this.#heads.push(exchange);
    return true;
  }

  /** The same for a head that may bring a release. */
  mayReadRelease(exchange: Exchange): boolean {
    this.#withRelease ??= exchange;
    if (this.#withRelease !== exchange) this.#withRelease.hurry();
    return this.#withRelease === exchange;
  }

  /** Its turn is over: the next one's begins, and it has to hurry if more of them wait. */
  headRead(exchange: Exchange): void {
    const index = this.#heads.indexOf(exchange);
    if (index < 0) return;
    this.#heads.splice(index, 1);
    if (this.#withRelease === exchange) this.#withRelease = undefined;
    for (const one of [...this.#exchanges.values()]) if (one.waitsForTurn) one.readable();
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
    if (this.#exchanges.size >= this.settings.maxConnections) this.#dispensable()?.close();
    if (this.#exchanges.size < this.settings.maxConnections) {
      const exchange = new Exchange(this.#nextNumber++, this, from);
      if (exchange.isOpen) {
        this.#exchanges.set(exchange.number, exchange);
        return;
      }
    }
    from.close();
  }

  /** The oldest of those that are worth least. */
  #dispensable(): Exchange | undefined {
    let found: Exchange | undefined;
    for (const exchange of this.#exchanges.values()) {
      const { dispensability: rank = Infinity } = exchange;
      if (rank < (found?.dispensability ?? Infinity)) found = exchange;
    }
    return found;
  }
}
