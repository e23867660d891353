/**
 * The server's side of TLS on a virtual connection, used like the TcpSocket beneath it. Knows nothing of HTTP; certificates come from outside.
 */

import { ByteQueue } from "./byte-queue.js";
import type { TcpEvents, TcpSocket } from "./tcp-socket.js";
import { TlsEngine, type TlsProgress, type TlsRole } from "./tls-engine.js";

/** Certificate and key, PEM. */
export type TlsIdentity = Omit<Extract<TlsRole, { readonly isServer: true }>, "isServer">;

/** What servers of virtual hosts use of a connection. */
export type ServedSocket = Pick<
  TcpSocket,
  "abort" | "close" | "events" | "hasEnded" | "read" | "remoteAddress" | "roomBytes" | "state" | "write"
>;

export class TlsStream implements ServedSocket {
  events: TcpEvents = {};
  hasEnded = false;
  readonly #socket: TcpSocket;
  readonly #engine: TlsEngine;
  readonly #plain = new ByteQueue();
  #isClosed = false;

  constructor(socket: TcpSocket, identity: TlsIdentity) {
    this.#socket = socket;
    this.#engine = new TlsEngine({ isServer: true, ...identity });
    socket.events = {
      received: () => this.#receive(),
      sent: () => this.events.sent?.(),
      ended: () => this.#ended(),
      failed: (reason) => {
        this.#forget();
        this.events.failed?.(reason);
      },
    };
    this.#take(this.#engine.greeting);
    this.#receive();
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress;
  }

  get state(): TcpSocket["state"] {
    return this.#socket.state;
  }

  get roomBytes(): number {
    return this.#socket.roomBytes;
  }

  read(): Uint8Array {
    return this.#plain.take(this.#plain.byteCount);
  }

  write(bytes: Uint8Array): void {
    if (!this.#isClosed) this.#take(this.#engine.write(bytes));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#take(this.#engine.end());
    this.#forget();
    this.#socket.read();
    this.#socket.close();
  }

  abort(): void {
    this.#forget();
    this.#socket.abort();
  }

  #receive(): void {
    const bytes = this.#socket.read();
    if (bytes.length > 0 && !this.#isClosed) this.#take(this.#engine.receive(bytes));
  }

  #ended(): void {
    this.#receive();
    this.#end();
  }

  #end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.events.ended?.();
  }

  #take({ out, plain, hasEnded, failure }: TlsProgress): void {
    if (out?.length > 0) this.#socket.write(out);
    if (plain?.length > 0) {
      this.#plain.push(plain);
      this.events.received?.();
    }
    if (failure) {
      this.#forget();
      this.#socket.close();
      this.events.failed?.("reset");
    } else if (hasEnded) this.#end();
  }

  #forget(): void {
    if (!this.#isClosed) this.#engine.close();
    this.#isClosed = true;
  }
}
