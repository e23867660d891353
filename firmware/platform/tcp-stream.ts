// One TCP connection, of the device's servers or its client: bytes are read on demand, until then they stay in the TCP window; texts are sent in small
// pieces as the socket accepts them. Never throws, and never calls back once it is closed.
//
// A connection that is closed with unread bytes is reset, and its client may lose the response. So `finish` discards what still arrives,
// within a budget of bytes and of time, until the other side has closed as well.

import TCP from "embedded:io/socket/tcp";
import Timer from "timer";
import type { Failure, TlsErrorCode } from "../core/errors.js";
import { TextPieces } from "./text-pieces.js";
import type { Tls } from "./tls.js";

/** Bytes discarded at once. */
const DISCARDED_BYTES = 512;
/** For the response to be sent; the largest is a page of 25 KB. */
const ANSWER_MS = 30_000;
/** How long the other side may take to close its end. */
const LINGER_MS = 5_000;
/** Discarded in any case, whatever a client had announced: more requests than one, bytes behind a body. */
export const LEAST_DISCARDED_BYTES = 65_536;

const NO_BYTES: Uint8Array = new Uint8Array(0);

export interface StreamEvents {
  /** The other side has taken the connection, if this side has opened it. */
  connected?(): void;
  /** Bytes have arrived: `availableBytes` can be read. */
  readable(): void;
  /** All that was written has gone out; also where nothing was. */
  drained?(): void;
  /** The other side has closed, and all that it sent was read. */
  ended(): void;
  /** This side is closed too: the last callback. */
  closed(): void;
}

/** TCP, or what is used like it on top of it. */
export interface Socket extends Pick<TCP, "close" | "remoteAddress"> {
  read(byteLength: number): ArrayBuffer | number | undefined;
  write(bytes: ArrayBuffer): number | undefined;
  /** Why it has failed, if it knows. */
  readonly failure?: Failure<TlsErrorCode> | undefined;
  /** It has ended, and the other side has not said so: bytes may be missing. */
  readonly isCut?: boolean;
}

type SocketOptions = ConstructorParameters<typeof TCP>[0];
export type SocketClass = new (options: SocketOptions & SecureOptions) => Socket;

/** What only tls-socket.ts uses. */
export interface SecureOptions {
  /** Name of the server, which its certificate has to have. */
  readonly host?: string;
  readonly tls?: Tls;
}

/** A connection that a listener accepted, or one to an address. */
export type StreamOptions = (
  | { readonly from: TCP }
  | ({ readonly io: SocketClass; readonly address: string; readonly port: number } & SecureOptions)
) & {
  /** Small pieces go out at once, not with those that follow. */
  readonly nodelay?: boolean;
};

export class TcpStream {
  #events: StreamEvents;
  #socket: Socket | undefined;
  /** Bytes that were read already and given back. */
  #rest: Uint8Array = NO_BYTES;
  /** Bytes that wait in the socket. */
  #waiting = 0;
  /** Bytes that the socket takes now. */
  #room = 0;
  #out: TextPieces[] = [];
  #hasEnded = false;
  /** The other side has taken the connection. */
  wasConnected = false;
  /** Why the connection has failed, if that is known. */
  failure: Failure<TlsErrorCode> | undefined;
  /** It has ended, and the other side has not said so. */
  isCut = false;
  /** What follows when everything has gone out. */
  #end: "stay" | "close" | "linger" | "lingering" = "stay";
  /** Bytes that may still be discarded. */
  #discardsLeft = 0;
  /** When the other side last took something. */
  #movedAt = 0;
  #timer: ReturnType<typeof Timer.set> | undefined;

  /** If it cannot be opened, the stream is closed from the beginning. */
  constructor(options: StreamOptions, events: StreamEvents) {
    this.#events = events;
    try {
      const io = "io" in options ? options.io : TCP;
      this.#socket = new io({
        ...options,
        onReadable: (count) => {
          if (!this.#socket) return;
          this.#waiting = count;
          if (this.#end === "stay") this.#events.readable();
          else this.#discard();
        },
        onWritable: (count) => this.#writable(count),
        onError: () => this.#failed(),
      });
    } catch {
      // no socket is left, or the other side has closed already
    }
  }

  get isOpen(): boolean {
    return this.#socket !== undefined;
  }

  /** Of the other side; undefined: the connection has gone, or there was no memory to ask for it. */
  get remoteAddress(): string | undefined {
    try {
      return this.#socket?.remoteAddress;
    } catch {
      return undefined;
    }
  }

  get availableBytes(): number {
    return this.#rest.length + this.#waiting;
  }

  /** The other side has closed, and everything was read. */
  get isOver(): boolean {
    return this.#hasEnded && this.availableBytes === 0;
  }

  /** Everything has gone out, and it only waits for the other side to close. */
  get isLingering(): boolean {
    return this.#end === "lingering";
  }

  /** How long the other side has taken nothing of what was to go out before the end, ms. */
  get stalledMs(): number {
    return this.#end === "stay" ? 0 : Date.now() - this.#movedAt;
  }

  /** At most `maxBytes` of what waits; they belong to the caller. */
  read(maxBytes: number): Uint8Array {
    if (this.#rest.length > 0) {
      const bytes = this.#rest.slice(0, maxBytes);
      this.#rest = this.#rest.slice(bytes.length);
      return bytes;
    }
    const count = Math.min(maxBytes, this.#waiting);
    if (!this.#socket || count <= 0) return NO_BYTES;
    try {
      const bytes = this.#socket.read(count) as ArrayBuffer;
      this.#waiting -= count;
      return new Uint8Array(bytes);
    } catch {
      this.#waiting = 0;
      return NO_BYTES;
    }
  }

  /** Puts surplus bytes back: the next read returns them first. */
  unread(bytes: Uint8Array): void {
    this.#rest = bytes;
  }

  write(text: string): void {
    if (!this.#socket || this.#hasEnded) return;
    this.#out.push(new TextPieces(text));
    this.#pump();
  }

  /** Closes it after this time, unless another one is set before. */
  closeAfter(delayMs: number): void {
    if (!this.#socket) return;
    this.stay();
    this.#timer = Timer.set(() => {
      this.#timer = undefined;
      this.close();
    }, delayMs);
  }

  /** Cancels the timeout. */
  stay(): void {
    if (this.#timer !== undefined) Timer.clear(this.#timer);
    this.#timer = undefined;
  }

  /**
   * Closes when everything written was sent. `expectedBytes`: how much may still come; it is discarded until the other side closes, for at
   * most LINGER_MS after the answer. More than that, and than LEAST_DISCARDED_BYTES, resets the connection.
   */
  finish(expectedBytes: number): void {
    if (!this.#socket) return;
    this.#end = expectedBytes > 0 ? "linger" : "close";
    this.#movedAt = Date.now();
    this.#discardsLeft = Math.max(expectedBytes, LEAST_DISCARDED_BYTES);
    this.#rest = NO_BYTES;
    this.#discard();
    if (!this.#socket) return;
    if (this.#hasEnded) return this.close();
    this.closeAfter(ANSWER_MS);
    this.#pump();
  }

  close(): void {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = undefined;
    this.#rest = NO_BYTES;
    this.#waiting = 0;
    this.#out.length = 0;
    this.stay();
    try {
      socket.close();
    } catch {
      // it was closed already
    }
    this.#events.closed();
  }

  #discard(): void {
    while (this.#waiting > 0) this.#discardsLeft -= this.read(DISCARDED_BYTES).length;
    if (this.#discardsLeft < 0) this.close();
  }

  #writable(count: number): void {
    if (!this.wasConnected) this.#events.connected?.();
    this.wasConnected = true;
    this.#room = count;
    this.#movedAt = Date.now();
    this.#pump();
  }

  #pump(): void {
    while (this.#socket && this.#room > 0) {
      const piece = this.#out[0]?.take(this.#room);
      if (piece) this.#send(this.#socket, piece);
      else if (!this.#out.shift()) break;
    }
    if (this.#out.length > 0 || !this.#socket) return;
    if (this.#end === "stay") this.#events.drained?.();
    if (this.#end === "close") this.close();
    if (this.#end !== "linger") return;
    this.#end = "lingering";
    this.closeAfter(LINGER_MS);
  }

  #send(socket: Socket, piece: ArrayBuffer): void {
    try {
      this.#room = socket.write(piece) ?? 0;
    } catch {
      this.#room = 0; // the connection has broken off: onError is under way
    }
  }

  #failed(): void {
    if (!this.#socket) return;
    this.#hasEnded = true;
    this.#room = 0;
    this.failure = this.#socket.failure;
    this.isCut = this.#socket.isCut ?? false;
    if (this.#end !== "stay") this.close();
    else if (this.#rest.length === 0) this.#events.ended();
  }
}
