/**
 * What a station sees of a Wi-Fi network, be it a router's or a device's own access point. Pure interfaces.
 */

import type { IpNode } from "./ip-node.js";
import type { Segment } from "./segment.js";

/** ESP-IDF's reasons for a lost or failed connection (wifi_err_reason_t). */
export const REASON = Object.freeze({
  associationTooMany: 5,
  associationLeave: 8,
  fourWayHandshakeTimeout: 15,
  beaconTimeout: 200,
  noAccessPointFound: 201,
  noCompatibleSecurity: 210,
  belowAuthenticationThreshold: 211,
});

/** A joining station: a device's radio or a phone. */
export interface Station {
  readonly mac: string;
  readonly node: IpNode;
  /** The network has gone or has thrown the station out. */
  dropped(reason: number): void;
}

export interface AirNetwork {
  readonly ssid: string;
  readonly bssid: Uint8Array;
  readonly channel: number;
  readonly rssi: number;
  readonly hidden: boolean;
  readonly security: "none" | "wpa2_psk" | "wpa_wpa2_psk";
  readonly isUp: boolean;
  /** False where addresses have to be set by hand (or DHCP is broken). */
  readonly hasDhcp: boolean;
  readonly segment: Segment<IpNode>;
  /** The addresses of DNS servers that DHCP announces. */
  readonly dnsServers: readonly string[];
  /** What DHCP announces about a captive portal (option 114, RFC 8910). */
  readonly captivePortalUri?: string | undefined;
  acceptsPassword(password: string): boolean;
  /** False if no more stations fit. */
  admit(station: Station): boolean;
  release(station: Station): void;
}
