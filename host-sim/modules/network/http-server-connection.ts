// One connection of the SDK's HTTP server, as firmware sees it: it hands the request over, takes the response, and is over. How the
// request is read is in http-server-request.ts.
//
//   waitResponse → sendResponse → sendBody → done          any: error          not before the reader is over

import type { Machine } from "../../machine/machine.js";
import type { Scheduled } from "../../world/world.js";
import { type Callback, type Dictionary, isSwallowed, type Native } from "../native.js";
import { CHUNK_OVERHEAD_BYTES, HttpSender, type HttpSocket } from "./http-sender.js";
import { type BodyLength, RequestReader } from "./http-server-request.js";
import { reasonOf } from "./http-status.js";

type State = "waitResponse" | "sendResponse" | "sendBody" | "done" | "error";

const HANDLER_NAMES = ["onRequest", "onReadable", "onResponse", "onWritable", "onDone", "onError"] as const;
type HandlerName = (typeof HANDLER_NAMES)[number];

type SocketClass = new (options: Dictionary) => HttpSocket;

/** The class of connections for one boot. */
export function createConnection(machine: Machine, native: Native) {
  return class Connection {
    #from: HttpSocket | undefined;
    #socket: HttpSocket | undefined;
    #sender = new HttpSender(native, () => this.#needSocket());
    #body: BodyLength = { remaining: undefined };
    #reader = this.#newReader();
    /** Gone when the connection is closed. */
    #handlers: Dictionary | undefined = {};
    /** Of the response. It counts when the reader is over: what firmware does earlier is lost if a body follows. */
    #state: State = "waitResponse";
    #headLines: string[] = [];
    #timer: Scheduled | undefined;
    #route: unknown;

    constructor(from: unknown) {
      this.#from = from as HttpSocket;
    }

    close(): void {
      this.#handlers = undefined;
      this.#socket?.close();
      this.#socket = undefined;
      this.#from?.close();
      this.#from = undefined;
      this.#timer?.cancel();
      this.#timer = undefined;
    }

    accept(options: Dictionary): void {
      const from = this.#from as HttpSocket;
      this.#setHandlers(options);
      this.#socket = new (from.constructor as SocketClass)({
        from,
        onReadable: (count: number) => this.#reader.onReadable(count),
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
      return this.#reader.read(wanted);
    }

    write(data?: { readonly byteLength: number }): number {
      if (this.#state !== "sendBody" || !this.#reader.isOver) throw native.error("bad state");
      if (!data) return this.#endChunks();
      if (this.#body.remaining === true) return this.#sender.sendChunk(data);
      const { byteLength } = data;
      if (byteLength > this.#sender.writable || byteLength > (this.#body.remaining ?? Infinity)) {
        throw native.error("would block");
      }
      this.#sender.send(data);
      if (this.#body.remaining !== undefined) this.#body.remaining -= byteLength;
      if (this.#body.remaining === 0) {
        this.#finish();
        this.#sender.writable = 0;
      }
      return this.#sender.writable;
    }

    respond(response: { status: number; headers: Map<string, unknown> }): void {
      this.#state = "sendResponse";
      this.#reader.end();
      this.#needHandlers();
      this.#body.remaining = undefined;
      this.#headLines = this.#headOf(response);
      this.#onWritable(this.#sender.writable);
    }

    get route(): unknown {
      return this.#route;
    }

    set route(route: unknown) {
      this.#route = route;
      this.#setHandlers(route as Dictionary);
      if (this.#reader.isInHeaders) this.#notify("onRequest", this.#request());
    }

    #newReader(): RequestReader {
      return new RequestReader(
        {
          socket: () => this.#needSocket(),
          headersReceived: () => {
            this.#notify("onRequest", this.#request());
            return this.#socket !== undefined;
          },
          bodyReadable: (count) => this.#notify("onReadable", count),
          received: () => this.#reply(),
          fail: (message) => this.#fail(message),
          later: (turn) => this.#later(turn),
        },
        new machine.realm.Map(),
        this.#body,
      );
    }

    #setHandlers(options: Dictionary): void {
      const handlers = this.#needHandlers();
      for (const name of HANDLER_NAMES) handlers[name] = options[name];
    }

    #request(): object {
      const { method, path, headers } = this.#reader;
      return native.object({ method, path, headers });
    }

    #endChunks(): number {
      if (typeof this.#body.remaining === "number") throw native.error("bad data");
      this.#sender.queueLastChunk();
      this.#body.remaining = 0;
      this.#later(() => {
        if (this.#sender.writable > 0) this.#onWritable(this.#sender.writable);
      });
      return 0;
    }

    /** The request is complete: firmware is asked for a response. */
    #reply(): void {
      this.#timer = undefined;
      this.#state = "waitResponse";
      this.#reader.end();
      const response = native.object({ headers: new machine.realm.Map<string, unknown>(), status: 200 });
      if (this.#needHandlers().onResponse) this.#notify("onResponse", response);
      else this.respond(response);
    }

    #headOf(response: { status: number; headers: Map<string, unknown> }): string[] {
      const lines = [`HTTP/1.1 ${response.status} ${reasonOf(response.status)}\r\n`];
      for (const [name, value] of response.headers) {
        lines.push(`${name}: ${value}\r\n`);
        if (name === "content-length") this.#body.remaining = Number.parseInt(String(value), 10);
        else if (name === "transfer-encoding" && value === "chunked") this.#body.remaining = true;
      }
      if (response.status === 101) this.#body.remaining = 0;
      lines.push("\r\n");
      return lines;
    }

    #onWritable(count: number): void {
      this.#sender.writable = count;
      if (!this.#reader.isOver) return;
      while (this.#sender.writable > 0) {
        if (!this.#sender.flush()) return;
        if (this.#state !== "sendResponse") {
          if (this.#state === "sendBody") this.#offerBody();
          else if (this.#state !== "waitResponse" && this.#state !== "done") this.#fail("bad state");
          return;
        }
        this.#sender.queue(this.#headLines.shift() as string);
        if (this.#headLines.length === 0) this.#state = "sendBody";
      }
    }

    /** Asks firmware for more of the body, or ends if there is no more. */
    #offerBody(): void {
      if (this.#body.remaining === 0) {
        this.#finish();
        return;
      }
      const { writable } = this.#sender;
      if (this.#body.remaining === true) {
        const room = writable - CHUNK_OVERHEAD_BYTES;
        if (room > 0) this.#notify("onWritable", room);
      } else this.#notify("onWritable", Math.min(writable, this.#body.remaining ?? Infinity));
    }

    #fail(message: unknown): void {
      const { onError } = this.#needHandlers();
      this.#state = "error";
      this.#reader.end();
      this.close();
      (onError as Callback | undefined)?.call(this, message);
    }

    /** The response has been written. What `onDone` throws is swallowed, as in the SDK. */
    #finish(): void {
      this.#state = "done";
      try {
        this.#notify("onDone");
      } catch (error) {
        if (!isSwallowed(machine, error)) throw error;
      }
      this.close();
    }

    #notify(name: HandlerName, ...parameters: unknown[]): void {
      (this.#needHandlers()[name] as Callback | undefined)?.apply(this, parameters);
    }

    #later(turn: () => void): void {
      this.#timer = machine.after(0, () => {
        this.#timer = undefined;
        turn();
      });
    }

    #needHandlers(): Dictionary {
      if (this.#handlers === undefined) throw native.coerced();
      return this.#handlers;
    }

    #needSocket(): HttpSocket {
      if (this.#socket === undefined) throw native.coerced();
      return this.#socket;
    }
  };
}
