// One connection of the SDK's HTTP client: finds the address, sends the queued requests in order, and reports to firmware how each
// ended. What the response says is read in http-client-response.ts.
//
//   disconnected → connected ⇄ sendRequest → sendBody → receiving → completing          any: error → closed

import type { Machine } from "../../machine/machine.js";
import type { Scheduled } from "../../world/world.js";
import { type Callback, type Dictionary, isSwallowed, type Native } from "../native.js";
import { ResponseReader } from "./http-client-response.js";
import { CHUNK_OVERHEAD_BYTES, HttpSender, type HttpSocket } from "./http-sender.js";

type State =
  | "disconnected"
  | "connected"
  | "sendRequest"
  | "sendBody"
  | "receiving"
  | "completing"
  | "error"
  | "closed";

interface Pending {
  readonly options: Dictionary;
  readonly request: object;
}

export interface ConnectionOptions {
  readonly machine: Machine;
  readonly native: Native;
  /** The firmware's client, `this` of its onError. */
  readonly client: object;
  readonly options: Dictionary;
  readonly newRequest: () => object;
}

export class ClientConnection {
  #machine: Machine;
  #native: Native;
  #client: object;
  #newRequest: () => object;
  #options: Dictionary;
  #host: string;
  #socket: HttpSocket | undefined;
  #sender: HttpSender;
  #reader: ResponseReader;
  #state: State = "disconnected";
  #queue: Pending[] = [];
  #current: Pending | undefined;
  #timer: Scheduled | undefined;
  #headerLines: string[] = [];
  /** Bytes of the request's body still to send; true if it is chunked. */
  #body: number | boolean = false;

  constructor({ machine, native, client, options, newRequest }: ConnectionOptions) {
    this.#machine = machine;
    this.#native = native;
    this.#client = client;
    this.#newRequest = newRequest;
    if (options === undefined || options === null) throw native.coerced();
    this.#options = options;
    if (!options.host) throw native.error("host required");
    this.#host = options.host as string;
    const socket = (): HttpSocket => this.#needSocket();
    this.#sender = new HttpSender(native, socket);
    this.#reader = new ResponseReader({
      machine,
      native,
      socket,
      isInMask: (name) => this.#isInMask(name),
      notify: (name, ...parameters) => this.#notify(name, ...parameters),
      isUnderWay: () => this.#current !== undefined,
      complete: () => this.#complete(),
      fail: (error) => this.#fail(error),
      later: (turn) => this.#later(turn),
    });
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
    this.#queue.push({ options, request });
    if (this.#state === "connected" && this.#queue.length === 1) {
      this.#next();
      this.#later(() => this.#onWritable(this.#sender.writable));
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
    return this.#reader.read(parameters);
  }

  /** `write` of a request object. */
  write(request: object, data: { readonly byteLength: number } | undefined): number {
    if (this.#current?.request !== request || this.#state !== "sendBody")
      throw this.#native.error("bad state");
    if (!data) {
      if (this.#body !== true) throw this.#native.error("bad data");
      this.#sender.queueLastChunk();
      this.#body = false;
      return 0;
    }
    return this.#body === true ? this.#sender.sendChunk(data) : this.#writePart(data);
  }

  #connect(host: unknown, address: unknown): void {
    const socket = this.#options.socket as Dictionary;
    try {
      const Tcp = socket.io as new (options: unknown) => HttpSocket;
      this.#socket = new Tcp(
        this.#native.object({
          ...socket,
          address,
          host,
          port: this.#options.port ?? 80,
          onReadable: (count: number) => this.#reader.onReadable(count),
          onWritable: (count: number) => this.#onWritable(count),
          onError: () => this.#fail(undefined),
        }),
      );
    } catch (error) {
      if (!isSwallowed(this.#machine, error)) throw error;
      this.#fail(error);
    }
  }

  #writePart(data: { readonly byteLength: number }): number {
    const { byteLength } = data;
    const left = Number(this.#body);
    if (byteLength > this.#sender.writable || byteLength > left) throw this.#native.error("would block");
    this.#sender.send(data);
    this.#body = left - byteLength;
    if (this.#body !== 0) return Math.min(this.#sender.writable, this.#body);
    this.#awaitResponse();
    return 0;
  }

  #onWritable(count: number): void {
    this.#sender.writable = count;
    do {
      if (!this.#sender.flush()) return;
      if (this.#state === "disconnected") {
        this.#state = "connected";
        this.#next();
      }
      if (this.#state === "sendRequest") this.#queueHeadPiece();
      else if (this.#state === "sendBody" && !this.#offerBody()) return;
    } while (this.#sender.isWaiting && this.#sender.writable > 0);
  }

  #queueHeadPiece(): void {
    this.#sender.queue(this.#headerLines.shift() as string);
    if (this.#headerLines.length === 0) this.#state = "sendBody";
  }

  /** Lets firmware write its body. False if there is no room for a chunk. */
  #offerBody(): boolean {
    if (!this.#body) {
      this.#awaitResponse();
      return true;
    }
    const isChunked = this.#body === true;
    const { writable } = this.#sender;
    const room = isChunked ? writable - CHUNK_OVERHEAD_BYTES : Math.min(writable, Number(this.#body));
    if (isChunked && room <= 0) return false;
    this.#notify("onWritable", room);
    return true;
  }

  #awaitResponse(): void {
    this.#state = "receiving";
    this.#body = false;
    this.#reader.begin();
  }

  /** The response is complete. */
  #complete(): void {
    this.#timer = undefined;
    this.#state = "completing";
    this.#reader.end();
    this.#notify("onDone", null);
    this.#state = "connected";
    this.#next();
    if (this.#current !== undefined) this.#onWritable(this.#sender.writable);
  }

  #next(): void {
    this.#current = this.#queue.shift();
    if (this.#current === undefined) return;
    this.#sender.forget();
    this.#reader.reset();
    this.#body = false;
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

  /** The connection cannot be used any more. Errors of callbacks are swallowed here, as in the SDK. */
  #fail(error: unknown): void {
    if (this.#reader.hasReceived && this.#timer !== undefined) {
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

  #isInMask(name: unknown): boolean {
    const mask = this.#current?.options.headersMask as { includes(name: unknown): boolean } | undefined;
    return mask?.includes(name) !== false;
  }

  #notify(name: string, ...parameters: unknown[]): void {
    const current = this.#current;
    if (current === undefined) throw this.#native.coerced();
    (current.options[name] as Callback | undefined)?.apply(current.request, parameters);
  }

  #later(turn: () => void): void {
    this.#timer = this.#machine.after(0, () => {
      this.#timer = undefined;
      turn();
    });
  }

  #needSocket(): HttpSocket {
    if (this.#socket === undefined) throw this.#native.coerced();
    return this.#socket;
  }
}
