// The device's own pages on port 80, and the captive portal's name server over UDP. Bodies are collected here, because they are small;
// core decides on the responses. Images that are pushed to this port are passed on to the server for them.

import UDP, { type Packet } from "embedded:io/socket/udp";
import { utf8Decode } from "../core/bytes.js";
import type { HttpResponse } from "../core/effect.js";
import type { RequestHead } from "../core/event.js";
import { pageBodyBytes, pageRefusal, requestReceived } from "../core/http/page-request.js";
import { isPush } from "../core/http/push-paths.js";
import { answerDns } from "../core/wifi/dns.js";
import { type Exchange, HttpServer, type PortOwner, type PortSettings } from "./http-server.js";
import type { PushServer } from "./push-server.js";
import type { Dispatch } from "./runner.js";

const SETTINGS: PortSettings = Object.freeze({
  port: 80,
  firstNumber: 0x20000000,
  maxConnections: 4,
  maxHeads: 3,
  /** With its body. */
  requestMs: 10_000,
  timesBody: true,
});
/** Bytes of a body read at once. */
const MAX_PIECE_BYTES = 512;
const DNS_PORT = 53;
/** The access point's address, as ESP-IDF sets it. */
const PORTAL_ADDRESS = Object.freeze([192, 168, 4, 1] as const);

interface Collected {
  readonly head: RequestHead;
  readonly body: Uint8Array;
  filledBytes: number;
}

export class PageServer implements PortOwner {
  readonly refuse = pageRefusal;
  readonly #dispatch: Dispatch;
  readonly #push: PushServer;
  readonly #pages: HttpServer = new HttpServer(SETTINGS, this);
  /** Requests whose body is being received. */
  readonly #collected = new Map<number, Collected>();
  #names: UDP | undefined;
  /** The connection whose response follows later. */
  #delayed = 0;

  constructor(dispatch: Dispatch, push: PushServer) {
    this.#dispatch = dispatch;
    this.#push = push;
  }

  start(captive: boolean): void {
    this.#pages.open();
    if (!captive) {
      this.#names?.close();
      this.#names = undefined;
      return;
    }
    this.#names ??= new UDP({
      port: DNS_PORT,
      onReadable(count) {
        for (let i = 0; i < count; i++) answerName(this, this.read());
      },
    });
  }

  stop(): void {
    this.#pages.close();
    this.#names?.close();
    this.#names = undefined;
  }

  respond(connection: number, response: HttpResponse): void {
    this.#pages.get(connection)?.respond(response);
  }

  /** Called while its request is dispatched. */
  delay(connection: number): void {
    this.#delayed = connection;
  }

  onHead(exchange: Exchange, head: RequestHead): void {
    if (isPush(head)) return this.#push.borrow(exchange, head);
    const sizeBytes = pageBodyBytes(head);
    if (!sizeBytes.ok) return exchange.respond(pageRefusal(sizeBytes.failure));
    if (sizeBytes.value === 0) return this.#receive(exchange, head, NO_BYTES);
    this.#collected.set(exchange.number, { head, body: new Uint8Array(sizeBytes.value), filledBytes: 0 });
    exchange.takeBody();
  }

  onBody(exchange: Exchange, count: number): void {
    if (this.#push.hasBorrowed(exchange)) return this.#push.onBody(exchange, count);
    const found = this.#collected.get(exchange.number);
    if (!found) return;
    let isMore = true;
    while (isMore) {
      isMore = false;
      exchange.read(MAX_PIECE_BYTES, (bytes) => {
        isMore = true;
        found.body.set(bytes, found.filledBytes);
        found.filledBytes += bytes.length;
      });
    }
    if (found.filledBytes < found.body.length) return;
    this.#collected.delete(exchange.number);
    this.#receive(exchange, found.head, found.body);
  }

  onClosed(exchange: Exchange, isAwaited: boolean): void {
    this.#collected.delete(exchange.number);
    if (this.#push.hasBorrowed(exchange)) this.#push.onClosed(exchange, isAwaited);
  }

  #receive(exchange: Exchange, head: RequestHead, body: Uint8Array): void {
    this.#dispatch(requestReceived(exchange.number, head, utf8Decode(body) ?? "", exchange.address));
    if (this.#delayed !== exchange.number) exchange.respond(NOT_ANSWERED); // has no effect after a response
  }
}

function answerName(socket: UDP, packet: Packet | undefined): void {
  const reply = packet && answerDns(new Uint8Array(packet), PORTAL_ADDRESS);
  if (!packet || !reply) return;
  try {
    socket.write(reply, packet.address, packet.port);
  } catch {
    // lost like any other datagram: the phone repeats its query
  }
}

const NO_BYTES = new Uint8Array(0);

const NOT_ANSWERED: HttpResponse = Object.freeze({ status: 500, headers: Object.freeze({}), body: "" });
