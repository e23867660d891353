// HTTP requests, one connection each. Bodies are pulled: bytes stay in the TCP window until core reads them. A short body may be collected
// instead, into one buffer of the length that core gives, so that it is held once. What an answer means is decided in core/http.
//
// The SDK's own client is not used: it throws at malformed answers, in its own turns, where nothing catches it; it ends chunked bodies
// wrongly, refuses a status line without a reason, and knows neither interim answers nor redirects nor timeouts.

import TCP from "embedded:io/socket/tcp";
import Timer from "timer";
import type { HttpRequest } from "../core/effect.js";
import type { Failure, TlsErrorCode } from "../core/errors.js";
import { type Address, readAddress } from "../core/http/address.js";
import {
  type AnswerReader,
  bodyTaken,
  endAnswer,
  newAnswerReader,
  readAnswer,
  wantedBytes,
} from "../core/http/answer-reader.js";
import { followRedirect } from "../core/http/redirect.js";
import { requestHead } from "../core/http/request-text.js";
import { LookUp } from "./look-up.js";
import type { Dispatch } from "./runner.js";
import { type StreamEvents, TcpStream } from "./tcp-stream.js";
import type { Tls } from "./tls.js";
import { TlsSocket } from "./tls-socket.js";

/** A body that is collected. */
interface Body {
  bytes: Uint8Array;
  readonly as: "bytes" | "text";
  filledBytes: number;
}

export class HttpRequests {
  readonly #dispatch: Dispatch;
  readonly #tls: Tls;
  readonly #running = new Map<number, Exchange>();

  constructor(dispatch: Dispatch, tls: Tls) {
    this.#dispatch = dispatch;
    this.#tls = tls;
  }

  start(attempt: number, request: HttpRequest): void {
    const exchange = new Exchange(attempt, request, this.#tls, this.#dispatch);
    this.#running.set(attempt, exchange);
    exchange.open();
  }

  read(attempt: number, maxBytes: number): void {
    this.#running.get(attempt)?.read(maxBytes);
  }

  collect(attempt: number, maxBytes: number, as: Body["as"]): void {
    this.#running.get(attempt)?.collect(maxBytes, as);
  }

  close(attempt: number): void {
    const found = this.#running.get(attempt);
    this.#running.delete(attempt);
    found?.close();
  }
}

/** A request, its redirects and its answer. */
class Exchange implements StreamEvents {
  readonly #attempt: number;
  readonly #tls: Tls;
  readonly #dispatch: Dispatch;
  /** Until its answer begins: it may be redirected. */
  #request: HttpRequest | undefined;
  /** For messages. */
  #host = "the server";
  #redirectCount = 0;
  #lookUp: LookUp | undefined;
  #stream: TcpStream | undefined;
  #reader: AnswerReader = newAnswerReader;
  /** Bytes of the body, or of this chunk, that were not read yet. */
  #bodyLeft = 0;
  #isStarted = false;
  #isClosed = false;
  #body: Body | undefined;
  /** Of the delivery of a body. */
  #timer: ReturnType<typeof Timer.set> | undefined;

  constructor(attempt: number, request: HttpRequest, tls: Tls, dispatch: Dispatch) {
    this.#attempt = attempt;
    this.#request = request;
    this.#tls = tls;
    this.#dispatch = dispatch;
  }

  open(): void {
    const request = this.#request;
    if (!request) return;
    const read = readAddress(request.url);
    if (!read.ok) return this.#failed(read.failure.message);
    const address = read.value;
    this.#host = `${address.host}:${address.port}`;
    const onError = () => this.#failed(`the address of ${address.host} was not found`);
    this.#lookUp = new LookUp(address.host, (ip) => this.#connect(request, address, ip), onError);
  }

  /** At most `maxBytes` of the body. */
  read(maxBytes: number): void {
    const bytes = this.#takeBody(maxBytes);
    if (bytes.length === 0) return;
    this.#dispatch({ type: "responseData", attempt: this.#attempt, bytes });
    // what is left of it was announced
    if (this.#bodyLeft === 0 || this.#stream?.isOver) this.#goOn(true);
  }

  collect(maxBytes: number, as: Body["as"]): void {
    this.#body = { bytes: new Uint8Array(maxBytes), as, filledBytes: 0 };
    this.#goOn(false);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== undefined) Timer.clear(this.#timer);
    this.#timer = undefined;
    this.#disconnect();
  }

  connected(): void {
    this.#dispatch({ type: "peerHeard" });
  }

  readable(): void {
    if (!this.#isStarted || this.#bodyLeft === 0 || this.#body) return this.#goOn(true);
    // the usual case, in one call less: XS's stack is short
    const count = Math.min(this.#stream?.availableBytes ?? 0, this.#bodyLeft);
    if (count > 0) this.#dispatch({ type: "responseReadable", attempt: this.#attempt, count });
  }

  ended(): void {
    this.#goOn(false);
  }

  closed(): void {
    // by this side: nothing is left to do
  }

  #connect(request: HttpRequest, address: Address, ip: string): void {
    if (this.#isClosed) return;
    if (ip !== address.host) this.#dispatch({ type: "peerHeard" }); // a name server has answered
    const { host, port, isSecure } = address;
    const secure = isSecure ? { io: TlsSocket, host, tls: this.#tls } : { io: TCP };
    this.#stream = new TcpStream({ ...secure, address: ip, port }, this);
    if (!this.#stream.isOpen) return this.#failed(`no connection to ${this.#host}`);
    this.#stream.write(requestHead(request, address));
    this.#stream.write(request.body ?? "");
  }

  #disconnect(): void {
    this.#lookUp?.close();
    this.#lookUp = undefined;
    const stream = this.#stream;
    this.#stream = undefined;
    this.#body = undefined;
    stream?.close();
  }

  /** Reads as far as nobody has to ask for it. */
  #goOn(announces: boolean): void {
    this.#readLines();
    if (!this.#isStarted && this.#reader.phase !== "head") this.#start();
    if (this.#body) this.#collect();
    else if (announces) this.#announce();
    if (this.#stream?.isOver) this.#reader = endAnswer(this.#reader, this.#stream.isCut);
    if (this.#stream?.failure) this.#failedByTls(this.#stream.failure);
    else if (this.#reader.phase === "failed") this.#failedOnTheWay();
    else if (this.#reader.phase === "over") this.#end();
  }

  #readLines(): void {
    if (this.#bodyLeft > 0) return;
    if (this.#reader.phase === "body") this.#reader = bodyTaken(this.#reader);
    for (;;) {
      const piece = this.#stream?.read(wantedBytes(this.#reader));
      if (!piece || piece.length === 0) return;
      this.#reader = readAnswer(this.#reader, piece);
      const { phase, usedBytes, bodyBytes } = this.#reader;
      if (usedBytes < piece.length) this.#stream?.unread(piece.slice(usedBytes));
      if (phase === "body") this.#bodyLeft = bodyBytes;
    }
  }

  #start(): void {
    const { phase, status, headers } = this.#reader;
    const request = this.#request;
    if (phase === "failed" || !request) return;
    const next = followRedirect(request, { status, headers }, this.#redirectCount);
    if (next?.ok === false) return this.#failed(`${this.#host} ${next.failure.message}`);
    if (next) return this.#redirect(next.value);
    this.#isStarted = true;
    this.#request = undefined;
    this.#dispatch({ type: "responseStarted", attempt: this.#attempt, status, headers });
  }

  #redirect(request: HttpRequest): void {
    this.#disconnect();
    this.#redirectCount += 1;
    this.#request = request;
    this.#reader = newAnswerReader;
    this.#bodyLeft = 0;
    this.open();
  }

  #announce(): void {
    const count = Math.min(this.#stream?.availableBytes ?? 0, this.#bodyLeft);
    if (this.#isStarted && count > 0)
      this.#dispatch({ type: "responseReadable", attempt: this.#attempt, count });
  }

  #takeBody(maxBytes: number): Uint8Array {
    const bytes = this.#stream?.read(Math.min(maxBytes, this.#bodyLeft)) ?? NO_BYTES;
    this.#bodyLeft -= bytes.length;
    return bytes;
  }

  #collect(): void {
    const body = this.#body;
    while (body && body.filledBytes < body.bytes.length) {
      const piece = this.#takeBody(body.bytes.length - body.filledBytes);
      if (piece.length === 0) return;
      body.bytes.set(piece, body.filledBytes);
      body.filledBytes += piece.length;
      this.#readLines();
    }
    if (body?.as === "bytes") this.#end();
    else if (body && this.#bodyLeft > 0 && this.#stream?.availableBytes)
      this.#failed(`the answer is longer than ${body.bytes.length} bytes`);
  }

  /** All of the body has come, or all of it that was asked for. */
  #end(): void {
    if (this.#isClosed || !this.#isStarted) return;
    const body = this.#body;
    this.close();
    if (!body) return this.#dispatch({ type: "responseEnded", attempt: this.#attempt });
    // in a turn of its own: what core does with it needs much of XS's stack
    this.#timer = Timer.set(() => this.#deliver(body), 0);
  }

  #deliver(body: Body): void {
    const attempt = this.#attempt;
    if (body.as === "bytes")
      return this.#dispatch({ type: "bytesCollected", attempt, bytes: takeBytes(body) });
    const text = takeText(body);
    if (text === undefined)
      this.#dispatch({ type: "requestFailed", attempt, message: "the answer is no UTF-8 text" });
    else this.#dispatch({ type: "textCollected", attempt, text });
  }

  #failedOnTheWay(): void {
    const host = this.#host;
    this.#failed(
      this.#isConnected ? `the answer of ${host} ${this.#reader.problem}` : `no connection to ${host}`,
    );
  }

  #failedByTls({ code, message }: Failure<TlsErrorCode>): void {
    if (this.#isClosed) return;
    this.#dispatch({ type: "peerHeard" }); // somebody has taken the connection
    this.#failed(message, code);
  }

  get #isConnected(): boolean {
    return this.#stream?.wasConnected ?? false;
  }

  #failed(message: string, code?: TlsErrorCode): void {
    if (this.#isClosed) return;
    const isConnected = this.#isConnected;
    const attempt = this.#attempt;
    this.close();
    this.#dispatch({ type: "requestFailed", attempt, message, isConnected, ...(code ? { code } : {}) });
  }
}

const NO_BYTES = new Uint8Array(0);

/** From here on only the receiver of the bytes holds them. */
function takeBytes(body: Body): Uint8Array {
  const { bytes, filledBytes } = body;
  body.bytes = NO_BYTES;
  return filledBytes === bytes.length ? bytes : bytes.slice(0, filledBytes);
}

/** The bytes are released when this returns. `undefined`: they are not UTF-8. */
function takeText(body: Body): string | undefined {
  try {
    return String.fromArrayBuffer(takeBytes(body).buffer);
  } catch {
    return undefined;
  }
}

/** Name servers from DHCP. */
