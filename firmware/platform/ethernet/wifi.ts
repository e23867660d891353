// Takes the place of ../wifi.ts in a build for a board with a cable: the manifest maps this file to that name. There is nothing
// to choose and no access point; the interface starts with the firmware, and tells each time that it gets an address or loses it.

import Ethernet from "embedded:network/interface/ethernet";
import type { Native } from "../native.js";
import type { Dispatch } from "../runner.js";

/** How a device of this build gets into its network. */
export const LINK = "ethernet";

/** `connection` from which there is an IPv4 address or the interface says so by its `address`. */
const CONNECTED = 400;

export function createWifi(dispatch: Dispatch, _native: Native) {
  let ethernet: Ethernet | undefined;
  let attempt = 0;
  let online = false;

  const changed = () => {
    const address = ethernet?.address;
    const up = (ethernet?.connection ?? 0) >= CONNECTED && address !== undefined;
    if (up === online) return;
    online = up;
    dispatch(
      up ? { type: "wifiJoined", attempt, address, rssi: 0 } : { type: "wifiLost", attempt, reason: "lost" },
    );
  };

  return {
    join(number: number, _ssid: string, _password: string) {
      attempt = number;
      if (ethernet) return;
      ethernet = new Ethernet({ onChanged: changed });
      ethernet.connect();
      changed();
    },
    leave() {},
    // core never asks a device with a cable for these
    openAccessPoint: (_ssid: string) => {},
    closeAccessPoint() {},
    scan: (number: number) => dispatch({ type: "scanCompleted", attempt: number, networks: [] }),
  };
}
