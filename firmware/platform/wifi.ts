// Wi-Fi, through the SDK's legacy `wifi` module: the only one with an access point and a station at once, and with a reason
// (wrong password) when joining fails.

import Net from "net";
import WiFi, { type AccessPoint } from "wifi";
import type { Network } from "../core/event.js";
import { formatMac, parseMac } from "../core/identity.js";
import type { JoinRequest, SearchRequest } from "./carry-out.js";
import type { Native } from "./native.js";
import type { Dispatch } from "./runner.js";

/** Value of a "disconnect" message after a failed handshake (modules/network/wifi/esp32/xs6wifi.c). */
const AUTHENTICATION_FAILED = -1;

/** How a device of this build gets into its network. */
export const LINK = "wifi";

/** Of those that a search hears, the strongest come first; anyone can announce hundreds, which fill the heap of a chip. */
const MAX_NETWORK_COUNT = 40;

/** The portal's address, sent to phones by DHCP (option 114). */
const PORTAL_URI = "http://192.168.4.1/";

/** Bound by manifest-wifi.json alone: a build for a board with a cable compiles this file too, for its types. */
interface PortalNative {
  skyslot_portal_uri(uri: string): number;
}

export class Wifi {
  readonly #dispatch: Dispatch;
  readonly #native: Native & PortalNative;
  #listening = false;
  /** Searches that wait for the one that runs: the radio does one at a time. */
  readonly #searches: SearchRequest[] = [];
  #attempt = 0;
  #associated = false;

  constructor(dispatch: Dispatch, native: Native) {
    this.#dispatch = dispatch;
    this.#native = native as Native & PortalNative;
  }

  join({ attempt, ssid, password, hostName, bssid, channel }: JoinRequest): void {
    this.#attempt = attempt;
    this.#associated = false;
    this.#listen();
    try {
      WiFi.connect({
        ssid,
        ...(password === "" ? {} : { password }),
        ...(bssid === undefined ? {} : { bssid: parseMac(bssid).buffer }),
        ...(isChannel(channel) ? { channel } : {}),
      });
      this.#native.skyslot_host_name(hostName); // the module has made the interface, which asks for an address some time later
    } catch {
      this.#dispatch({ type: "wifiLost", attempt, reason: "not-found" }); // nothing that this network's name leads to
    }
  }

  leave(): void {
    this.#attempt = -1;
    WiFi.disconnect();
  }

  openAccessPoint(ssid: string): void {
    this.#listen();
    try {
      // without a mode before it, accessPoint starts the radio as access point alone, whatever `station` says: then no scan, no join
      WiFi.mode = WiFi.Mode.station;
      WiFi.accessPoint({ ssid, station: true });
    } catch {
      return this.#dispatch({ type: "accessPointFailed" });
    }
    this.#native.skyslot_portal_uri(PORTAL_URI); // if that fails, a phone still finds the portal by its connectivity check
  }

  closeAccessPoint(): void {
    WiFi.mode = WiFi.Mode.station;
  }

  scan(search: SearchRequest): void {
    this.#searches.push(search);
    // one that has not ended when the third is due never will
    if (this.#searches.length === 3) this.#forgetSearches();
    if (this.#searches.length === 1) this.#search(search);
  }

  #search({ attempt, ssid }: SearchRequest): void {
    const networks: Network[] = [];
    try {
      WiFi.scan({}, (item) => {
        if (!item) return this.#searched(attempt, networks);
        if (networks.length < MAX_NETWORK_COUNT && item.ssid && (ssid ?? item.ssid) === item.ssid)
          networks.push(heard(item));
      });
    } catch {
      this.#searched(attempt, networks); // the radio refuses to scan while it joins: the list stays unchanged
    }
  }

  #searched(attempt: number, networks: readonly Network[]): void {
    if (this.#searches[0]?.attempt !== attempt) return;
    this.#searches.shift();
    this.#dispatch({ type: "scanCompleted", attempt, networks });
    const [next] = this.#searches;
    if (next) this.#search(next);
  }

  #forgetSearches(): void {
    this.#searches.splice(0, this.#searches.length - 1);
    try {
      WiFi.scan();
    } catch {
      // there was none
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
      case "gotIP": {
        // the SDK's types, which a build for a cable has, know neither argument's result
        const address = Net.get("IP", "station") as string | undefined;
        if (address === undefined) return; // lost again since this message was sent
        const bssid = Net.get("BSSID") as string | undefined;
        return this.#dispatch({
          type: "wifiJoined",
          attempt: this.#attempt,
          address,
          rssi: Number(Net.get("RSSI") ?? 0),
          bssid: bssid?.toLowerCase(),
        });
      }
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

const heard = ({ ssid, rssi, channel, authentication, bssid }: AccessPoint): Network => ({
  ssid,
  rssi,
  channel,
  secured: authentication !== "none",
  bssid: formatMac(new Uint8Array(bssid)),
});

/** Others, such as 14, make the module throw; without a channel it searches them all. */
const isChannel = (channel: number | undefined): channel is number =>
  channel !== undefined && channel >= 1 && channel <= 13;
