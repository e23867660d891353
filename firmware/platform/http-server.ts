// A port that speaks HTTP/1.1: takes connections, reads heads (core/http.ts), hands bodies on as they are asked for, and writes answers.
// One request a connection. Who may do what is decided by whoever opens the port.
//
// It is ours because the SDK's server has no limit on a head, no timeout and no answer to `Expect: 100-continue`: a page in the house
// could restart the device with one long URL. A connection too many is closed at once, a slow one in time.

import Listener from "embedded:io/socket/listener";
import type TCP from "embedded:io/socket/tcp";
import type { HttpResponse } from "../core/effect.js";
import type { Failure } from "../core/errors.js";
import {
  allowedOrigin,
  bodyBytes,
  CONTINUE,
  expectsContinue,
  formatHead,
  type HeadError,
  type HeadReader,
  newHeadReader,
  type RequestHead,
  readHead,
} from "../core/http.js";
import { TcpStream } from "./tcp-stream.js";
import { utf8Bytes } from "./text-pieces.js";

/** Read at once of a head. */
const HEAD_PIECE_BYTES = 512;

export interface HttpPort {
  readonly port: number;
  readonly maxConnections: number;
  /** X-Skyslot-Release is kept. */
  readonly takesRelease: boolean;
  /** For the head, and for the body unless somebody else watches over it. */
  readonly requestMs: number;
  readonly timesBody: boolean;
  /** A sound head: `respond`, or `takeBody` first. */
  onHead(exchange: Exchange, head: RequestHead): void;
  /** Bytes of a body that is taken wait. */
  onBody(exchange: Exchange, count: number): void;
  /** The connection is closed, whoever closed it. `isAwaited`: a sound head was not answered yet. */
  onClosed(exchange: Exchange, isAwaited: boolean): void;
  /** The answer to a head that cannot be taken. */
  refuse(failure: Failure<HeadError>): HttpResponse;
}

/** One request and its answer. */
export class Exchange {
  /** From 1, never used again. */
  readonly number: number;
  #port: HttpPort;
  #stream: TcpStream;
  #phase: "head" | "judged" | "body" | "answered" = "head";
  #reader: HeadReader | undefined;
  #awaitsContinue = false;
  #isHead = false;
  #origin: string | undefined;
  /** Bytes of the body that were not read yet. */
  #bodyLeft = Infinity;

  constructor(number: number, port: HttpPort, from: TCP) {
    this.number = number;
    this.#port = port;
    this.#reader = newHeadReader(port.takesRelease);
    this.#stream = new TcpStream(
      { from },
      {
        readable: () => this.#readable(),
        ended: () => this.close(),
        closed: () => this.#closed(),
      },
    );
    this.#stream.closeAfter(port.requestMs);
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

  #readable(): void {
    if (this.#phase === "head") this.#readHead();
    else if (this.#phase === "body") this.#announce();
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
    if (!reader.head.ok) return this.respond(this.#port.refuse(reader.head.failure));
    this.#judge(reader.head.value);
  }

  #judge(head: RequestHead): void {
    this.#phase = "judged";
    this.#origin = allowedOrigin(head);
    this.#awaitsContinue = expectsContinue(head);
    this.#isHead = head.method === "HEAD";
    this.#bodyLeft = bodyBytes(head);
    if (!this.#port.timesBody) this.#stream.stay();
    this.#port.onHead(this, head);
  }

  #announce(): void {
    const count = Math.min(this.#stream.availableBytes, this.#bodyLeft);
    if (count > 0) this.#port.onBody(this, count);
  }

  #closed(): void {
    const isAwaited = this.#phase === "judged" || this.#phase === "body";
    this.#phase = "answered";
    this.#port.onClosed(this, isAwaited);
  }
}

/** Opens nothing before `open`. */
export function createHttpServer(port: HttpPort) {
  const exchanges = new Map<number, Exchange>();
  let listener: Listener | undefined;
  let nextNumber = 1;

  const own: HttpPort = {
    ...port,
    onClosed(exchange, isAwaited) {
      exchanges.delete(exchange.number);
      port.onClosed(exchange, isAwaited);
    },
  };
  const accept = (from: TCP) => {
    if (exchanges.size < port.maxConnections) {
      const exchange = new Exchange(nextNumber++, own, from);
      if (exchange.isOpen) {
        exchanges.set(exchange.number, exchange);
        return;
      }
    }
    from.close();
  };
  const acceptNext = (from: Listener) => {
    try {
      const accepted = from.read();
      if (accepted) accept(accepted);
    } catch {
      // it has gone before it was taken
    }
  };

  return {
    get: (number: number): Exchange | undefined => exchanges.get(number),
    open() {
      listener ??= new Listener({
        port: port.port,
        onReadable(count) {
          for (let i = 0; i < count; i++) acceptNext(this);
        },
      });
    },
    close() {
      listener?.close();
      listener = undefined;
      for (const exchange of [...exchanges.values()]) exchange.close();
    },
  };
}
