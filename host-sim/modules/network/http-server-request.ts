// How the SDK's HTTP server reads a request, line by line. It keeps what is known of the request; what firmware does with it, and the
// response, is the connection's business.
//
//   request → header → body → trailer          any: over

import type { HttpSocket } from "./http-sender.js";

/** The connection that a request comes over. */
export interface RequestOwner {
  socket(): HttpSocket;
  /** The headers are complete. False when firmware has closed the connection since. */
  headersReceived(): boolean;
  bodyReadable(count: number): void;
  /** The request is complete. */
  received(): void;
  fail(message: string): void;
  /** In a separate turn. */
  later(turn: () => void): void;
}

/** The SDK counts the bodies of request and response in one place: a response that is given too early ends the request's. */
export interface BodyLength {
  /** Bytes still to come or to send; true if a response is chunked. */
  remaining: number | true | undefined;
}

type State = "request" | "header" | "body" | "trailer" | "over";

const LF = 10;

export class RequestReader {
  method = "";
  path = "";
  readonly headers: Map<string, string>;
  #owner: RequestOwner;
  #state: State = "request";
  /** The line being received; undefined where the bytes are a body's. */
  #line: string | undefined = "";
  #readable = 0;
  readonly #body: BodyLength;
  /** Bytes left of the chunk, if the body is chunked. */
  #chunk: number | undefined;

  /** @param headers an empty map of the device's realm */
  constructor(owner: RequestOwner, headers: Map<string, string>, body: BodyLength) {
    this.#owner = owner;
    this.#body = body;
    this.headers = headers;
  }

  get isOver(): boolean {
    return this.#state === "over";
  }

  /** onRequest is under way, or has not been called yet. */
  get isInHeaders(): boolean {
    return this.#state === "header";
  }

  /** What still arrives is one too many. */
  end(): void {
    this.#state = "over";
  }

  read(wanted: number | undefined): unknown {
    if (this.#state !== "body") return undefined;
    const available = Math.min(this.#readable, (this.#chunk ?? this.#body.remaining) as number);
    const count = wanted === undefined || wanted > available ? available : wanted;
    if (!count) return undefined;
    this.#readable -= count;
    if (this.#chunk === undefined) this.#body.remaining = (this.#body.remaining as number) - count;
    else this.#chunk -= count;
    const result = this.#owner.socket().read(count);
    this.#afterRead();
    return result;
  }

  onReadable(count: number): void {
    this.#readable = count;
    while (this.#readable > 0) {
      if (this.#line !== undefined && !this.#receiveLine()) return;
      if (!this.#step()) return;
    }
  }

  #afterRead(): void {
    if (this.#chunk === 0) {
      this.#line = "";
      if (this.#readable > 0) this.#owner.later(() => this.onReadable(this.#readable));
    } else if (this.#body.remaining === 0) this.#owner.later(() => this.#owner.received());
  }

  /** Collects a line. False if its end has not arrived yet. */
  #receiveLine(): boolean {
    const socket = this.#owner.socket();
    socket.format = "number";
    while (this.#readable > 0) {
      this.#readable -= 1;
      const byte = socket.read() as number;
      this.#line += String.fromCharCode(byte);
      if (byte === LF) break;
    }
    socket.format = "buffer";
    return this.#line?.endsWith("\r\n") ?? false;
  }

  /** One step of the request. False if there is nothing more to do now. */
  #step(): boolean {
    const line = this.#line as string;
    switch (this.#state) {
      case "request":
        return this.#takeRequest(line.trim().split(" "));
      case "header":
        if (line === "\r\n") return this.#endHeaders();
        this.#takeHeader(line);
        return true;
      case "body":
        return this.#takeBody();
      case "trailer":
        if (line === "\r\n") this.#owner.received();
        else this.#owner.fail("badly formed");
        return false;
      default:
        this.#owner.fail("bad state");
        return false;
    }
  }

  #takeRequest([method, path, version]: string[]): boolean {
    if (version !== "HTTP/1.1") {
      this.#owner.fail("badly formed");
      return false;
    }
    Object.assign(this, { method, path });
    this.#line = "";
    this.#state = "header";
    return true;
  }

  /** A line without a colon becomes a header without a name. */
  #takeHeader(line: string): void {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    this.headers.set(name, value);
    if (name === "content-length") this.#body.remaining = Number.parseInt(value, 10);
    else if (name === "transfer-encoding" && value.toLowerCase() === "chunked") this.#chunk = 0;
    this.#line = "";
  }

  #endHeaders(): boolean {
    if (this.#chunk !== undefined) this.#body.remaining = undefined;
    if (!this.#owner.headersReceived()) return false;
    if (!this.#body.remaining && this.#chunk === undefined) this.#owner.received();
    else {
      this.#state = "body";
      this.#line = this.#chunk === undefined ? undefined : "";
    }
    return true;
  }

  #takeBody(): boolean {
    if (this.#chunk === 0) {
      if (this.#line === "\r\n") return true;
      this.#chunk = Number.parseInt((this.#line as string).trim(), 16);
      this.#line = undefined;
      if (this.#chunk === 0) {
        this.#state = "trailer";
        this.#line = "";
        return true;
      }
    }
    this.#owner.bodyReadable(Math.min(this.#readable, (this.#chunk ?? this.#body.remaining) as number));
    return false;
  }
}
