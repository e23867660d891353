// How the SDK's HTTP client reads a response, byte by byte and line by line. It keeps the parsed part of the response; the
// connection decides when the request is over, and what follows.
//
//   idle → status → header → body | trailer → received

import type { Machine } from "../../machine/machine.js";
import type { Native } from "../native.js";
import type { HttpSocket } from "./http-sender.js";

/** The connection that a response comes over. */
export interface ResponseOwner {
  readonly machine: Machine;
  readonly native: Native;
  socket(): HttpSocket;
  /** Whether firmware asked for this header. */
  isInMask(name: unknown): boolean;
  /** Calls back the request. */
  notify(name: string, ...parameters: unknown[]): void;
  isUnderWay(): boolean;
  complete(): void;
  fail(error: unknown): void;
  /** In a separate turn. */
  later(turn: () => void): void;
}

type State = "idle" | "status" | "header" | "body" | "trailer" | "received";

/** The response that is being received, as far as it is parsed. */
interface Response {
  status: number;
  statusText: string;
  headers: Map<unknown, string>;
  /** Undefined until a length is known; infinite if the end of the connection ends it. */
  remaining: number | undefined;
  /** Bytes left of the chunk, if the body is chunked. */
  chunk: number | undefined;
  /** The name of the header whose value comes next, or of the one before. */
  headerName: string | undefined;
  isHeaderSkipped: boolean;
  isInHeaderValue: boolean;
}

const LF = 10;
const COLON = 58;

export class ResponseReader {
  #owner: ResponseOwner;
  #state: State = "idle";
  #readable = 0;
  /** The line being received; undefined where the bytes are a body's. */
  #line: string | undefined;
  #response: Response;

  constructor(owner: ResponseOwner) {
    this.#owner = owner;
    this.#response = this.#newResponse();
  }

  /** The body has been read; firmware is notified in the next turn. */
  get hasReceived(): boolean {
    return this.#state === "received";
  }

  /** A request is about to be sent. */
  reset(): void {
    this.#line = undefined;
    this.#response = this.#newResponse();
  }

  /** A request has been sent. */
  begin(): void {
    this.#state = "status";
    this.#line = "";
  }

  end(): void {
    this.#state = "idle";
  }

  /** `read` of the request: a number of bytes, or into a buffer. */
  read(parameters: readonly unknown[]): unknown {
    if (this.#state !== "body") return undefined;
    const response = this.#response;
    const [wanted = this.#readable] = parameters;
    let buffer = typeof wanted === "object" && wanted !== null ? this.#byteBuffer(wanted) : undefined;
    const limit = response.chunk ?? (response.remaining === Infinity ? this.#readable : response.remaining);
    const available = Math.min(this.#readable, limit as number);
    const count = Math.min(buffer?.length ?? (wanted as number), available);
    buffer = buffer?.subarray(0, count);
    this.#readable -= count;
    if (response.chunk === undefined) response.remaining = (response.remaining as number) - count;
    else response.chunk -= count;
    const result = this.#owner.socket().read(buffer ?? count);
    this.#afterRead(response);
    return result;
  }

  /** Parses what arrives, until no bytes are left or firmware has to read the body. */
  onReadable(count: number): void {
    this.#readable = count;
    do {
      if (this.#line !== undefined && !this.#receiveLine()) return;
      if (!this.#step()) return;
    } while (this.#readable > 0);
  }

  #byteBuffer(buffer: object): Uint8Array {
    const { native } = this.#owner;
    if (((buffer as Uint8Array).BYTES_PER_ELEMENT ?? 1) > 1) throw native.error("invalid buffer");
    return native.bytesOf(buffer);
  }

  #afterRead(response: Response): void {
    if (response.chunk === 0) {
      this.#line = "";
      if (this.#readable > 0) this.#owner.later(() => this.onReadable(this.#readable));
    } else if (response.remaining === 0) {
      this.#state = "received";
      this.#owner.later(() => this.#owner.complete());
    }
  }

  /** One step of the response. False if there is nothing more to do now. */
  #step(): boolean {
    switch (this.#state) {
      case "status":
        return this.#takeStatus();
      case "header":
        return this.#takeHeader();
      case "body":
        return this.#takeBody();
      case "trailer":
        if (this.#line !== "\r\n") throw this.#owner.native.error();
        this.#owner.complete();
        return false;
      default:
        throw this.#owner.native.error();
    }
  }

  /** Collects a line, or a header's name up to its colon. False if the end has not arrived yet. */
  #receiveLine(): boolean {
    const socket = this.#owner.socket();
    const response = this.#response;
    socket.format = "number";
    while (this.#readable > 0) {
      this.#readable -= 1;
      const byte = socket.read() as number;
      if (this.#state === "header" && !response.isInHeaderValue && byte === COLON) {
        this.#startHeaderValue(response);
        continue;
      }
      this.#line += String.fromCharCode(byte);
      if (byte === LF) break;
    }
    socket.format = "buffer";
    if (!this.#line?.endsWith("\r\n")) return false;
    if (!response.isInHeaderValue || !response.isHeaderSkipped) return true;
    this.#startHeader(response); // a value that the mask leaves out
    return this.#readable > 0 && this.#receiveLine();
  }

  #startHeader(response: Response): void {
    this.#line = "";
    response.isInHeaderValue = false;
  }

  #startHeaderValue(response: Response): void {
    const name = (this.#line as string).toLowerCase();
    const isNeeded = name === "content-length" || name === "transfer-encoding";
    response.isHeaderSkipped = !isNeeded && !this.#owner.isInMask(name);
    response.headerName = name;
    response.isInHeaderValue = true;
    this.#line = "";
  }

  #takeStatus(): boolean {
    const line = this.#line as string;
    const first = line.indexOf(" ");
    const second = line.indexOf(" ", first + 1);
    // and goes on, as the SDK does
    if (first < 0 || second < 0) this.#owner.fail(this.#owner.native.error("bad response"));
    this.#response = this.#newResponse();
    this.#response.status = Number.parseInt(line.slice(first + 1, second), 10);
    this.#response.statusText = line.slice(second + 1);
    this.#line = "";
    this.#state = "header";
    return true;
  }

  /** A whole header, or the empty line behind the last. A header without a value is treated as that line, too. */
  #takeHeader(): boolean {
    const response = this.#response;
    if (this.#line === "\r\n") return this.#endHeaders(response);
    if (!response.isHeaderSkipped) this.#keepHeader(response, (this.#line as string).trim());
    this.#startHeader(response);
    return true;
  }

  #keepHeader(response: Response, value: string): void {
    const name = response.headerName;
    if (this.#owner.isInMask(name)) response.headers.set(name, value);
    if (name === "content-length") response.remaining = Number.parseInt(value, 10);
    if (name === "transfer-encoding" && value.toLowerCase() === "chunked") response.chunk = 0;
  }

  #endHeaders(response: Response): boolean {
    if (response.status === 204 || response.status === 205) response.remaining = 0;
    else if (response.chunk !== undefined) response.remaining = undefined;
    else response.remaining ??= Infinity;
    this.#owner.notify("onHeaders", response.status, response.headers, response.statusText);
    if (!this.#owner.isUnderWay()) return false;
    response.isInHeaderValue = false;
    this.#state = "body";
    this.#line = response.chunk === undefined ? undefined : "";
    if (response.remaining !== 0) return true;
    this.#owner.complete();
    return false;
  }

  #takeBody(): boolean {
    const response = this.#response;
    if (response.chunk === undefined) {
      this.#owner.notify("onReadable", Math.min(this.#readable, response.remaining as number));
      return false;
    }
    if (response.chunk === 0) {
      if (this.#line === "\r\n") return true;
      response.chunk = Number.parseInt((this.#line as string).trim(), 16);
      this.#line = undefined;
      if (response.chunk === 0) {
        this.#state = "trailer";
        this.#line = "";
        return true;
      }
    }
    const count = Math.min(this.#readable, response.chunk);
    if (count) this.#owner.notify("onReadable", count);
    return false;
  }

  #newResponse(): Response {
    return {
      status: 0,
      statusText: "",
      headers: new this.#owner.machine.realm.Map(),
      remaining: undefined,
      chunk: undefined,
      headerName: undefined,
      isHeaderSkipped: false,
      isInHeaderValue: false,
    };
  }
}
