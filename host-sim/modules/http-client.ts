/**
 * `embedded:network/http/client`: the SDK's HTTP/1.1 client rebuilt with its faults, because firmware has to live with
 * them: no timeout, no redirects, chunked bodies ended wrongly, an empty header value ends the headers, a request made
 * after an error is never answered.
 *
 *   disconnected → connected ⇄ sendRequest → sendBody → receiveStatus → receiveHeader → receiveBody | receiveTrailer
 */

import type { Machine } from "../machine.js";
import type { Scheduled } from "../world.js";
import { type Callback, type Dictionary, isSwallowed, type Native } from "./native.js";

/** A chunk's length and line ends must fit too. */
const CHUNK_OVERHEAD_BYTES = 8;
const LF = 10;
const COLON = 58;
/** The SDK does not rewind before it sends the last chunk: its first bytes get lost. */
const LAST_CHUNK_AS_SENT = "0\r\n\r\n".slice(2);

type State =
  | "disconnected"
  | "connected"
  | "sendRequest"
  | "sendBody"
  | "receiveStatus"
  | "receiveHeader"
  | "receiveBody"
  | "receiveTrailer"
  | "receivedBody"
  | "completing"
  | "error"
  | "closed";

interface Socket {
  format: string;
  read(count?: unknown): unknown;
  write(data: unknown): number;
  close(): void;
}

interface Pending {
  readonly options: Dictionary;
  readonly request: object;
}

/** What is known of the response under way. */
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

export function createHttpClient(machine: Machine, native: Native): { HTTPClient: object } {
  const cores = new WeakMap<object, ClientCore>();

  /** What `request()` gives, and `this` in its callbacks. */
  class Request {
    #core: ClientCore;

    constructor(core: ClientCore) {
      this.#core = core;
    }

    read(...parameters: unknown[]): unknown {
      return this.#core.read(this, parameters);
    }

    write(data?: { readonly byteLength: number }): number {
      if (data && typeof data !== "object") throw native.typeError("invalid buffer");
      return this.#core.write(this, data);
    }
  }
  native.adopt(Request);

  class HTTPClient {
    constructor(options: Dictionary) {
      const core = new ClientCore({
        machine,
        native,
        client: this,
        options,
        newRequest: () => new Request(core),
      });
      cores.set(this, core);
      core.resolve();
    }

    close(): void {
      (cores.get(this) as ClientCore).close();
    }

    request(options: Dictionary): object {
      return (cores.get(this) as ClientCore).request(options);
    }
  }

  return { HTTPClient };
}

class ClientCore {
  #machine: Machine;
  #native: Native;
  #client: object;
  #newRequest: () => object;
  #options: Dictionary;
  #host: string;
  #socket: Socket | undefined;
  #state: State = "disconnected";
  #queue: Pending[] = [];
  #current: Pending | undefined;
  #timer: Scheduled | undefined;
  #readable = 0;
  #writable = 0;
  #outgoing: Uint8Array | undefined;
  #headerLines: string[] = [];
  /** Bytes of the request's body still to send; true if it is chunked. */
  #body: number | boolean = false;
  /** The line being received; undefined where the bytes are a body's. */
  #line: string | undefined;
  #response: Response;

  constructor(given: {
    machine: Machine;
    native: Native;
    client: object;
    options: Dictionary;
    newRequest: () => object;
  }) {
    const { machine, native, options } = given;
    this.#machine = machine;
    this.#native = native;
    this.#client = given.client;
    this.#newRequest = given.newRequest;
    if (options === undefined || options === null) throw native.coerced();
    this.#options = options;
    if (!options.host) throw native.error("host required");
    this.#host = options.host as string;
    this.#response = this.#newResponse();
  }

  /** Finds the address; the resolver may answer at once. */
  resolve(): void {
    const dns = this.#options.dns as Dictionary | undefined;
    if (dns === undefined || dns === null) throw this.#native.coerced();
    const Resolver = dns.io as new (options: unknown) => { resolve(request: object): void };
    const question = this.#native.object({
      host: this.#host,
      onResolved: (host: unknown, address: unknown) => this.#connect(host, address),
      onError: (error: unknown) => this.#fail(error),
    });
    new Resolver(dns).resolve(question);
  }

  request(given: Dictionary): object {
    const options = { ...given };
    const request = this.#newRequest();
    const pending = { options, request };
    this.#queue.push(pending);
    if (this.#state === "connected" && this.#queue.length === 1) {
      this.#next();
      this.#timer = this.#machine.after(0, () => {
        this.#timer = undefined;
        this.#onWritable(this.#writable);
      });
    }
    return request;
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#current = undefined;
    this.#queue.length = 0;
    this.#state = "closed";
  }

  /** `read` of a request object. */
  read(request: object, parameters: readonly unknown[]): unknown {
    if (this.#current?.request !== request) throw this.#native.error("bad state");
    if (this.#state !== "receiveBody") return undefined;
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
    const result = this.#needSocket().read(buffer ?? count);
    this.#afterRead(response);
    return result;
  }

  /** `write` of a request object. */
  write(request: object, data: { readonly byteLength: number } | undefined): number {
    if (this.#current?.request !== request || this.#state !== "sendBody")
      throw this.#native.error("bad state");
    if (!data) {
      if (this.#body !== true) throw this.#native.error("bad data");
      this.#outgoing = new TextEncoder().encode(LAST_CHUNK_AS_SENT);
      this.#body = false;
      return 0;
    }
    return this.#body === true ? this.#writeChunk(data) : this.#writePart(data);
  }

  #connect(host: unknown, address: unknown): void {
    const socket = this.#options.socket as Dictionary;
    try {
      const Tcp = socket.io as new (options: unknown) => Socket;
      this.#socket = new Tcp(
        this.#native.object({
          ...socket,
          address,
          host,
          port: this.#options.port ?? 80,
          onReadable: (count: number) => this.#onReadable(count),
          onWritable: (count: number) => this.#onWritable(count),
          onError: () => this.#fail(undefined),
        }),
      );
    } catch (error) {
      if (!isSwallowed(this.#machine, error)) throw error;
      this.#fail(error);
    }
  }

  #byteBuffer(buffer: object): Uint8Array {
    if (((buffer as Uint8Array).BYTES_PER_ELEMENT ?? 1) > 1) throw this.#native.error("invalid buffer");
    return this.#native.bytesOf(buffer);
  }

  #afterRead(response: Response): void {
    if (response.chunk === 0) {
      this.#line = "";
      if (this.#readable === 0) return;
      this.#timer = this.#machine.after(0, () => {
        this.#timer = undefined;
        this.#onReadable(this.#readable);
      });
    } else if (response.remaining === 0) {
      this.#state = "receivedBody";
      this.#timer = this.#machine.after(0, () => this.#complete());
    }
  }

  #writeChunk(data: { readonly byteLength: number }): number {
    if (data.byteLength + CHUNK_OVERHEAD_BYTES > this.#writable) throw this.#native.error("would block");
    this.#send(`${data.byteLength.toString(16)}\r\n`);
    this.#send(data);
    this.#send("\r\n");
    return Math.max(0, this.#writable - CHUNK_OVERHEAD_BYTES);
  }

  #writePart(data: { readonly byteLength: number }): number {
    const { byteLength } = data;
    const left = Number(this.#body);
    if (byteLength > this.#writable || byteLength > left) throw this.#native.error("would block");
    this.#send(data);
    this.#body = left - byteLength;
    if (this.#body !== 0) return Math.min(this.#writable, this.#body);
    this.#awaitResponse();
    return 0;
  }

  /** Everything that arrives, until the bytes at hand are used up or the body is firmware's to read. */
  #onReadable(count: number): void {
    this.#readable = count;
    do {
      if (this.#line !== undefined && !this.#receiveLine()) return;
      if (!this.#step()) return;
    } while (this.#readable > 0);
  }

  /** One step of the response. False if there is nothing more to do now. */
  #step(): boolean {
    switch (this.#state) {
      case "receiveStatus":
        return this.#takeStatus();
      case "receiveHeader":
        return this.#takeHeader();
      case "receiveBody":
        return this.#takeBody();
      case "receiveTrailer":
        if (this.#line !== "\r\n") throw this.#native.error();
        this.#complete();
        return false;
      default:
        throw this.#native.error();
    }
  }

  /** Collects a line, or a header's name up to its colon. False if the end has not arrived yet. */
  #receiveLine(): boolean {
    const socket = this.#needSocket();
    const response = this.#response;
    socket.format = "number";
    while (this.#readable > 0) {
      this.#readable -= 1;
      const byte = socket.read() as number;
      if (this.#state === "receiveHeader" && !response.isInHeaderValue && byte === COLON) {
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
    response.isHeaderSkipped = !isNeeded && !this.#isInMask(name);
    response.headerName = name;
    response.isInHeaderValue = true;
    this.#line = "";
  }

  #isInMask(name: unknown): boolean {
    const mask = this.#current?.options.headersMask as { includes(name: unknown): boolean } | undefined;
    return mask?.includes(name) !== false;
  }

  #takeStatus(): boolean {
    const line = this.#line as string;
    const first = line.indexOf(" ");
    const second = line.indexOf(" ", first + 1);
    if (first < 0 || second < 0) this.#fail(this.#native.error("bad response")); // and goes on, as the SDK does
    this.#response = this.#newResponse();
    this.#response.status = Number.parseInt(line.slice(first + 1, second), 10);
    this.#response.statusText = line.slice(second + 1);
    this.#line = "";
    this.#state = "receiveHeader";
    return true;
  }

  /** A whole header, or the empty line behind the last. A header without a value looks like that line, too. */
  #takeHeader(): boolean {
    const response = this.#response;
    if (this.#line === "\r\n") return this.#endHeaders(response);
    if (!response.isHeaderSkipped) this.#keepHeader(response, (this.#line as string).trim());
    this.#startHeader(response);
    return true;
  }

  #keepHeader(response: Response, value: string): void {
    const name = response.headerName;
    if (this.#isInMask(name)) response.headers.set(name, value);
    if (name === "content-length") response.remaining = Number.parseInt(value, 10);
    if (name === "transfer-encoding" && value.toLowerCase() === "chunked") response.chunk = 0;
  }

  #endHeaders(response: Response): boolean {
    if (response.status === 204 || response.status === 205) response.remaining = 0;
    else if (response.chunk !== undefined) response.remaining = undefined;
    else response.remaining ??= Infinity;
    this.#tell("onHeaders", response.status, response.headers, response.statusText);
    if (this.#current === undefined) return false;
    response.isInHeaderValue = false;
    this.#state = "receiveBody";
    this.#line = response.chunk === undefined ? undefined : "";
    if (response.remaining !== 0) return true;
    this.#complete();
    return false;
  }

  #takeBody(): boolean {
    const response = this.#response;
    if (response.chunk === undefined) {
      this.#tell("onReadable", Math.min(this.#readable, response.remaining as number));
      return false;
    }
    if (response.chunk === 0) {
      if (this.#line === "\r\n") return true;
      response.chunk = Number.parseInt((this.#line as string).trim(), 16);
      this.#line = undefined;
      if (response.chunk === 0) {
        this.#state = "receiveTrailer";
        this.#line = "";
        return true;
      }
    }
    const count = Math.min(this.#readable, response.chunk);
    if (count) this.#tell("onReadable", count);
    return false;
  }

  #onWritable(count: number): void {
    this.#writable = count;
    do {
      if (!this.#flush()) return;
      if (this.#state === "disconnected") {
        this.#state = "connected";
        this.#next();
      }
      if (this.#state === "sendRequest") this.#queueHeadPiece();
      else if (this.#state === "sendBody" && !this.#offerBody()) return;
    } while (this.#outgoing !== undefined && this.#writable > 0);
  }

  /** Sends what waits. False if some of it is left. */
  #flush(): boolean {
    if (this.#outgoing === undefined) return true;
    const use = Math.min(this.#outgoing.length, this.#writable);
    this.#sendBytes(this.#outgoing.subarray(0, use));
    this.#outgoing = use < this.#outgoing.length ? this.#outgoing.subarray(use) : undefined;
    return this.#outgoing === undefined;
  }

  #queueHeadPiece(): void {
    const line = this.#headerLines.shift() as string;
    this.#outgoing = new TextEncoder().encode(line);
    if (this.#headerLines.length === 0) this.#state = "sendBody";
  }

  /** Lets firmware write its body. False if there is no room for a chunk. */
  #offerBody(): boolean {
    if (!this.#body) {
      this.#awaitResponse();
      return true;
    }
    const isChunked = this.#body === true;
    const room = isChunked
      ? this.#writable - CHUNK_OVERHEAD_BYTES
      : Math.min(this.#writable, Number(this.#body));
    if (isChunked && room <= 0) return false;
    this.#tell("onWritable", room);
    return true;
  }

  #awaitResponse(): void {
    this.#state = "receiveStatus";
    this.#line = "";
    this.#body = false;
  }

  /** The response is complete. */
  #complete(): void {
    this.#timer = undefined;
    this.#state = "completing";
    this.#tell("onDone", null);
    this.#state = "connected";
    this.#next();
    if (this.#current !== undefined) this.#onWritable(this.#writable);
  }

  #next(): void {
    this.#current = this.#queue.shift();
    if (this.#current === undefined) return;
    this.#line = undefined;
    this.#outgoing = undefined;
    this.#body = false;
    this.#response = this.#newResponse();
    this.#headerLines = this.#headOf(this.#current.options);
    this.#state = "sendRequest";
  }

  #headOf(options: Dictionary): string[] {
    const lines = [`${options.method ?? "GET"} ${options.path || "/"} HTTP/1.1\r\nhost: ${this.#host}\r\n`];
    for (const [name, value] of (options.headers ?? []) as Iterable<[string, unknown]>) {
      lines.push(`${name}: ${value}\r\n`);
      const lower = name.toLowerCase();
      if (lower === "content-length") this.#body = this.#native.integer(value);
      else if (lower === "transfer-encoding" && String(value).toLowerCase() === "chunked") this.#body = true;
    }
    lines.push("\r\n");
    return lines;
  }

  /** The connection is of no more use. What callbacks throw here is swallowed, as in the SDK. */
  #fail(error: unknown): void {
    if (this.#state === "receivedBody" && this.#timer !== undefined) {
      this.#timer.cancel();
      this.#complete();
    }
    this.#state = "error";
    try {
      let failed = this.#current ?? this.#queue.shift();
      this.#current = undefined;
      while (failed !== undefined) {
        (failed.options.onDone as Callback | undefined)?.call(failed.request, this.#native.error());
        failed = this.#queue.shift(); // a request made just now fails, too
      }
      (this.#options.onError as Callback | undefined)?.call(this.#client, error);
    } catch (thrown) {
      if (!isSwallowed(this.#machine, thrown)) throw thrown;
    }
    this.close();
  }

  #tell(name: string, ...parameters: unknown[]): void {
    const current = this.#current;
    if (current === undefined) throw this.#native.coerced();
    (current.options[name] as Callback | undefined)?.apply(current.request, parameters);
  }

  #send(data: unknown): void {
    if (typeof data === "string") this.#sendBytes(new TextEncoder().encode(data));
    else this.#writable = this.#needSocket().write(data);
  }

  #sendBytes(bytes: Uint8Array): void {
    this.#writable = this.#needSocket().write(this.#native.arrayBuffer(bytes));
  }

  #needSocket(): Socket {
    if (this.#socket === undefined) throw this.#native.coerced();
    return this.#socket;
  }

  #newResponse(): Response {
    return {
      status: 0,
      statusText: "",
      headers: new this.#machine.realm.Map(),
      remaining: undefined,
      chunk: undefined,
      headerName: undefined,
      isHeaderSkipped: false,
      isInHeaderValue: false,
    };
  }
}
