// modules/io/socket/lwip/listener.

declare module "embedded:io/socket/listener" {
  import type TCP from "embedded:io/socket/tcp";

  export default class Listener {
    /** Without a port: any free one. A busy one throws `RangeError: no memory`. */
    constructor(options: {
      readonly port?: number;
      readonly address?: string;
      readonly format?: "socket/tcp";
      readonly target?: unknown;
      readonly onReadable?: (this: Listener, connectionCount: number) => void;
      readonly onError?: (this: Listener) => void;
    });
    close(): void;
    read(): TCP | undefined;
    readonly port: number;
    target: unknown;
    format: "socket/tcp";
  }
}
