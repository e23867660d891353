// Replaces ../wifi.ts in a build for Ethernet: the manifest maps this file to that name. There is no network to choose and no access
// point; the interface starts with the firmware, and reports each time that it gets an address, another one, or loses it.

import Ethernet from "embedded:network/interface/ethernet";
import type { JoinRequest, SearchRequest } from "../carry-out.js";
import type { Native } from "../native.js";
import type { Dispatch } from "../runner.js";

/** How a device of this build gets into its network. */
export const LINK = "ethernet";

/** `connection` from which on there is an IPv4 address or the interface has one in `address`. */
const CONNECTED = 400;

export class Wifi {
  readonly #dispatch: Dispatch;
  readonly #native: Native;
  #ethernet: Ethernet | undefined;
  #attempt = 0;
  /** What was told last; absent: no link. */
  #address: string | undefined;

  constructor(dispatch: Dispatch, native: Native) {
    this.#dispatch = dispatch;
    this.#native = native;
  }

  join({ attempt, hostName }: JoinRequest): void {
    this.#attempt = attempt;
    if (this.#ethernet) return;
    this.#ethernet = new Ethernet({ onChanged: () => this.#changed() });
    this.#native.skyslot_host_name(hostName);
    this.#ethernet.connect();
    this.#changed();
  }

  // core never asks a device with a cable for these
  leave(): void {}
  openAccessPoint(_ssid: string): void {}
  closeAccessPoint(): void {}
  scan({ attempt }: SearchRequest): void {
    this.#dispatch({ type: "scanCompleted", attempt, networks: [] });
  }

  #changed(): void {
    const isUp = (this.#ethernet?.connection ?? 0) >= CONNECTED;
    const address = isUp ? this.#ethernet?.address : undefined;
    if (address === this.#address) return;
    this.#address = address;
    const attempt = this.#attempt;
    this.#dispatch(
      address === undefined
        ? { type: "wifiLost", attempt, reason: "lost" }
        : { type: "wifiJoined", attempt, address, rssi: 0 },
    );
  }
}
