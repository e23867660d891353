// When a gateway says that it is there: not before it is on the channel on which it stays.

import { expect } from "chai";
import {
  type GatewayEffect,
  type GatewayEvent,
  type GatewayState,
  gatewayStep,
  initialGateway,
} from "../../../../firmware/core/gateway/gateway-device.js";
import { groupOf, readBeacon, writeBeacon } from "../../../../firmware/core/radio/beacon.js";
import { BOOTED } from "../events.js";

const GROUP = groupOf("garden");
const NODE = "24:0a:c4:00:00:02";
const SEEK = writeBeacon({ type: "seek", group: GROUP, channel: 1 });

class Gateway {
  state: GatewayState = initialGateway;
  /** Channels in the beacons that it has sent since the last look. */
  #beacons: number[] = [];
  #timerMs = Number.POSITIVE_INFINITY;
  #at = 0;

  hear(event: GatewayEvent): this {
    const stamped = { ...event, at: this.#at, random: 0.5, freeHeapBytes: 100_000 };
    const [state, effects] = gatewayStep(this.state, stamped, { group: GROUP, cacheBytes: 0x1e0000 });
    this.state = state;
    for (const effect of effects) this.#carryOut(effect);
    return this;
  }

  #carryOut(effect: GatewayEffect): void {
    if (effect.type === "setTimer" && effect.timer === "relay.beacon")
      this.#timerMs = this.#at + effect.delayMs;
    const beacon = effect.type === "sendFrame" ? readBeacon(effect.bytes) : undefined;
    if (beacon?.type === "beacon") this.#beacons.push(beacon.channel);
  }

  seek = () => this.hear({ type: "frameReceived", from: NODE, isBroadcast: true, rssi: -50, bytes: SEEK });

  /** Its timer fires whenever it is due. */
  until(atMs: number): this {
    while (this.#timerMs <= atMs) {
      this.#at = this.#timerMs;
      this.#timerMs = Number.POSITIVE_INFINITY;
      this.hear({ type: "timerFired", timer: "relay.beacon" });
    }
    this.#at = atMs;
    return this;
  }

  joins(): this {
    const attempt = this.state.device.wifi.attempt;
    return this.hear({ type: "wifiJoined", attempt, address: "192.168.1.9", rssi: -50 });
  }

  get beacons(): number[] {
    const beacons = this.#beacons;
    this.#beacons = [];
    return beacons;
  }
}

const booted = (): Gateway =>
  new Gateway().hear({ ...BOOTED, stored: { ...BOOTED.stored, networks: '[["home","secret password"]]' } });

describe("a gateway that has started", () => {
  it("is not found before it has joined its network, whose channel is another one", () => {
    const gateway = booted().until(3_000).seek();
    expect(gateway.until(20_000).seek().beacons).deep.equal([]);
  });

  it("says that it is there as soon as it has, and often at first", () => {
    const gateway = booted().until(3_000).joins();
    expect(gateway.beacons).deep.equal([0]);
    expect(gateway.seek().beacons, "nodes are answered").deep.equal([1]);
    expect(gateway.until(11_000).beacons).deep.equal(Array(8).fill(0));
    expect(gateway.until(41_500).beacons).deep.equal([0, 0, 0]);
  });

  it("is found without a network, too, a minute after its start", () => {
    const gateway = booted().until(59_000).seek();
    expect(gateway.beacons).deep.equal([]);
    expect(gateway.until(61_000).seek().beacons).deep.equal([0, 1]);
  });
});
