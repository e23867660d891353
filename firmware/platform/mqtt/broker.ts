// The TCP connection to an MQTT broker: carries out the effects of core/mqtt/vocabulary.ts. It knows nothing of packets.
//
// The SDK's MQTT client is not used, for the same reasons as its HTTP client (http-client.ts): whatever a broker sends, it makes room for up
// to 64 KB, which restarts a chip with a heap of 96, and what it throws in its own turns nobody can catch.

import TCP from "embedded:io/socket/tcp";
import type { BrokerEffect, BrokerEvent } from "../../core/mqtt/vocabulary.js";
import { LookUp } from "../look-up.js";
import type { Dispatch, Handlers } from "../runner.js";

/** Read at once: what a broker says to a publisher has four bytes. */
const MAX_READ_BYTES = 64;

export function createBroker(dispatch: Dispatch<BrokerEvent>): Handlers<BrokerEffect> {
  const broker = new Broker(dispatch);
  return {
    connectBroker: ({ attempt, host, port }) => broker.connect(attempt, host, port),
    sendToBroker: ({ attempt, bytes }) => broker.send(attempt, bytes),
    closeBroker: ({ attempt }) => broker.close(attempt),
  };
}

class Broker {
  readonly #dispatch: Dispatch<BrokerEvent>;
  #attempt = 0;
  #lookUp: LookUp | undefined;
  #socket: TCP | undefined;
  #isConnected = false;
  /** Bytes that the socket takes now. */
  #room = 0;
  /** Bytes that wait for room: one packet, since core waits for the answer to each. */
  #waiting: Uint8Array | undefined;

  constructor(dispatch: Dispatch<BrokerEvent>) {
    this.#dispatch = dispatch;
  }

  connect(attempt: number, host: string, port: number): void {
    this.close(this.#attempt);
    this.#attempt = attempt;
    const failed = () => this.#lost(attempt, `the address of ${host} was not found`);
    this.#lookUp = new LookUp(host, (address) => this.#open(attempt, host, address, port), failed);
  }

  send(attempt: number, bytes: Uint8Array): void {
    if (attempt !== this.#attempt || !this.#socket) return;
    this.#waiting = bytes;
    this.#pump();
  }

  close(attempt: number): void {
    if (attempt !== this.#attempt) return;
    this.#attempt = 0;
    this.#isConnected = false;
    this.#room = 0;
    this.#waiting = undefined;
    const open = [this.#lookUp, this.#socket];
    this.#lookUp = undefined;
    this.#socket = undefined;
    for (const one of open) closeQuietly(one);
  }

  #open(attempt: number, host: string, address: string, port: number): void {
    if (attempt !== this.#attempt) return;
    try {
      this.#socket = new TCP({
        address,
        port,
        onReadable: (count) => this.#readable(attempt, count),
        onWritable: (count) => this.#writable(attempt, count),
        onError: () =>
          this.#lost(
            attempt,
            this.#isConnected
              ? `${host} closed the connection`
              : `${host}:${port} did not take the connection`,
          ),
      });
    } catch {
      this.#lost(attempt, "no socket is left for it");
    }
  }

  #readable(attempt: number, count: number): void {
    let left = count;
    while (left > 0 && attempt === this.#attempt && this.#socket) {
      const bytes = this.#socket.read(Math.min(left, MAX_READ_BYTES)) as ArrayBuffer | undefined;
      if (!bytes || bytes.byteLength === 0) return;
      left -= bytes.byteLength;
      this.#dispatch({ type: "brokerReceived", attempt, bytes: new Uint8Array(bytes) });
    }
  }

  #writable(attempt: number, count: number): void {
    if (attempt !== this.#attempt) return;
    this.#room = count;
    if (!this.#isConnected) {
      this.#isConnected = true;
      this.#dispatch({ type: "brokerConnected", attempt });
    }
    this.#pump();
  }

  #pump(): void {
    const bytes = this.#waiting;
    if (!bytes || !this.#socket || this.#room === 0) return;
    const now = Math.min(this.#room, bytes.length);
    this.#waiting = now < bytes.length ? bytes.subarray(now) : undefined;
    try {
      this.#room = this.#socket.write(bytes.slice(0, now).buffer) ?? 0;
    } catch {
      this.#room = 0; // the connection has broken off: onError is under way
    }
  }

  #lost(attempt: number, message: string): void {
    if (attempt !== this.#attempt) return;
    this.close(attempt);
    this.#dispatch({ type: "brokerLost", attempt, message });
  }
}

function closeQuietly(one: { close(): void } | undefined): void {
  try {
    one?.close();
  } catch {
    // it was closed already
  }
}
