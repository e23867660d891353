// The gateway of a device without a network, under the fuzz: an honest radio, which passes what the device asks on to the fuzz's server and gives
// it the answer, whatever that is. Somebody else may speak in its name.

import { groupOf, readBeacon, writeBeacon } from "../../../firmware/core/radio/beacon.js";
import { isExchangeFrame } from "../../../firmware/core/radio/exchange-frames.js";
import { readRequest, writeAnswer } from "../../../firmware/core/radio/exchange-message.js";
import {
  answerExchange,
  initialServer,
  type ServerOutput,
  type ServerState,
  serveFrame,
  sweepExchanges,
} from "../../../firmware/core/radio/exchange-server.js";
import { BROADCAST, type HeardFrame } from "../../../host-sim/network/espnow-air.js";
import { HttpParser } from "../../../host-sim/network/http-parser.js";
import type { VirtualNetwork } from "../../../host-sim/network/virtual-network.js";
import type { World } from "../../../host-sim/world/world.js";
import type { Answer, FuzzServer } from "./server.js";

export const GATEWAY_MAC = "24:0a:c4:00:00:01";
export const GROUP = groupOf("pair");
const CHANNEL = 6;
const BEACON_MS = 10_000;
const SWEEP_MS = 4_000;

export class FuzzGateway {
  readonly mac = GATEWAY_MAC;
  readonly channel = CHANNEL;
  /** It is off, or out of range: what is sent in its name comes from somebody else. */
  isSilent = false;
  /** The number of the exchange that it was asked in last. */
  exchange = 0;
  readonly #world: World;
  readonly #network: VirtualNetwork;
  readonly #server: FuzzServer;
  #exchanges: ServerState = initialServer;

  constructor(world: World, network: VirtualNetwork, server: FuzzServer) {
    this.#world = world;
    this.#network = network;
    this.#server = server;
    network.espNow.enter(this);
    this.#beat();
    this.#sweep();
  }

  hear({ from, bytes }: HeardFrame): void {
    if (this.isSilent) return;
    const beacon = readBeacon(bytes);
    if (beacon?.type === "seek" && beacon.group === GROUP) this.#beacon(from);
    if (isExchangeFrame(bytes)) this.#take(serveFrame(this.#exchanges, from, bytes, this.#world.nowMs));
  }

  #beat(): void {
    if (!this.isSilent) this.#beacon(BROADCAST);
    this.#world.schedule(BEACON_MS, () => this.#beat());
  }

  #sweep(): void {
    this.#take(sweepExchanges(this.#exchanges, this.#world.nowMs));
    this.#world.schedule(SWEEP_MS, () => this.#sweep());
  }

  #beacon(to: string): void {
    this.#send(to, writeBeacon({ type: "beacon", group: GROUP, channel: CHANNEL }));
  }

  #send(to: string, bytes: Uint8Array): void {
    this.#network.espNow.send(this, { from: this.mac, to, bytes }, () => {});
  }

  #take([state, outputs]: readonly [ServerState, readonly ServerOutput[]]): void {
    this.#exchanges = state;
    for (const output of outputs) {
      if (output.type === "sendFrame") this.#send(output.to, output.bytes);
      else if (output.type === "requestTaken") this.#pass(output);
    }
  }

  #pass({ peer, id, message }: Extract<ServerOutput, { readonly type: "requestTaken" }>): void {
    const request = readRequest(message);
    if (!request) return; // a stranger's
    this.exchange = id;
    const { target: path, headers, body } = request;
    this.#server.ask({ path, headers, body: Buffer.from(body) }, (answer) =>
      this.#take(answerExchange(this.#exchanges, peer, id, messageOf(answer))),
    );
  }
}

/** An answer of HTTP as it goes through the air; what is none is a bad gateway's. */
function messageOf({ bytes, message }: Answer): Uint8Array {
  if (message) return message;
  const parser = new HttpParser("response");
  parser.push(bytes);
  parser.end();
  const taken = parser.take();
  const answer = typeof taken === "object" ? writeAnswer(taken) : undefined;
  return answer ?? writeAnswer({ status: 502, headers: {}, body: new Uint8Array(0) })!;
}
