// Replaces ../wifi.ts in a build for Ethernet: the manifest maps this file to that name. There is no network to choose and no access
// point; the interface starts with the firmware, and reports each time that it gets an address or loses it.

import Ethernet from "embedded:network/interface/ethernet";
import type { Native } from "../native.js";
import type { Dispatch } from "../runner.js";

/** How a device of this build gets into its network. */
export const LINK = "ethernet";

/** `connection` from which on there is an IPv4 address or the interface has one in `address`. */
const CONNECTED = 400;

export class Wifi {
  readonly #dispatch: Dispatch;
  #ethernet: Ethernet | undefined;
  #attempt = 0;
  #online = false;

  constructor(dispatch: Dispatch, _native: Native) {
    this.#dispatch = dispatch;
  }

  join(attempt: number, _ssid: string, _password: string): void {
    this.#attempt = attempt;
    if (this.#ethernet) return;
    this.#ethernet = new Ethernet({ onChanged: () => this.#changed() });
    this.#ethernet.connect();
    this.#changed();
  }

  // core never asks a device with a cable for these
  leave(): void {}
  openAccessPoint(_ssid: string): void {}
  closeAccessPoint(): void {}
  scan(attempt: number): void {
    this.#dispatch({ type: "scanCompleted", attempt, networks: [] });
  }

  #changed(): void {
    const address = this.#ethernet?.address;
    const up = (this.#ethernet?.connection ?? 0) >= CONNECTED && address !== undefined;
    if (up === this.#online) return;
    this.#online = up;
    const attempt = this.#attempt;
    this.#dispatch(
      up ? { type: "wifiJoined", attempt, address, rssi: 0 } : { type: "wifiLost", attempt, reason: "lost" },
    );
  }
}
