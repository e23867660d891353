/**
 * One side of a virtual TCP connection: a reliable byte stream with a send buffer, a receive window, latency, loss while
 * the path is down, FIN and reset. Moves segments where the line has a rate, and whole flights where it has none. Never calls
 * into firmware: the socket modules turn its events into device turns.
 *
 *   write → queue ──(window, line)──▶ in flight ──latency──▶ peer's segments → read
 *                                          ◀──latency── acknowledged, room again
 */

import type { Scheduled, World } from "../world/world.js";
import { ByteQueue } from "./byte-queue.js";
import { corrupt, type LinkPolicy, passing } from "./link-policy.js";

/** The largest segment of lwIP on the ESP32: the window opens again when a whole one has been read. */
const SEGMENT_BYTES_MAX = 1436;
const RETRANSMISSION_COUNT_MAX = 12;
/** lwIP gives up on a peer that never closes its side. */
const FIN_WAIT_MS = 20_000;

export type TcpFailure = "refused" | "reset" | "timeout";

/** What the owner of a socket is notified of, always from a world event. */
export interface TcpEvents {
  connected?(): void;
  received?(): void;
  /** The peer has taken bytes: there is room to write again. */
  sent?(): void;
  /** The peer has closed its side; what it sent before can still be read. */
  ended?(): void;
  failed?(reason: TcpFailure): void;
}

/** The IP stack that a socket belongs to. */
export interface TcpHost {
  /** Receive window of a connection that it has opened, bytes. */
  readonly windowBytes: number;
  /** The same of one that it has accepted. */
  readonly acceptedWindowBytes: number;
  /** Send buffer of a connection, bytes. */
  readonly sendBytes: number;
  readonly retransmitMs: number;
  /** Drops a connection that is over. */
  forget(socket: TcpSocket): void;
}

/** What both sides of one connection share. */
export interface TcpPath {
  readonly world: World;
  readonly latencyMs: number;
  readonly policy: LinkPolicy;
  /** Whether a packet from `sender` gets through now: to the peer, to no one, or to another host that resets it. */
  state(sender: TcpSocket, byteCount?: number): "up" | "down" | "stranger";
}

export class TcpSocket {
  readonly node: TcpHost;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly isServer: boolean;
  events: TcpEvents = {};
  state: "connecting" | "open" | "closed" = "connecting";
  /** The peer has sent its FIN. */
  hasEnded = false;
  failure: TcpFailure | undefined;
  path: TcpPath | undefined;
  #peer: TcpSocket | undefined;

  /** Written, and not sent yet. */
  readonly #queue = new ByteQueue();
  #inFlightBytes = 0;
  /** Sent and not arrived yet, in order: when one is lost, all that are behind it are sent again. */
  #flights: Uint8Array[] = [];
  #sentPosition = 0;
  #lineFreeAtMs = 0;
  #pump: Scheduled | undefined;
  #retryCount = 0;
  #finQueued = false;
  #finSent = false;
  #stalled = false;

  /** Arrived, and not read yet. */
  readonly #segments = new ByteQueue();
  /** As the peer knows it: the window opens for it when the acknowledgement has arrived. */
  #windowUsedBytes = 0;
  /** What was read at one time, on its way to the peer. */
  #credit: { readonly atMs: number; bytes: number } | undefined;

  constructor(options: {
    node: TcpHost;
    localAddress: string;
    localPort: number;
    remoteAddress: string;
    remotePort: number;
    isServer: boolean;
  }) {
    this.node = options.node;
    this.localAddress = options.localAddress;
    this.localPort = options.localPort;
    this.remoteAddress = options.remoteAddress;
    this.remotePort = options.remotePort;
    this.isServer = options.isServer;
  }

  get #windowBytes(): number {
    return this.isServer ? this.node.acceptedWindowBytes : this.node.windowBytes;
  }

  /** Bytes that can be read now. */
  get unreadBytes(): number {
    return this.#segments.byteCount;
  }

  /** Bytes that `write` takes now. */
  get roomBytes(): number {
    return Math.max(0, this.node.sendBytes - this.#queue.byteCount - this.#inFlightBytes);
  }

  /** Ties two sides together; the three-way handshake's timing is the node's business. */
  static join(client: TcpSocket, server: TcpSocket, path: TcpPath): void {
    client.#peer = server;
    server.#peer = client;
    client.path = path;
    server.path = path;
  }

  /** Queues a copy of the bytes. More than `roomBytes` is the caller's error and is queued all the same. */
  write(bytes: Uint8Array): void {
    this.enqueue(bytes);
    this.#schedulePump(0);
  }

  /** Queues a copy of the bytes until `flush`. */
  enqueue(bytes: Uint8Array): void {
    if (this.state === "closed" || this.#finQueued || bytes.length === 0) return;
    this.#queue.push(bytes.slice());
  }

  /** Sends what is queued, as far as the peer's window takes it. */
  flush(): void {
    if (this.#pump === undefined) this.#send();
  }

  /** Takes up to `count` bytes of what has arrived. */
  read(count: number = this.unreadBytes): Uint8Array {
    return this.#segments.take(count, (segmentBytes) => this.#releaseSegment(segmentBytes));
  }

  /** Sends what is queued, then a FIN. With unread bytes it resets instead and drops what is queued, as lwIP does. */
  close(): void {
    if (this.state === "closed") return;
    if (this.state === "connecting") {
      this.#forget();
      return;
    }
    if (this.unreadBytes > 0 && !this.hasEnded) {
      this.abort();
      return;
    }
    this.events = {};
    this.#segments.clear();
    this.#finQueued = true;
    if (this.path?.latencyMs === 0 && this.state === "open") this.#send();
    else this.#schedulePump(0);
  }

  /** Drops everything and resets the peer. */
  abort(): void {
    if (this.state === "closed") return;
    const peer = this.#peer;
    const path = this.path;
    this.#forget();
    if (peer === undefined || path === undefined) return;
    after(path, path.latencyMs, () => {
      if (path.state(this) === "up") peer.fail("reset");
    });
  }

  /** Ends the connection with an error. */
  fail(reason: TcpFailure): void {
    if (this.state === "closed") return;
    const { failed } = this.events;
    this.failure = reason;
    this.#forget();
    failed?.(reason);
  }

  /** Power has gone: no packet leaves any more, no event is raised. */
  vanish(): void {
    this.#forget();
  }

  /** The handshake is over on this side. */
  open(): void {
    this.state = "open";
    this.#schedulePump(0);
  }

  #forget(): void {
    this.state = "closed";
    this.events = {};
    this.#queue.clear();
    this.#pump?.cancel();
    this.#pump = undefined;
    this.node.forget(this);
  }

  /** A whole segment has been read: the window opens again, for the peer one latency later. */
  #releaseSegment(segmentBytes: number): void {
    const { path } = this;
    if (path === undefined || path.latencyMs === 0) {
      this.#openWindow(segmentBytes);
      return;
    }
    const { world, latencyMs } = path;
    if (this.#credit?.atMs === world.nowMs) {
      this.#credit.bytes += segmentBytes;
      return;
    }
    const credit = { atMs: world.nowMs, bytes: segmentBytes };
    this.#credit = credit;
    world.schedule(latencyMs, () => {
      if (this.#credit === credit) this.#credit = undefined;
      this.#openWindow(credit.bytes);
    });
  }

  #openWindow(bytes: number): void {
    this.#windowUsedBytes -= bytes;
    const peer = this.#peer;
    if (peer !== undefined && peer.#queue.byteCount > 0) peer.#schedulePump(0);
  }

  #schedulePump(delayMs: number): void {
    const world = this.path?.world;
    if (world === undefined || this.#pump !== undefined || this.state !== "open" || this.#stalled) return;
    this.#pump = world.schedule(delayMs, () => {
      this.#pump = undefined;
      this.#send();
    });
  }

  /** Sends as much as the peer's window takes, and the FIN behind the last byte. */
  #send(): void {
    const peer = this.#peer;
    const path = this.path;
    if (peer === undefined || path === undefined || this.state !== "open" || this.#stalled) return;
    if (path.state(this) === "down") {
      this.#retryLater();
      return;
    }
    const { policy } = path;
    const pieceBytesMax = Math.min(
      (this.isServer ? policy.pieceBytesMax : undefined) ?? Infinity,
      policy.bytesPerSecond === undefined ? Infinity : SEGMENT_BYTES_MAX,
    );
    while (!this.#stalled) {
      const window = Math.max(0, peer.#windowBytes - peer.#windowUsedBytes);
      const flight = this.#queue.take(Math.min(window, pieceBytesMax));
      if (flight.length === 0) break;
      this.#launch(flight, peer, path);
    }
    if (this.#finQueued && !this.#finSent && this.#queue.byteCount === 0 && !this.#stalled) {
      this.#finSent = true;
      this.#onLine(0, path, () => this.#deliverFin(peer, path));
    }
  }

  #launch(flight: Uint8Array, peer: TcpSocket, path: TcpPath): void {
    const policy = this.isServer ? path.policy : {};
    const position = this.#sentPosition;
    const count = passing(flight.length, position, policy);
    this.#sentPosition += flight.length;
    this.#inFlightBytes += flight.length;
    peer.#windowUsedBytes += flight.length;
    const bytes = corrupt(flight.subarray(0, count), position, policy);
    if (count > 0) {
      this.#flights.push(flight);
      this.#onLine(count, path, () => {
        if (this.#flights[0] === flight) this.#deliver(flight, bytes, peer, path);
      });
    }
    if (count < flight.length) this.#cut(policy, peer, path);
  }

  /** The policy's end of the stream is reached. */
  #cut(policy: LinkPolicy, peer: TcpSocket, path: TcpPath): void {
    this.#stalled = true;
    if ((policy.closeAfterBytes ?? Infinity) > (policy.stallAfterBytes ?? Infinity)) return;
    this.#onLine(0, path, () => {
      this.fail("reset");
      if (policy.closeWith === "reset") peer.fail("reset");
      else peer.#end();
    });
  }

  /** Runs `arrive` when `count` bytes put on the line now have reached the other side. */
  #onLine(count: number, path: TcpPath, arrive: () => void): void {
    const { world, policy } = path;
    const lineMs = policy.bytesPerSecond === undefined ? 0 : (count * 1000) / policy.bytesPerSecond;
    this.#lineFreeAtMs = Math.max(world.nowMs, this.#lineFreeAtMs) + lineMs;
    after(path, this.#lineFreeAtMs - world.nowMs + path.latencyMs, arrive);
  }

  #deliver(flight: Uint8Array, bytes: Uint8Array, peer: TcpSocket, path: TcpPath): void {
    const state = path.state(this, bytes.length);
    if (state === "down" && this.state === "open") {
      this.#sendAgain(peer);
      return;
    }
    this.#flights.shift();
    if (state !== "up" || peer.state === "closed") {
      peer.#windowUsedBytes -= flight.length;
      if (this.state === "open") this.#resetByPeer(path);
      return;
    }
    this.#retryCount = 0;
    peer.#windowUsedBytes -= flight.length - bytes.length;
    peer.#receive(bytes);
    if (this.events.sent === undefined) this.#inFlightBytes -= flight.length;
    else after(path, path.latencyMs, () => this.#acknowledge(flight.length));
  }

  /** The first of what is in flight is lost; nothing behind it counts. */
  #sendAgain(peer: TcpSocket): void {
    const lost = this.#flights;
    this.#flights = [];
    for (const flight of lost.toReversed()) {
      peer.#windowUsedBytes -= flight.length;
      this.#inFlightBytes -= flight.length;
      this.#sentPosition -= flight.length;
      this.#queue.unshift(flight);
    }
    this.#finSent = false;
    this.#retryLater();
  }

  #deliverFin(peer: TcpSocket, path: TcpPath): void {
    if (!this.#finSent || this.#flights.length > 0) return; // what was before it was lost: it is sent again behind that
    const state = path.state(this);
    if (state === "down" && this.state === "open") {
      this.#finSent = false;
      this.#retryLater();
      return;
    }
    if (state === "up") peer.#end();
    if (peer.state === "closed" || peer.#finSent || state === "stranger") {
      this.#forget();
      return;
    }
    path.world.schedule(FIN_WAIT_MS, () => this.#forget());
  }

  #acknowledge(sentBytes: number): void {
    this.#inFlightBytes -= sentBytes;
    this.events.sent?.();
  }

  #receive(bytes: Uint8Array): void {
    if (this.#finQueued) {
      this.#windowUsedBytes -= bytes.length;
      this.abort(); // closed on this side: as lwIP does with TF_RXCLOSED, and what it had not sent is lost too
      return;
    }
    for (let offset = 0; offset < bytes.length; offset += SEGMENT_BYTES_MAX) {
      this.#segments.push(bytes.subarray(offset, offset + SEGMENT_BYTES_MAX));
    }
    this.events.received?.();
  }

  #end(): void {
    if (this.state === "closed" || this.hasEnded) return;
    this.hasEnded = true;
    if (this.#finSent) {
      this.#forget();
      return;
    }
    this.events.ended?.();
  }

  #resetByPeer(path: TcpPath): void {
    path.world.schedule(path.latencyMs, () => this.fail("reset"));
  }

  #retryLater(): void {
    if (this.#retryCount >= RETRANSMISSION_COUNT_MAX) {
      this.fail("timeout");
      return;
    }
    const factor = Math.min(16, 2 ** this.#retryCount);
    this.#retryCount += 1;
    this.#pump?.cancel();
    this.#pump = undefined;
    this.#schedulePump(this.node.retransmitMs * factor);
  }
}

/** A packet to the chip itself is there before the call that sent it returns: lwIP's thread has priority over XS's. */
function after(path: TcpPath, delayMs: number, action: () => void): void {
  if (delayMs === 0) action();
  else path.world.schedule(delayMs, action);
}
