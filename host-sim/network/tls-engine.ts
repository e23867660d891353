/**
 * One side of a TLS connection, without a network: bytes go in and come out, and each call returns when it has done all that it can. By Node's
 * own TLS in a thread, which all connections of the process share; what it does takes no virtual time.
 */

import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";

export type TlsRole =
  /** @param ciphers of OpenSSL, with colons between them */
  | { readonly isServer: false; readonly host: string; readonly ciphers: string }
  /** PEM. */
  | {
      readonly isServer: true;
      readonly cert: string;
      readonly key: string;
      readonly ciphers?: string;
      readonly minVersion?: "TLSv1.2" | "TLSv1.3";
      readonly maxVersion?: "TLSv1.2" | "TLSv1.3";
    };

/** A connection as it is after a call, and what has come of it. */
export interface TlsProgress {
  /** For the other side. */
  readonly out: Uint8Array;
  readonly plain: Uint8Array;
  /** The handshake is done. */
  readonly isConnected: boolean;
  /** The other side has ended it, by TLS. */
  readonly hasEnded: boolean;
  /** OpenSSL's words; empty: none. */
  readonly failure: string;
  /** DER, as the other side has sent them: its own first. */
  readonly chain: readonly Uint8Array[];
}

type Question = { readonly what: string; readonly bytes?: Uint8Array; readonly options?: object };

let thread: ((question: Question & { readonly number: number }) => TlsProgress) | undefined;
let count = 0;

export class TlsEngine {
  readonly #number = ++count;
  /** What it says first. */
  readonly greeting: TlsProgress;

  constructor(role: TlsRole) {
    this.greeting = this.#ask({ what: "open", options: role });
  }

  receive(bytes: Uint8Array): TlsProgress {
    return this.#ask({ what: "receive", bytes });
  }

  write(plain: Uint8Array): TlsProgress {
    return this.#ask({ what: "write", bytes: plain });
  }

  /** Tells the other side that nothing follows. */
  end(): TlsProgress {
    return this.#ask({ what: "end" });
  }

  close(): void {
    this.#ask({ what: "close" });
  }

  #ask(question: Question): TlsProgress {
    thread ??= startThread();
    return thread({ ...question, number: this.#number });
  }
}

/** Now, instead of with the first connection: in a world in real time, its deadlines run while the thread starts. */
export function startTlsThread(): void {
  thread ??= startThread();
  thread({ number: 0, what: "close" });
}

function startThread(): NonNullable<typeof thread> {
  const { port1: port, port2 } = new MessageChannel();
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL("./tls-worker.js", import.meta.url), {
    workerData: { port: port2, signal },
    transferList: [port2],
    execArgv: [],
  });
  worker.unref();
  port.unref();
  return (question) => {
    const before = Atomics.load(signal, 0);
    port.postMessage(question);
    Atomics.wait(signal, 0, before);
    return receiveMessageOnPort(port)?.message as TlsProgress;
  };
}
