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

/** The portal's address, sent to phones by DHCP (option 114). */
const PORTAL_URI = "http://192.168.4.1/";

/** Bound by manifest-wifi.json alone: a build for a board with a cable compiles this file too, for its types. */
interface PortalNative {
  skyslot_portal_uri(uri: string): number;
}

export class Wifi {
  readonly #dispatch: Dispatch;
  readonly #native: PortalNative;
  #listening = false;
  #attempt = 0;
  #associated = false;

  constructor(dispatch: Dispatch, native: Native) {
    this.#dispatch = dispatch;
    this.#native = native as Native & PortalNative;
  }

  join(attempt: number, ssid: string, password: string): void {
    this.#attempt = attempt;
    this.#associated = false;
    this.#listen();
    WiFi.connect(password === "" ? { ssid } : { ssid, password });
  }

  leave(): void {
    this.#attempt = -1;
    WiFi.disconnect();
  }

  openAccessPoint(ssid: string): void {
    this.#listen();
    // without a mode before it, accessPoint starts the radio as access point alone, whatever `station` says: then no scan, no join
    WiFi.mode = WiFi.Mode.station;
    WiFi.accessPoint({ ssid, station: true });
    this.#native.skyslot_portal_uri(PORTAL_URI); // if that fails, a phone still finds the portal by its connectivity check
  }

  closeAccessPoint(): void {
    WiFi.mode = WiFi.Mode.station;
  }

  scan(attempt: number): void {
    const networks: Network[] = [];
    const completed = () => this.#dispatch({ type: "scanCompleted", attempt, networks });
    try {
      WiFi.scan({}, (item) => {
        if (!item) return completed();
        if (!item.ssid) return;
        networks.push({
          ssid: item.ssid,
          rssi: item.rssi,
          channel: item.channel,
          secured: item.authentication !== "none",
        });
      });
    } catch {
      completed(); // the radio refuses to scan while it joins: the list stays unchanged
    }
  }

  #listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    new WiFi(undefined, (message, value) => this.#notified(message, value));
  }

  #notified(message: string, value?: number): void {
    switch (message) {
      case "connect":
        this.#associated = true;
        return;
      case "gotIP":
        return this.#dispatch({
          type: "wifiJoined",
          attempt: this.#attempt,
          address: String(Net.get("IP", "station")),
          rssi: Number(Net.get("RSSI") ?? 0),
        });
      case "disconnect": {
        const lost = this.#associated ? "lost" : "not-found";
        const reason = value === AUTHENTICATION_FAILED ? "wrong-password" : lost;
        this.#associated = false;
        return this.#dispatch({ type: "wifiLost", attempt: this.#attempt, reason });
      }
      case "station_connect":
        return this.#dispatch({ type: "clientAttached" });
      case "station_disconnect":
        return this.#dispatch({ type: "clientDetached" });
    }
  }
}
