// Port 3232: pushed images, by HTTP over TCP and by espota's invitation over UDP; and those that arrive on port 80. Passes heads and bodies
// on as core requests them; unread bytes stay in the TCP window. Core decides who may push.

import TCP from "embedded:io/socket/tcp";
import UDP, { type Packet } from "embedded:io/socket/udp";
import { utf8Decode } from "../core/bytes.js";
import type { HttpResponse } from "../core/effect.js";
import type { Failure } from "../core/errors.js";
import type { RequestHead } from "../core/event.js";
import { pushRefusal } from "../core/http/answer.js";
import { type HeadError, headStatus } from "../core/http/http.js";
import {
  type Exchange,
  HttpServer,
  MAX_DISCARDED_BYTES,
  type PortOwner,
  type PortSettings,
} from "./http-server.js";
import type { Dispatch } from "./runner.js";
import { TcpStream } from "./tcp-stream.js";

const SETTINGS: PortSettings = Object.freeze({
  port: 3232,
  firstNumber: 1,
  maxConnections: 3,
  maxHeads: 1,
  requestMs: 30_000,
  timesBody: false, // core times it
});
const MAX_DATAGRAM_BYTES = 256;

export class PushServer implements PortOwner {
  readonly #dispatch: Dispatch;
  readonly #pushes: HttpServer = new HttpServer(SETTINGS, this);
  /** Requests that arrived on port 80. */
  readonly #borrowed = new Map<number, Exchange>();
  /** Connections that the device opened at an invitation of espota, by core's number. */
  readonly #invited = new Map<number, TcpStream>();
  #invitations: UDP | undefined;

  constructor(dispatch: Dispatch) {
    this.#dispatch = dispatch;
  }

  start(espota: boolean): void {
    this.#pushes.open();
    if (!espota) {
      this.#invitations?.close();
      this.#invitations = undefined;
      return;
    }
    const take = (packet: Packet | undefined) => this.#takeDatagram(packet);
    this.#invitations ??= new UDP({
      port: SETTINGS.port,
      onReadable(count) {
        for (let i = 0; i < count; i++) take(this.read());
      },
    });
  }

  /** Takes over a request on another port, whose owner passes on what happens to it. */
  borrow(exchange: Exchange, head: RequestHead): void {
    exchange.lend();
    this.#borrowed.set(exchange.number, exchange);
    this.onHead(exchange, head);
  }

  hasBorrowed({ number }: Exchange): boolean {
    return this.#borrowed.has(number);
  }

  letBodyCome(connection: number): void {
    this.#find(connection)?.takeBody();
  }

  read(connection: number, maxBytes: number): void {
    const take = (bytes: Uint8Array) => this.#dispatch({ type: "pushData", connection, bytes });
    this.#find(connection)?.read(maxBytes, take);
    const bytes = this.#invited.get(connection)?.read(maxBytes);
    if (bytes && bytes.length > 0) take(bytes);
  }

  answer(connection: number, response: HttpResponse): void {
    this.#find(connection)?.respond(response);
    const stream = this.#invited.get(connection);
    this.#invited.delete(connection);
    stream?.write(response.body); // espota has no heads
    stream?.finish(MAX_DISCARDED_BYTES);
  }

  /** Opens the connection that espota invited to. */
  connect(connection: number, address: string, port: number): void {
    const stream = new TcpStream(
      { io: TCP, address, port },
      {
        readable: () => this.#dispatch({ type: "pushReadable", connection, count: stream.availableBytes }),
        ended: () => stream.close(),
        closed: () => {
          if (this.#invited.delete(connection)) this.#dispatch({ type: "pushClosed", connection });
        },
      },
    );
    if (stream.isOpen) this.#invited.set(connection, stream);
    else this.#dispatch({ type: "pushClosed", connection });
  }

  acknowledge(connection: number, count: number): void {
    this.#invited.get(connection)?.write(`${count}`);
  }

  sendDatagram(address: string, port: number, text: string): void {
    try {
      this.#invitations?.write(ArrayBuffer.fromString(text), address, port);
    } catch {
      // lost like any other datagram: the sender repeats it
    }
  }

  refuse({ code, message }: Failure<HeadError>): HttpResponse {
    return pushRefusal(false, headStatus(code), message);
  }

  onHead({ number: connection, address }: Exchange, head: RequestHead): void {
    this.#dispatch({ type: "pushRequested", connection, head, address });
  }

  onBody({ number: connection }: Exchange, count: number): void {
    this.#dispatch({ type: "pushReadable", connection, count });
  }

  onClosed({ number: connection }: Exchange, isAwaited: boolean): void {
    this.#borrowed.delete(connection);
    if (isAwaited) this.#dispatch({ type: "pushClosed", connection });
  }

  #find(connection: number): Exchange | undefined {
    return this.#borrowed.get(connection) ?? this.#pushes.get(connection);
  }

  #takeDatagram(packet: Packet | undefined): void {
    if (!packet || packet.byteLength > MAX_DATAGRAM_BYTES) return;
    const text = utf8Decode(new Uint8Array(packet)) ?? "";
    this.#dispatch({ type: "datagramReceived", address: packet.address, port: packet.port, text });
  }
}
