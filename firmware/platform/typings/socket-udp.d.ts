// modules/io/socket/lwip/udp.

declare module "embedded:io/socket/udp" {
  /** A datagram and where it came from. */
  export type Packet = ArrayBuffer & { readonly address: string; readonly port: number };

  interface Options {
    readonly port?: number;
    readonly address?: string;
    readonly multicast?: string;
    readonly timeToLive?: number;
    readonly format?: "buffer";
    readonly target?: unknown;
    readonly onReadable?: (this: UDP, packetCount: number) => void;
    readonly onError?: (this: UDP) => void;
  }

  export default class UDP {
    constructor(options: Options);
    close(): void;
    read(): Packet | undefined;
    write(buffer: ByteBuffer, address: string, port: number): void;
    target: unknown;
    format: "buffer";
  }
}
