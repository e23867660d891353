// TLS over a TCP socket of the SDK, used like one: `onWritable` comes when the handshake is done, `onReadable` with the plain text of one record,
// `onError` when the other side has ended it or TLS has failed. It moves bytes between TCP and native/skyslot-tls.c, at most 1 KiB at a
// time, and takes none from TCP before the last record was read, so that a sender is held back as without TLS.

import TCP from "embedded:io/socket/tcp";
import Timer from "timer";
import type { Failure, TlsErrorCode } from "../core/errors.js";
import { tlsFailure } from "../core/http/tls-failure.js";
import type { SecureOptions, Socket } from "./tcp-stream.js";
import { OPERATION, type Tls } from "./tls.js";

/** What skyslot_tls takes or gives at once. */
const PIECE_BYTES = 1_024;
/** Bytes of plain text that are always taken. */
const WRITE_BYTES = 512;

// results of its step; from 0 on: the handshake is done, and so much plain text can be read
const HANDSHAKING = -1;
/** By the other side. What is below is a failure. */
const ENDED = -2;

interface Options extends SecureOptions {
  readonly address?: string;
  readonly port?: number;
  readonly onReadable?: (byteCount: number) => void;
  readonly onWritable?: (byteCount: number) => void;
  readonly onError?: () => void;
}

export class TlsSocket implements Socket {
  failure: Failure<TlsErrorCode> | undefined;
  isCut = false;
  readonly #options: Options;
  readonly #tls: Tls;
  #tcp: TCP | undefined;
  /** Of skyslot_tls; 0: not begun. */
  #session = 0;
  #result = HANDSHAKING;
  readonly #piece: ArrayBuffer = new ArrayBuffer(PIECE_BYTES);
  /** Bytes that wait in TCP. */
  #waiting = 0;
  /** Bytes that TCP takes now. */
  #room = 0;
  /** TCP has ended. */
  #isOver = false;
  /** `write` has said that nothing is taken, until more has gone out. */
  #isFull = false;
  /** The end was told. */
  #isTold = false;
  #timer: ReturnType<typeof Timer.set> | undefined;

  /** @throws what TCP throws */
  constructor(options: Options) {
    this.#options = options;
    this.#tls = options.tls as Tls;
    this.#tcp = new TCP({
      address: options.address as string,
      port: options.port as number,
      onReadable: (count) => {
        this.#waiting = count;
        this.#advance();
      },
      onWritable: (count) => {
        this.#room = count;
        if (this.#session === 0) this.#begin();
        this.#advance();
      },
      onError: () => {
        this.#isOver = true;
        this.#advance();
      },
    });
  }

  get remoteAddress(): string | undefined {
    return this.#tcp?.remoteAddress;
  }

  /** At most what `onReadable` has said. */
  read(byteLength: number): ArrayBuffer {
    const bytes = new ArrayBuffer(byteLength);
    this.#call(OPERATION.read, bytes, byteLength);
    this.#result -= byteLength;
    if (this.#result === 0) this.#later();
    return bytes;
  }

  /** At most what `onWritable` or the last call has said. */
  write(bytes: ArrayBuffer): number {
    this.#call(OPERATION.write, bytes, bytes.byteLength);
    this.#isFull = !this.#sendOut();
    return this.#isFull ? 0 : WRITE_BYTES;
  }

  close(): void {
    if (this.#timer !== undefined) Timer.clear(this.#timer);
    this.#timer = undefined;
    const tcp = this.#tcp;
    if (!tcp) return;
    if (this.#session > 0) {
      this.#call(OPERATION.end, this.#piece, 0);
      this.#sendOut();
      this.#call(OPERATION.close, this.#piece, 0);
    }
    this.#session = 0;
    this.#tcp = undefined;
    tcp.close();
  }

  #begin(): void {
    const session = this.#tls.open(this.#options.host ?? "");
    if (session < 0) this.#result = session;
    else this.#session = session;
  }

  #call(operation: number, bytes: ArrayBuffer, length: number): number {
    return this.#tls.native.skyslot_tls(this.#session, operation, bytes, length);
  }

  /** As far as it goes without waiting for the network, or for someone who reads. */
  #advance(): void {
    if (!this.#tcp || this.#timer !== undefined) return;
    const before = this.#result;
    if (this.#session > 0) this.#sendOut();
    while (this.#session > 0 && (this.#result === 0 || this.#result === HANDSHAKING)) {
      this.#result = this.#call(OPERATION.step, this.#piece, 0);
      this.#sendOut(); // of a handshake that has failed the alert
      if (this.#result > 0 || this.#result <= ENDED || !this.#takeIn()) break;
    }
    this.#tell(before);
  }

  /** Whether something came in. */
  #takeIn(): boolean {
    const count = Math.min(this.#waiting, PIECE_BYTES);
    if (count === 0 || !this.#tcp) return false;
    this.#tcp.read(new Uint8Array(this.#piece, 0, count));
    this.#waiting -= count;
    this.#call(OPERATION.receive, this.#piece, count);
    return true;
  }

  /** Whether all has gone out. */
  #sendOut(): boolean {
    while (this.#tcp && this.#room > 0) {
      const count = this.#call(OPERATION.send, this.#piece, Math.min(this.#room, PIECE_BYTES));
      if (count <= 0) return true;
      try {
        this.#room = this.#tcp.write(new Uint8Array(this.#piece, 0, count)) ?? 0;
      } catch {
        this.#room = 0; // the connection has broken off: onError is under way
      }
    }
    return false;
  }

  /** It may be closed in this call. */
  #tell(before: number): void {
    const { onReadable, onWritable } = this.#options;
    const isConnected = this.#result >= 0 || this.#result === ENDED;
    const isNew = before === HANDSHAKING && isConnected;
    if (isNew || (isConnected && this.#isFull && this.#sendOut())) {
      this.#isFull = false;
      onWritable?.(WRITE_BYTES);
    }
    if (this.#tcp && this.#result > 0 && before <= 0) onReadable?.(this.#result);
    if (this.#tcp && this.#result <= 0 && !this.#isTold) this.#tellEnd();
  }

  #tellEnd(): void {
    const { onError, host = "" } = this.#options;
    const isFailed = this.#result < ENDED;
    if (!isFailed && this.#result !== ENDED && !this.#isOver) return;
    this.#isTold = true;
    this.isCut = this.#result === 0;
    const detail = this.#session > 0 ? this.#call(OPERATION.detail, this.#piece, 0) : 0;
    if (isFailed) this.failure = tlsFailure(this.#result, detail, host);
    else if (this.#result === HANDSHAKING && this.#session > 0)
      this.failure = tlsFailure(HANDSHAKING, 0, host);
    onError?.();
  }

  #later(): void {
    this.#timer ??= Timer.set(() => {
      this.#timer = undefined;
      this.#advance();
    }, 0);
  }
}
