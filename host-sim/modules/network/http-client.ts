/**
 * `embedded:network/http/client`: the SDK's HTTP/1.1 client rebuilt with its faults, because firmware has to live with
 * them: no timeout, no redirects, chunked bodies ended wrongly, an empty header value ends the headers, a request made
 * after an error is never answered. Here are the classes that firmware sees.
 */

import type { Machine } from "../../machine/machine.js";
import type { Dictionary, Native } from "../native.js";
import { ClientConnection } from "./http-client-connection.js";

export function createHttpClient(machine: Machine, native: Native): { HTTPClient: object } {
  const connections = new WeakMap<object, ClientConnection>();

  /** What `request()` gives, and `this` in its callbacks. */
  class Request {
    #connection: ClientConnection;

    constructor(connection: ClientConnection) {
      this.#connection = connection;
    }

    read(...parameters: unknown[]): unknown {
      return this.#connection.read(this, parameters);
    }

    write(data?: { readonly byteLength: number }): number {
      if (data && typeof data !== "object") throw native.typeError("invalid buffer");
      return this.#connection.write(this, data);
    }
  }
  native.adopt(Request);

  class HTTPClient {
    constructor(options: Dictionary) {
      const connection = new ClientConnection({
        machine,
        native,
        client: this,
        options,
        newRequest: () => new Request(connection),
      });
      connections.set(this, connection);
      connection.resolve();
    }

    close(): void {
      (connections.get(this) as ClientConnection).close();
    }

    request(options: Dictionary): object {
      return (connections.get(this) as ClientConnection).request(options);
    }
  }

  return { HTTPClient };
}
