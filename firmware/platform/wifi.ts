// Wi-Fi, through the SDK's legacy `wifi` module: the only one with an access point and a station at once, and with a reason
// (wrong password) when joining fails.

import Net from "net";
import WiFi from "wifi";
import type { Network } from "../core/event.js";
import type { Native } from "./native.js";
import type { Dispatch } from "./runner.js";

/** Value of a "disconnect" message after a failed handshake (modules/network/wifi/esp32/xs6wifi.c). */
const AUTHENTICATION_FAILED = -1;

/** How a device of this build gets into its network. */
export const LINK = "wifi";

/** What phones are told with their address (DHCP option 114): where the portal is. */
const PORTAL_URI = "http://192.168.4.1/";

export function createWifi(dispatch: Dispatch, native: Native) {
  let listening = false;
  let attempt = 0;
  let associated = false;

  const notified = (message: string, value?: number) => {
    switch (message) {
      case "connect":
        associated = true;
        return;
      case "gotIP":
        return dispatch({
          type: "wifiJoined",
          attempt,
          address: String(Net.get("IP", "station")),
          rssi: Number(Net.get("RSSI") ?? 0),
        });
      case "disconnect": {
        const reason = value === AUTHENTICATION_FAILED ? "wrong-password" : associated ? "lost" : "not-found";
        associated = false;
        return dispatch({ type: "wifiLost", attempt, reason });
      }
      case "station_connect":
        return dispatch({ type: "clientAttached" });
      case "station_disconnect":
        return dispatch({ type: "clientDetached" });
    }
  };
  const listen = () => {
    if (listening) return;
    listening = true;
    new WiFi(undefined, notified);
  };

  return {
    join(number: number, ssid: string, password: string) {
      attempt = number;
      associated = false;
      listen();
      WiFi.connect(password === "" ? { ssid } : { ssid, password });
    },
    leave() {
      attempt = -1;
      WiFi.disconnect();
    },
    openAccessPoint(ssid: string) {
      listen();
      // without a mode before it, accessPoint starts the radio as access point alone, whatever `station` says: then no scan, no join
      WiFi.mode = WiFi.Mode.station;
      WiFi.accessPoint({ ssid, station: true });
      native.skyslot_portal_uri(PORTAL_URI); // where that fails, a phone still finds the portal by its probe
    },
    closeAccessPoint() {
      WiFi.mode = WiFi.Mode.station;
    },
    scan(number: number) {
      const found: Network[] = [];
      const completed = () => dispatch({ type: "scanCompleted", attempt: number, networks: found });
      try {
        WiFi.scan({}, (item) => {
          if (!item) return completed();
          if (!item.ssid) return;
          found.push({
            ssid: item.ssid,
            rssi: item.rssi,
            channel: item.channel,
            secured: item.authentication !== "none",
          });
        });
      } catch {
        completed(); // the radio refuses to scan while it joins: the list stays as it was
      }
    },
  };
}
