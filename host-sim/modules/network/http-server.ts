/**
 * `embedded:network/http/server`: the SDK's HTTP/1.1 server rebuilt with its faults: one request a connection, no limits,
 * no timeout, a response without a length hangs, a chunked one is ended wrongly, `respond` after the connection has gone
 * throws. Here is the class that firmware constructs.
 */

import type { Machine } from "../../machine/machine.js";
import { type Callback, type Dictionary, isSwallowed, type Native } from "../native.js";
import { createConnection } from "./http-server-connection.js";

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
