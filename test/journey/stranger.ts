// A client in the home network that writes arbitrary bytes to a port of the device, slowly or all at once, and records what comes back.

import type { Desk } from "../../host-sim/desk/desk.js";
import type { IpNode } from "../../host-sim/network/ip-node.js";
import type { TcpSocket } from "../../host-sim/network/tcp-socket.js";

/** The largest piece at once; default: everything. */
export interface Manner {
  readonly pieceBytes?: number;
  /** Between pieces. */
  readonly pauseMs?: number;
}

/** One connection. */
export class Visit {
  received = "";
  sentBytes = 0;
  /** How it ended, from the client's side; empty while it lasts. */
  ending: "" | "closed by the device" | "reset" | "left" = "";
  endedMs = 0;
  readonly socket: TcpSocket;
  readonly #desk: Desk;
  readonly #unsent: Uint8Array;
  readonly #manner: Manner;

  constructor(desk: Desk, socket: TcpSocket, text: string, manner: Manner) {
    this.#desk = desk;
    this.#unsent = Buffer.from(text, "latin1");
    this.#manner = manner;
    this.socket = socket;
    socket.events = {
      connected: () => this.#send(),
      sent: () => {
        const isAcknowledged = socket.roomBytes === socket.node.sendBytes;
        if (this.#manner.pauseMs === undefined && isAcknowledged) this.#send();
      },
      received: () => this.#take(),
      ended: () => {
        this.#take();
        this.#end("closed by the device");
        socket.close();
      },
      failed: () => this.#end("reset"),
    };
  }

  get status(): number {
    return Number(
      /^HTTP\/1\.1 (\d{3}) /.exec(this.received.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, ""))?.[1] ?? 0,
    );
  }

  get isOver(): boolean {
    return this.ending !== "";
  }

  leave(how: "close" | "abort"): void {
    this.#end("left");
    this.socket[how]();
  }

  #send(): void {
    if (this.isOver) return;
    const { pieceBytes = Infinity, pauseMs } = this.#manner;
    const count = Math.min(this.socket.roomBytes, pieceBytes, this.#unsent.length - this.sentBytes);
    if (count > 0) this.socket.write(this.#unsent.subarray(this.sentBytes, this.sentBytes + count));
    this.sentBytes += count;
    if (pauseMs !== undefined && this.sentBytes < this.#unsent.length)
      this.#desk.world.schedule(pauseMs, () => this.#send());
  }

  #take(): void {
    this.received += Buffer.from(this.socket.read()).toString("latin1");
  }

  #end(ending: Visit["ending"]): void {
    if (this.isOver) return;
    this.ending = ending;
    this.endedMs = this.#desk.world.nowMs;
  }
}

export class Stranger {
  readonly #desk: Desk;
  readonly #node: IpNode;
  readonly #address: () => string;

  /** @param address where the device is now */
  constructor(desk: Desk, address: () => string) {
    this.#desk = desk;
    this.#address = address;
    this.#node = desk.network.addHost("stranger", `${desk.home.segment.prefix}.201`);
  }

  begin(port: number, text: string, manner: Manner = {}): Visit {
    return new Visit(this.#desk, this.#node.connect(this.#address(), port), text, manner);
  }

  /** Writes, and waits for the end of the connection. */
  async visit(port: number, text: string, manner: Manner = {}): Promise<Visit> {
    const visit = this.begin(port, text, manner);
    await this.#desk.world.runUntil(() => visit.isOver, { limitMs: 600_000 });
    return visit;
  }
}
