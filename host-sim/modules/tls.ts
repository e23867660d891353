// The virtual functions of firmware/platform/native/skyslot-tls.c: real TLS with whatever is at the other end of the bytes. The results are
// those of the C file.

import { X509Certificate } from "node:crypto";
import type { Machine } from "../machine/machine.js";
import { ByteQueue } from "../network/byte-queue.js";
import { type ChainProblem, chainProblem, type Judgement } from "../network/tls-chain.js";
import { TlsEngine, type TlsProgress } from "../network/tls-engine.js";
import { COST, spend } from "./costs.js";

const SESSION_COUNT = 4;
const BUFFER_BYTES = 1_024;
const WRITE_BYTES = 512;
const RECORD_BYTES = 29;
/** The fragment that the client asks for. */
const MAX_RECORD_BYTES = 4_096;

/** Of the system's heap, as measured (ARCHITECTURE.md, TLS). */
const MEMORY = Object.freeze({
  session: 28_200,
  /** Until the handshake is over. */
  authority: 2_200,
  /** More than before it, and the stack of its task. */
  handshake: 5_500 + 10_240,
  /** In all, afterwards. */
  connected: 36_200,
});

const [TRUST, RECEIVE, SEND, STEP, READ, WRITE, END, CLOSE, DETAIL] = [0, 1, 2, 3, 4, 5, 6, 7, 8];

const HANDSHAKING = -1;
const ENDED = -2;
const REFUSED = -14;
const NO_MEMORY = -15;
const FAILED = -16;
const RESULTS: Readonly<Record<ChainProblem, number>> = Object.freeze({
  untrusted: -10,
  "wrong host": -11,
  expired: -12,
  "not yet valid": -13,
});

/** Of skyslot-tls.c, by OpenSSL's names. */
const CIPHERS = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
].join(":");

/** @param bufferOf a firmware's buffer of at least this size */
export function tlsFunctions(
  machine: Machine,
  bufferOf: (value: unknown, byteLength: number) => Uint8Array,
): Record<string, unknown> {
  const sessions: (Session | undefined)[] = new Array(SESSION_COUNT).fill(undefined);
  const freeBytes = (): number =>
    sessions.reduce((free, one) => free - (one?.heldBytes ?? 0), machine.surroundings().freeHeapBytes);
  return {
    esp_get_free_heap_size: () => Math.max(0, freeBytes()),
    skyslot_tls_open(host: unknown, earliest: unknown, told: unknown) {
      const at = sessions.indexOf(undefined);
      if (at < 0 || freeBytes() < MEMORY.session) return NO_MEMORY;
      const judgement = { host: String(host), earliest: Number(earliest) >>> 0, told: Number(told) >>> 0 };
      sessions[at] = new Session(machine, judgement, freeBytes);
      return at + 1;
    },
    skyslot_tls(number: unknown, operation: unknown, bytes: unknown, length: unknown) {
      const session = sessions[Number(number) - 1];
      if (!session) return FAILED;
      const result = session.carryOut(Number(operation), bufferOf(bytes, Number(length)), Number(length));
      if (operation === CLOSE) sessions[Number(number) - 1] = undefined;
      return result;
    },
  };
}

class Session {
  /** Of the system's heap. */
  heldBytes: number = MEMORY.session;
  readonly #freeBytes: () => number;
  readonly #machine: Machine;
  readonly #judgement: Judgement & { authorities: Uint8Array[] };
  readonly #engine: TlsEngine;
  readonly #in = new ByteQueue();
  readonly #out = new ByteQueue();
  readonly #plain = new ByteQueue();
  /** Of the record that is being read. */
  #recordBytes = 0;
  #isConnected = false;
  #hasEnded = false;
  #failure = 0;
  #detail = 0;
  #hasBegun = false;

  constructor(machine: Machine, judgement: Omit<Judgement, "authorities">, freeBytes: () => number) {
    this.#machine = machine;
    this.#judgement = { ...judgement, authorities: [] };
    this.#freeBytes = freeBytes;
    this.#engine = new TlsEngine({ isServer: false, host: judgement.host, ciphers: CIPHERS });
  }

  carryOut(operation: number, bytes: Uint8Array, length: number): number {
    switch (operation) {
      case CLOSE:
        this.#engine.close();
        return 0;
      case SEND:
        return this.#move(this.#out, bytes, length);
      case DETAIL:
        return this.#detail;
      default:
        return this.#failure || this.#carryOut(operation, bytes, length);
    }
  }

  #carryOut(operation: number, bytes: Uint8Array, length: number): number {
    switch (operation) {
      case TRUST:
        return this.#trust(Buffer.from(Buffer.from(bytes.subarray(0, length)).toString("latin1"), "base64"));
      case RECEIVE: {
        const count = Math.min(length, BUFFER_BYTES - this.#in.byteCount);
        this.#in.push(bytes.slice(0, count));
        return count;
      }
      case STEP:
        return this.#step();
      case READ: {
        const count = this.#move(this.#plain, bytes, Math.min(length, this.#recordBytes));
        this.#recordBytes -= count;
        return count;
      }
      case WRITE: {
        const isFull = this.#out.byteCount > BUFFER_BYTES - WRITE_BYTES - RECORD_BYTES;
        if (!this.#isConnected || isFull) return 0;
        const count = Math.min(length, WRITE_BYTES);
        this.#take(this.#engine.write(bytes.slice(0, count)));
        return this.#failure || count;
      }
      case END:
        this.#take(this.#engine.end());
        return 0;
      default:
        return FAILED;
    }
  }

  #trust(certificate: Uint8Array): number {
    if (this.#freeBytes() < MEMORY.authority) return this.#outOfMemory();
    this.heldBytes += MEMORY.authority;
    try {
      new X509Certificate(certificate);
    } catch {
      this.#failure = FAILED;
      return FAILED;
    }
    this.#judgement.authorities.push(certificate);
    return 0;
  }

  #outOfMemory(): number {
    this.#failure = NO_MEMORY;
    return NO_MEMORY;
  }

  #step(): number {
    if (!this.#isConnected && this.#freeBytes() < MEMORY.handshake) return this.#outOfMemory();
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#take(this.#engine.greeting);
    }
    if (this.#recordBytes > 0) return this.#recordBytes;
    if (this.#in.byteCount > 0) {
      const bytes = this.#in.take(this.#in.byteCount);
      if (this.#isConnected) spend(this.#machine, bytes.length * COST.tlsByte);
      this.#take(this.#engine.receive(bytes));
    }
    if (this.#failure !== 0) return this.#failure;
    if (!this.#isConnected) return HANDSHAKING;
    this.#recordBytes = Math.min(MAX_RECORD_BYTES, this.#plain.byteCount);
    return this.#recordBytes === 0 && this.#hasEnded ? ENDED : this.#recordBytes;
  }

  #move(from: ByteQueue, to: Uint8Array, length: number): number {
    const bytes = from.take(length);
    to.set(bytes);
    return bytes.length;
  }

  #take({ out, plain, isConnected, hasEnded, failure, chain }: TlsProgress): void {
    if (out.length > 0) this.#out.push(out);
    if (plain.length > 0) this.#plain.push(plain);
    this.#hasEnded ||= hasEnded;
    if (failure) this.#fail(failure);
    else if (isConnected && !this.#isConnected) this.#connected(chain);
  }

  #connected(chain: readonly Uint8Array[]): void {
    spend(this.#machine, COST.tlsHandshake);
    this.#isConnected = true;
    this.heldBytes = MEMORY.connected;
    const problem = chainProblem(chain, this.#judgement);
    if (problem !== undefined) this.#failure = RESULTS[problem];
  }

  #fail(words: string): void {
    const alert = /SSL alert number (\d+)/.exec(words)?.[1];
    this.#failure = alert === undefined ? FAILED : REFUSED;
    this.#detail = Number(alert ?? 0);
  }
}
