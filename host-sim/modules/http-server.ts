/**
 * `embedded:network/http/server`: the SDK's HTTP/1.1 server rebuilt with its faults: one request a connection, no limits,
 * no timeout, a response without a length hangs, a chunked one is ended wrongly, `respond` after the connection has gone
 * throws.
 *
 *   receiveRequest → receiveHeader → receiveBody → waitResponse → sendResponse → sendBody → done
 */

import { STATUS_CODES } from "node:http";
import type { Machine } from "../machine.js";
import type { Scheduled } from "../world.js";
import { type Callback, type Dictionary, isSwallowed, type Native } from "./native.js";

const CHUNK_OVERHEAD_BYTES = 8;
const LF = 10;
/** The SDK does not rewind before it sends the last chunk: its first bytes get lost. */
const LAST_CHUNK_AS_SENT = "0\r\n\r\n".slice(2);
/** The reasons that the SDK knows and Node words otherwise; every other unknown status is "OK". */
const REASONS: Readonly<Record<number, string>> = Object.freeze({
  413: "Request Entity Too Large",
  414: "Request-URI Too Long",
  416: "Requested Range Not Satisfiable",
});
const UNKNOWN_REASONS: ReadonlySet<number> = new Set([
  102, 103, 208, 226, 308, 418, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 506, 507, 508, 509, 510,
  511,
]);

type State =
  | "receiveRequest"
  | "receiveHeader"
  | "receiveBody"
  | "receiveTrailer"
  | "waitResponse"
  | "sendResponse"
  | "sendBody"
  | "done"
  | "error";

interface Socket {
  format: string;
  read(count?: unknown): unknown;
  write(data: unknown): number;
  close(): void;
}

/** What firmware's `accept` gives, and what the connection keeps beside it. */
interface Exchange {
  handlers: Dictionary;
  method: string;
  path: string;
  headers: Map<string, string>;
}

const HANDLER_NAMES = ["onRequest", "onReadable", "onResponse", "onWritable", "onDone", "onError"] as const;
type HandlerName = (typeof HANDLER_NAMES)[number];

export function createHttpServer(machine: Machine, native: Native): { HTTPServer: object } {
  const Connection = native.adopt(createConnection(machine, native));

  class HTTPServer {
    #onConnect: Callback;
    #listener: { readonly port: number; close(): void } | undefined;

    constructor(options: Dictionary) {
      if (options === undefined || options === null) throw native.coerced();
      this.#onConnect = options.onConnect as Callback;
      const Listener = options.io as new (options: unknown) => { readonly port: number; close(): void };
      const accept = (from: unknown): void => this.#accept(from);
      this.#listener = new Listener(
        native.object({
          port: options.port ?? 80,
          target: this,
          onReadable(this: { read(): unknown }, count: number) {
            for (let index = 0; index < count; index += 1) accept(this.read());
          },
        }),
      );
    }

    /** An exception of `onConnect` is traced and forgotten. */
    #accept(from: unknown): void {
      try {
        this.#onConnect(new Connection(from));
      } catch (error) {
        if (!isSwallowed(machine, error)) throw error;
        machine.trace("igoring error!");
      }
    }

    /** Connections that are open stay so. */
    close(): void {
      this.#listener?.close();
      this.#listener = undefined;
    }

    get port(): number {
      if (this.#listener === undefined) throw native.coerced();
      return this.#listener.port;
    }
  }

  return { HTTPServer };
}

function reasonOf(status: number): string {
  if (UNKNOWN_REASONS.has(status)) return "OK";
  return REASONS[status] ?? STATUS_CODES[status] ?? "OK";
}

type SocketClass = new (options: Dictionary) => Socket;

/** The class of connections for one boot. */
function createConnection(machine: Machine, native: Native) {
  return class Connection {
    #from: Socket | undefined;
    #socket: Socket | undefined;
    #exchange: Exchange | undefined;
    #state: State = "receiveRequest";
    #line: string | undefined = "";
    #readable = 0;
    #writable = 0;
    /** Bytes of the body still to come or to send; true if a response is chunked. */
    #remaining: number | true | undefined;
    #chunk: number | undefined;
    #outgoing: Uint8Array | undefined;
    #headLines: string[] = [];
    #timer: Scheduled | undefined;
    #route: unknown;

    constructor(from: unknown) {
      this.#from = from as Socket;
      this.#exchange = { handlers: {}, method: "", path: "", headers: new machine.realm.Map() };
    }

    close(): void {
      this.#exchange = undefined;
      this.#socket?.close();
      this.#socket = undefined;
      this.#from?.close();
      this.#from = undefined;
      this.#timer?.cancel();
      this.#timer = undefined;
    }

    accept(options: Dictionary): void {
      const from = this.#from as Socket;
      this.#setHandlers(options);
      this.#socket = new (from.constructor as SocketClass)({
        from,
        onReadable: (count: number) => this.#onReadable(count),
        onWritable: (count: number) => this.#onWritable(count),
        onError: (error: unknown) => this.#fail(error),
      });
      this.#from = undefined;
    }

    detach(): unknown {
      const socket = this.#socket ?? this.#from;
      if (socket === undefined) throw native.error();
      this.#socket = undefined;
      this.#from = undefined;
      return new (socket.constructor as SocketClass)({ from: socket });
    }

    read(wanted?: number): unknown {
      if (this.#state !== "receiveBody") return undefined;
      const available = Math.min(this.#readable, (this.#chunk ?? this.#remaining) as number);
      const count = wanted === undefined || wanted > available ? available : wanted;
      if (!count) return undefined;
      this.#readable -= count;
      if (this.#chunk === undefined) this.#remaining = (this.#remaining as number) - count;
      else this.#chunk -= count;
      const result = this.#needSocket().read(count);
      this.#afterRead();
      return result;
    }

    write(data?: { readonly byteLength: number }): number {
      if (this.#state !== "sendBody") throw native.error("bad state");
      if (!data) return this.#endChunks();
      const { byteLength } = data;
      if (this.#remaining === true) return this.#writeChunk(data, byteLength);
      if (byteLength > this.#writable || byteLength > (this.#remaining ?? Infinity)) {
        throw native.error("would block");
      }
      this.#writable = this.#needSocket().write(data);
      if (this.#remaining !== undefined) this.#remaining -= byteLength;
      if (this.#remaining === 0) {
        this.#finish();
        this.#writable = 0;
      }
      return this.#writable;
    }

    respond(response: { status: number; headers: Map<string, unknown> }): void {
      this.#state = "sendResponse";
      this.#needExchange();
      this.#remaining = undefined;
      this.#headLines = this.#headOf(response);
      this.#onWritable(this.#writable);
    }

    get route(): unknown {
      return this.#route;
    }

    set route(route: unknown) {
      this.#route = route;
      this.#setHandlers(route as Dictionary);
      if (this.#state === "receiveHeader") this.#tell("onRequest", this.#request());
    }

    #setHandlers(options: Dictionary): void {
      const { handlers } = this.#needExchange();
      for (const name of HANDLER_NAMES) handlers[name] = options[name];
    }

    #request(): object {
      const { method, path, headers } = this.#needExchange();
      return native.object({ method, path, headers });
    }

    #afterRead(): void {
      if (this.#chunk === 0) {
        this.#line = "";
        if (this.#readable === 0) return;
        this.#timer = machine.after(0, () => {
          this.#timer = undefined;
          this.#onReadable(this.#readable);
        });
      } else if (this.#remaining === 0) this.#timer = machine.after(0, () => this.#reply());
    }

    #endChunks(): number {
      if (typeof this.#remaining === "number") throw native.error("bad data");
      this.#outgoing = new TextEncoder().encode(LAST_CHUNK_AS_SENT);
      this.#remaining = 0;
      this.#timer = machine.after(0, () => {
        this.#timer = undefined;
        if (this.#writable > 0) this.#onWritable(this.#writable);
      });
      return 0;
    }

    #writeChunk(data: unknown, byteLength: number): number {
      if (byteLength + CHUNK_OVERHEAD_BYTES > this.#writable) throw native.error("would block");
      this.#sendText(`${byteLength.toString(16)}\r\n`);
      this.#needSocket().write(data);
      this.#sendText("\r\n");
      return Math.max(0, this.#writable - CHUNK_OVERHEAD_BYTES);
    }

    #onReadable(count: number): void {
      this.#readable = count;
      while (this.#readable > 0) {
        if (this.#line !== undefined && !this.#receiveLine()) return;
        if (!this.#step()) return;
      }
    }

    /** Collects a line. False if its end has not arrived yet. */
    #receiveLine(): boolean {
      const socket = this.#needSocket();
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
        case "receiveRequest":
          return this.#takeRequest(line.trim().split(" "));
        case "receiveHeader":
          if (line === "\r\n") return this.#endHeaders();
          this.#takeHeader(line);
          return true;
        case "receiveBody":
          return this.#takeBody();
        case "receiveTrailer":
          if (line === "\r\n") this.#reply();
          else this.#fail("badly formed");
          return false;
        default:
          this.#fail("bad state");
          return false;
      }
    }

    #takeRequest([method, path, version]: string[]): boolean {
      if (version !== "HTTP/1.1") {
        this.#fail("badly formed");
        return false;
      }
      Object.assign(this.#needExchange(), { method, path });
      this.#line = "";
      this.#state = "receiveHeader";
      return true;
    }

    /** A line without a colon becomes a header without a name. */
    #takeHeader(line: string): void {
      const colon = line.indexOf(":");
      const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
      const value = line.slice(colon + 1).trim();
      this.#needExchange().headers.set(name, value);
      if (name === "content-length") this.#remaining = Number.parseInt(value, 10);
      else if (name === "transfer-encoding" && value.toLowerCase() === "chunked") this.#chunk = 0;
      this.#line = "";
    }

    #endHeaders(): boolean {
      if (this.#chunk !== undefined) this.#remaining = undefined;
      this.#tell("onRequest", this.#request());
      if (this.#socket === undefined) return false;
      if (!this.#remaining && this.#chunk === undefined) this.#reply();
      else {
        this.#state = "receiveBody";
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
          this.#state = "receiveTrailer";
          this.#line = "";
          return true;
        }
      }
      this.#tell("onReadable", Math.min(this.#readable, (this.#chunk ?? this.#remaining) as number));
      return false;
    }

    /** The request is complete: firmware is asked for a response. */
    #reply(): void {
      this.#timer = undefined;
      this.#state = "waitResponse";
      const response = native.object({ headers: new machine.realm.Map<string, unknown>(), status: 200 });
      if (this.#needExchange().handlers.onResponse) this.#tell("onResponse", response);
      else this.respond(response);
    }

    #headOf(response: { status: number; headers: Map<string, unknown> }): string[] {
      const lines = [`HTTP/1.1 ${response.status} ${reasonOf(response.status)}\r\n`];
      for (const [name, value] of response.headers) {
        lines.push(`${name}: ${value}\r\n`);
        if (name === "content-length") this.#remaining = Number.parseInt(String(value), 10);
        else if (name === "transfer-encoding" && value === "chunked") this.#remaining = true;
      }
      if (response.status === 101) this.#remaining = 0;
      lines.push("\r\n");
      return lines;
    }

    #onWritable(count: number): void {
      this.#writable = count;
      if (this.#state.startsWith("receive")) return;
      while (this.#writable > 0) {
        if (!this.#flush()) return;
        if (this.#state === "sendResponse") {
          this.#outgoing = new TextEncoder().encode(this.#headLines.shift());
          if (this.#headLines.length === 0) this.#state = "sendBody";
        } else {
          if (this.#state === "sendBody") this.#offerBody();
          else if (this.#state !== "waitResponse" && this.#state !== "done") this.#fail("bad state");
          return;
        }
      }
    }

    #flush(): boolean {
      if (this.#outgoing === undefined) return true;
      const use = Math.min(this.#outgoing.length, this.#writable);
      this.#writable = this.#needSocket().write(native.arrayBuffer(this.#outgoing.subarray(0, use)));
      this.#outgoing = use < this.#outgoing.length ? this.#outgoing.subarray(use) : undefined;
      return this.#outgoing === undefined;
    }

    /** Asks firmware for more of the body, or ends if there is no more. */
    #offerBody(): void {
      if (this.#remaining === 0) {
        this.#finish();
        return;
      }
      if (this.#remaining === true) {
        const room = this.#writable - CHUNK_OVERHEAD_BYTES;
        if (room > 0) this.#tell("onWritable", room);
      } else this.#tell("onWritable", Math.min(this.#writable, this.#remaining ?? Infinity));
    }

    #fail(message: unknown): void {
      const { onError } = this.#needExchange().handlers;
      this.#state = "error";
      this.close();
      (onError as Callback | undefined)?.call(this, message);
    }

    /** The response has been written. What `onDone` throws is swallowed, as in the SDK. */
    #finish(): void {
      this.#state = "done";
      try {
        this.#tell("onDone");
      } catch (error) {
        if (!isSwallowed(machine, error)) throw error;
      }
      this.close();
    }

    #tell(name: HandlerName, ...parameters: unknown[]): void {
      (this.#needExchange().handlers[name] as Callback | undefined)?.apply(this, parameters);
    }

    #sendText(text: string): void {
      this.#writable = this.#needSocket().write(native.arrayBuffer(new TextEncoder().encode(text)));
    }

    #needExchange(): Exchange {
      if (this.#exchange === undefined) throw native.coerced();
      return this.#exchange;
    }

    #needSocket(): Socket {
      if (this.#socket === undefined) throw native.coerced();
      return this.#socket;
    }
  };
}
