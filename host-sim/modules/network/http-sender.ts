// What the SDK's HTTP client and server have in common: the socket that they are given, and how they write to it, with the fault that
// both have in chunked bodies. It is independent of the message.

import type { Native } from "../native.js";

/** A TCP object, as far as HTTP needs it. */
export interface HttpSocket {
  format: string;
  read(count?: unknown): unknown;
  write(data: unknown): number;
  close(): void;
}

/** A chunk's length and line ends must fit too. */
export const CHUNK_OVERHEAD_BYTES = 8;
/** The SDK does not rewind before it sends the last chunk: its first bytes get lost. */
const LAST_CHUNK_AS_SENT = "0\r\n\r\n".slice(2);

export class HttpSender {
  /** Room in the socket. */
  writable = 0;
  readonly #native: Native;
  readonly #socket: () => HttpSocket;
  #waiting: Uint8Array | undefined;

  /** @param socket throws when there is none any more */
  constructor(native: Native, socket: () => HttpSocket) {
    this.#native = native;
    this.#socket = socket;
  }

  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** Sends this as soon as there is room, and nothing else before it. */
  queue(text: string): void {
    this.#waiting = new TextEncoder().encode(text);
  }

  queueLastChunk(): void {
    this.queue(LAST_CHUNK_AS_SENT);
  }

  forget(): void {
    this.#waiting = undefined;
  }

  /** Sends what waits. False if some of it is left. */
  flush(): boolean {
    if (this.#waiting === undefined) return true;
    const use = Math.min(this.#waiting.length, this.writable);
    this.#sendBytes(this.#waiting.subarray(0, use));
    this.#waiting = use < this.#waiting.length ? this.#waiting.subarray(use) : undefined;
    return this.#waiting === undefined;
  }

  /** A buffer of firmware's. */
  send(data: unknown): void {
    this.writable = this.#socket().write(data);
  }

  /** Gives the room that is left for another chunk. */
  sendChunk(data: { readonly byteLength: number }): number {
    if (data.byteLength + CHUNK_OVERHEAD_BYTES > this.writable) throw this.#native.error("would block");
    this.#sendText(`${data.byteLength.toString(16)}\r\n`);
    this.send(data);
    this.#sendText("\r\n");
    return Math.max(0, this.writable - CHUNK_OVERHEAD_BYTES);
  }

  #sendText(text: string): void {
    this.#sendBytes(new TextEncoder().encode(text));
  }

  #sendBytes(bytes: Uint8Array): void {
    this.writable = this.#socket().write(this.#native.arrayBuffer(bytes));
  }
}
