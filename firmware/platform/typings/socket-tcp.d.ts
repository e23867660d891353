// modules/io/socket/lwip/tcp.

declare module "embedded:io/socket/tcp" {
  interface Options {
    readonly address?: string;
    readonly port?: number;
    /** A socket to take over, in place of an address. */
    readonly from?: TCP;
    readonly nodelay?: boolean;
    readonly format?: "number" | "buffer";
    readonly target?: unknown;
    readonly onReadable?: (this: TCP, byteCount: number) => void;
    readonly onWritable?: (this: TCP, byteCount: number) => void;
    /** Also the end of the connection by the other side, after everything received was read. No argument. */
    readonly onError?: (this: TCP) => void;
  }

  export default class TCP {
    constructor(options: Options);
    close(): void;
    read(byteLength?: number): ArrayBuffer | number | undefined;
    read(buffer: ByteBuffer): number | undefined;
    /** How many bytes could be written behind these; nothing if the connection has broken off. */
    write(value: number | ByteBuffer): number | undefined;
    readonly remoteAddress: string | undefined;
    readonly remotePort: number | undefined;
    target: unknown;
    format: "number" | "buffer";
  }
}
