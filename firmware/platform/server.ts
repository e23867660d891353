// The device's own pages on port 80, and the captive portal's name server over UDP. Bodies are collected here, because they are small;
// what is said to whom is core's business.

import UDP, { type Packet } from "embedded:io/socket/udp";
import { utf8Decode } from "../core/bytes.js";
import { answerDns } from "../core/dns.js";
import type { HttpResponse } from "../core/effect.js";
import type { RequestHead } from "../core/http.js";
import { pageBodyBytes, pageRefusal, requestReceived } from "../core/page-request.js";
import { createHttpServer, type Exchange } from "./http-server.js";
import type { Dispatch } from "./runner.js";

const PAGE_PORT = 80;
const MAX_CONNECTIONS = 4;
/** For a request with its body. */
const REQUEST_MS = 10_000;
/** Read at once of a body. */
const MAX_PIECE_BYTES = 512;
const DNS_PORT = 53;
/** The access point's address, as ESP-IDF sets it. */
const PORTAL_ADDRESS = Object.freeze([192, 168, 4, 1] as const);

interface Collected {
  readonly head: RequestHead;
  readonly body: Uint8Array;
  filledBytes: number;
}

export function createServer(dispatch: Dispatch) {
  /** Requests whose body is on its way. */
  const collected = new Map<number, Collected>();
  let names: UDP | undefined;

  const receive = (exchange: Exchange, head: RequestHead, body: Uint8Array) => {
    dispatch(requestReceived(exchange.number, head, utf8Decode(body) ?? ""));
    exchange.respond(NOT_ANSWERED); // has no effect behind an answer
  };
  const pages = createHttpServer({
    port: PAGE_PORT,
    maxConnections: MAX_CONNECTIONS,
    takesRelease: false,
    requestMs: REQUEST_MS,
    timesBody: true,
    refuse: pageRefusal,
    onHead(exchange, head) {
      const sizeBytes = pageBodyBytes(head);
      if (!sizeBytes.ok) return exchange.respond(pageRefusal(sizeBytes.failure));
      if (sizeBytes.value === 0) return receive(exchange, head, NO_BYTES);
      collected.set(exchange.number, { head, body: new Uint8Array(sizeBytes.value), filledBytes: 0 });
      exchange.takeBody();
    },
    onBody(exchange) {
      const found = collected.get(exchange.number);
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
      collected.delete(exchange.number);
      receive(exchange, found.head, found.body);
    },
    onClosed: ({ number }) => {
      collected.delete(number);
    },
  });

  const answerName = (socket: UDP, packet: Packet | undefined) => {
    const reply = packet && answerDns(new Uint8Array(packet), PORTAL_ADDRESS);
    if (!packet || !reply) return;
    try {
      socket.write(reply, packet.address, packet.port);
    } catch {
      // lost like any other datagram: the phone asks again
    }
  };

  return {
    start(captive: boolean) {
      pages.open();
      if (!captive) {
        names?.close();
        names = undefined;
        return;
      }
      names ??= new UDP({
        port: DNS_PORT,
        onReadable(count) {
          for (let i = 0; i < count; i++) answerName(this, this.read());
        },
      });
    },
    stop() {
      pages.close();
      names?.close();
      names = undefined;
    },
    respond(connection: number, response: HttpResponse) {
      pages.get(connection)?.respond(response);
    },
  };
}

const NO_BYTES = new Uint8Array(0);

const NOT_ANSWERED: HttpResponse = Object.freeze({ status: 500, headers: Object.freeze({}), body: "" });
