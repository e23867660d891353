// Somebody in range with a radio of their own: on the channel where the device is, under any address, the gateway's too. Sends an input's frames
// and notes what the device says to them.

import { formatMac } from "../../../host-sim/network/address.js";
import { type AirFrame, BROADCAST } from "../../../host-sim/network/espnow-air.js";
import type { House } from "./house.js";

export const STRANGER_MAC = "24:0a:c4:66:66:66";
/** What is kept of what is heard. */
const MAX_HEARD = 64;

export interface StrangersFrame {
  readonly from: string;
  readonly isBroadcast: boolean;
  readonly bytes: Uint8Array;
}

export class Stranger {
  readonly mac = STRANGER_MAC;
  /** What the device has sent to somebody; the last ones. */
  readonly heard: Uint8Array[] = [];
  readonly #house: House;
  readonly #deviceMac: string;

  constructor(house: House) {
    this.#house = house;
    const radio = house.device.machine?.radio;
    this.#deviceMac = radio ? formatMac(radio.mac) : "";
    house.network.espNow.enter(this);
    house.network.espNow.observers.add(this.#observe);
  }

  get channel(): number | undefined {
    return this.#house.device.machine?.radio.channel;
  }

  /** What is said to a stranger is seen in the air. */
  hear(): void {}

  send({ from, isBroadcast, bytes }: StrangersFrame): void {
    if (this.#deviceMac === "" || bytes.length === 0) return;
    const to = isBroadcast ? BROADCAST : this.#deviceMac;
    this.#house.network.espNow.send(this, { from, to, bytes }, () => {});
  }

  leave(): void {
    this.#house.network.espNow.leave(this);
    this.#house.network.espNow.observers.delete(this.#observe);
  }

  readonly #observe = ({ from, to, bytes }: AirFrame): void => {
    if (from !== this.#deviceMac || to === BROADCAST) return;
    this.heard.push(bytes);
    if (this.heard.length > MAX_HEARD) this.heard.shift();
  };
}
