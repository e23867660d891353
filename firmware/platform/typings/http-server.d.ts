// examples/io/listener/httpserver of the SDK. HTTP/1.1 only, closes after each response; no limits, no timeouts.

declare module "embedded:network/http/server" {
  import type Listener from "embedded:io/socket/listener";
  import type TCP from "embedded:io/socket/tcp";

  class HTTPServer {
    constructor(options: {
      readonly io: typeof Listener;
      readonly port?: number;
      readonly onConnect: (this: HTTPServer, connection: HTTPServer.Connection) => void;
    });
    close(): void;
    readonly port: number;
  }

  // the type names belong to the class
  namespace HTTPServer {
    interface Request {
      readonly method: string;
      readonly path: string;
      /** Names in lower case. */
      readonly headers: Map<string, string>;
    }

    interface Response {
      status: number;
      readonly headers: Map<string, string | number>;
    }

    interface Route {
      readonly onRequest?: (this: Connection, request: Request) => void;
      readonly onReadable?: (this: Connection, byteCount: number) => void;
      /** Fill the response and hand it to `respond`, now or later. */
      readonly onResponse?: (this: Connection, response: Response) => void;
      readonly onWritable?: (this: Connection, byteCount: number) => void;
      readonly onDone?: (this: Connection) => void;
      readonly onError?: (this: Connection, message?: string) => void;
    }

    interface Connection {
      close(): void;
      /** Takes the socket out of the server's hands. */
      detach(): TCP;
      accept(route: Route): void;
      respond(response: Response): void;
      read(byteLength?: number): ArrayBuffer | undefined;
      read(buffer: ByteBuffer): number | undefined;
      write(bytes?: ByteBuffer): number;
      route: Route;
    }
  }

  export default HTTPServer;
}
