// examples/io/tcp/httpclient of the SDK. One request after another; after an error a client never answers again.

declare module "embedded:network/http/client" {
  import type TCP from "embedded:io/socket/tcp";
  import type UDP from "embedded:io/socket/udp";
  import type Resolver from "embedded:network/dns/resolver/udp";

  class HTTPClient {
    constructor(options: HTTPClient.Options);
    request(options: HTTPClient.RequestOptions): HTTPClient.Request;
    /** Never calls onDone. */
    close(): void;
  }

  // the type names belong to the class
  namespace HTTPClient {
    interface Options {
      readonly host: string;
      /** 80 if absent. */
      readonly port?: number;
      readonly dns: {
        readonly io: typeof Resolver;
        readonly servers: string[];
        readonly socket: { readonly io: typeof UDP };
      };
      readonly socket: { readonly io: typeof TCP };
      readonly onError?: (error?: unknown) => void;
    }

    interface RequestOptions {
      /** GET if absent. */
      readonly method?: string;
      readonly path?: string;
      /** An empty value breaks the parser of the SDK's own server. */
      readonly headers?: Map<string, string | string[]>;
      /** Names of the response headers wanted, lower case; all if absent. */
      readonly headersMask?: readonly string[];
      /** `statusText` ends in a line feed. */
      readonly onHeaders?: (
        this: Request,
        status: number,
        headers: Map<string, string>,
        statusText: string,
      ) => void;
      readonly onReadable?: (this: Request, byteCount: number) => void;
      readonly onWritable?: (this: Request, byteCount: number) => void;
      /** null: complete. */
      readonly onDone?: (this: Request, error: Error | null) => void;
    }

    interface Request {
      read(byteLength?: number): ArrayBuffer | undefined;
      read(buffer: ByteBuffer): number | undefined;
      /** undefined ends a chunked body. */
      write(bytes: ByteBuffer | undefined): number;
    }
  }

  export default HTTPClient;
}
