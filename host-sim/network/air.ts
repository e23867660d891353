/**
 * What a station sees of a Wi-Fi network, be it a router's or a device's own access point. Pure interfaces.
 */

import type { IpNode } from "./ip-node.js";
import type { Segment } from "./segment.js";

/** ESP-IDF's reasons for a lost or failed connection (wifi_err_reason_t). */
export const REASON = Object.freeze({
  associationTooMany: 5,
  notAuthenticated: 6,
  associationLeave: 8,
  fourWayHandshakeTimeout: 15,
  beaconTimeout: 200,
  noAccessPointFound: 201,
  authenticationFailed: 202,
  noCompatibleSecurity: 210,
  belowAuthenticationThreshold: 211,
});

/** What a network announces about its security. */
export type Security =
  | "none"
  | "wep"
  | "wpa_psk"
  | "wpa2_psk"
  | "wpa_wpa2_psk"
  | "wpa2_enterprise"
  | "wpa3_psk"
  | "wpa2_wpa3_psk"
  | "owe";

/** A joining station: a device's radio or a phone. */
export interface Station {
  readonly mac: string;
  readonly node: IpNode;
  /** The network has gone or has thrown the station out. */
  dropped(reason: number): void;
  /** DHCP no longer lends the address that the station has: it asks for one anew. */
  addressWithdrawn?(): void;
}

export interface AirNetwork {
  readonly ssid: string;
  readonly bssid: Uint8Array;
  readonly channel: number;
  readonly rssi: number;
  readonly hidden: boolean;
  readonly security: Security;
  readonly isUp: boolean;
  readonly segment: Segment<IpNode>;
  /** The addresses of DNS servers that DHCP announces. */
  readonly dnsServers: readonly string[];
  /** What DHCP announces about a captive portal (option 114, RFC 8910). */
  readonly captivePortalUri?: string | undefined;
  acceptsPassword(password: string): boolean;
  /** What DHCP lends to a MAC now; undefined: nothing answers, or it offers 0.0.0.0, which no station takes. */
  lease(mac: string): string | undefined;
  /** False if no more stations fit. */
  admit(station: Station): boolean;
  release(station: Station): void;
}
