// A client in the home network that pushes images to the device: a raw TCP client that may send wrong lengths, stop in the
// middle or disconnect, and espota.

import type { Desk } from "../../host-sim/desk/desk.js";
import type { IpNode } from "../../host-sim/network/ip-node.js";
import { type EspotaOptions, EspotaSender } from "./pusher-espota.js";

export const PUSH_PORT = 3232;
const LAPTOP = "laptop";
const HOUR_MS = 3_600_000;

export interface PushOptions {
  readonly token?: string;
  readonly method?: string;
  readonly path?: string;
  /** Default: 3232. */
  readonly port?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The Content-Length; default: the correct one. `undefined`: none. */
  readonly length?: number | undefined;
  /** Disconnects after this number of bytes of the body. */
  readonly leaveAfter?: number;
  /** Sends no more after this number of bytes, and stays connected. */
  readonly stallAfter?: number;
  /** Waits for `100 Continue` before the body. */
  readonly expect?: boolean;
}

export interface Exchange {
  /** 0 while there is no answer. */
  status: number;
  text: string;
  sentBytes: number;
  continued: boolean;
  over: boolean;
}

export class Pusher {
  readonly #desk: Desk;
  readonly #node: IpNode;
  readonly #address: () => string;

  /** @param address where the device is now */
  constructor(desk: Desk, address: () => string) {
    this.#desk = desk;
    this.#address = address;
    this.#node = desk.network.addHost(LAPTOP, `${desk.home.segment.prefix}.200`);
  }

  /** Pushes and waits for the end. */
  async push(body: Uint8Array, options: PushOptions = {}): Promise<Exchange> {
    const exchange = this.begin(body, options);
    await this.#desk.world.runUntil(() => exchange.over, { limitMs: HOUR_MS });
    return exchange;
  }

  begin(body: Uint8Array, options: PushOptions = {}): Exchange {
    const exchange: Exchange = { status: 0, text: "", sentBytes: 0, continued: false, over: false };
    const socket = this.#node.connect(this.#address(), options.port ?? PUSH_PORT);
    const limit = Math.min(options.leaveAfter ?? body.length, options.stallAfter ?? body.length);
    let received = "";
    const sendBody = () => {
      if (options.expect && !exchange.continued) return;
      const count = Math.min(socket.roomBytes, limit - exchange.sentBytes);
      if (count > 0) socket.write(body.subarray(exchange.sentBytes, exchange.sentBytes + count));
      exchange.sentBytes += Math.max(0, count);
      if (options.leaveAfter !== undefined && exchange.sentBytes >= limit) {
        socket.close();
        exchange.over = true;
      }
    };
    const take = () => {
      received += Buffer.from(socket.read()).toString("latin1");
      if (received.startsWith("HTTP/1.1 100 Continue\r\n\r\n")) {
        received = received.slice(25);
        exchange.continued = true;
        sendBody();
      }
      const end = received.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/.exec(received)?.[1] ?? 0);
      if (end < 0 || received.length < end + 4 + length) return;
      exchange.status = Number(received.slice(9, 12));
      exchange.text = received;
      exchange.over = true;
      socket.close();
    };
    socket.events = {
      connected: () => {
        socket.write(new TextEncoder().encode(headOf(this.#address(), body, options)));
        sendBody();
      },
      sent: sendBody,
      received: take,
      ended: () => {
        take();
        exchange.over = true;
        socket.close();
      },
      failed: () => {
        exchange.over = true;
      },
    };
    return exchange;
  }

  /** Pushes by espota and waits for the end. */
  async espota(image: Uint8Array, password: string, options: EspotaOptions = {}): Promise<EspotaSender> {
    const sender = this.beginEspota(image, password, options);
    await this.#desk.world.runUntil(() => sender.over, { limitMs: 300_000 });
    sender.close();
    return sender;
  }

  beginEspota(image: Uint8Array, password: string, options: EspotaOptions = {}): EspotaSender {
    const device = { address: this.#address(), port: PUSH_PORT };
    return new EspotaSender(this.#node, device, image, password, options);
  }
}

function headOf(address: string, body: Uint8Array, options: PushOptions): string {
  const length = "length" in options ? options.length : body.length;
  const headers: Record<string, string> = {
    host: `${address}:${PUSH_PORT}`,
    ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
    ...(length === undefined ? {} : { "content-length": `${length}` }),
    ...(options.expect ? { expect: "100-continue" } : {}),
    ...options.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${options.method ?? "POST"} ${options.path ?? "/update"} HTTP/1.1\r\n${lines.join("")}\r\n`;
}
