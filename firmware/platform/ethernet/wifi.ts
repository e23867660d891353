// Takes the place of ../wifi.ts in a build for a board with a cable: the manifest maps this file to that name. There is nothing
// to join and no access point; the interface starts with the firmware and reports itself as soon as it has an address.

import Ethernet from "embedded:network/interface/ethernet";
import type { Dispatch } from "../runner.js";

/** `connection` from which there is an IPv4 address or the interface says so by its `address`. */
const CONNECTED = 400;

export function createWifi(dispatch: Dispatch) {
  let ethernet: Ethernet | undefined;
  let online = false;

  const changed = () => {
    const address = ethernet?.address;
    const up = (ethernet?.connection ?? 0) >= CONNECTED && address !== undefined;
    if (up === online) return;
    online = up;
    dispatch(up ? { type: "online", address, rssi: 0 } : { type: "offline" });
  };
  const start = () => {
    if (ethernet) return;
    ethernet = new Ethernet({ onChanged: changed });
    ethernet.connect();
    changed();
  };

  return {
    join: (_attempt: number, _ssid: string, _password: string) => start(),
    leave() {},
    openAccessPoint: (_ssid: string) => start(),
    closeAccessPoint() {},
    scan: (attempt: number) => dispatch({ type: "scanCompleted", attempt, networks: [] }),
  };
}
