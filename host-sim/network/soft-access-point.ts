/**
 * A device's own access point: 192.168.4.1, a DHCP pool and a bounded number of stations. While the radio is away on
 * another channel it cannot be heard. Decides nothing about Wi-Fi modes.
 */

import { type AirNetwork, REASON, type Station } from "./air.js";
import type { IpNode } from "./ip-node.js";
import { Segment } from "./segment.js";

export const SOFT_AP_ADDRESS = "192.168.4.1";

export interface SoftAccessPointConfig {
  readonly ssid: string;
  /** Empty for an open network. */
  readonly password: string;
  readonly channel: number;
  readonly hidden: boolean;
  readonly stationCountMax: number;
}

export class SoftAccessPoint implements AirNetwork {
  readonly bssid: Uint8Array;
  readonly rssi = -40;
  readonly dnsServers = [SOFT_AP_ADDRESS];
  captivePortalUri: string | undefined;
  readonly segment: Segment<IpNode>;
  config: SoftAccessPointConfig;
  channel: number;
  isUp = true;
  #stations = new Set<Station>();
  #onStation: (event: "joined" | "left", station: Station) => void;

  constructor(options: {
    config: SoftAccessPointConfig;
    bssid: Uint8Array;
    owner: IpNode;
    isAway: () => boolean;
    onStation: (event: "joined" | "left", station: Station) => void;
  }) {
    this.config = options.config;
    this.channel = options.config.channel;
    this.bssid = options.bssid;
    this.#onStation = options.onStation;
    this.segment = new Segment({ prefix: "192.168.4", firstLease: 2 });
    this.segment.isReachable = () => this.isUp && !options.isAway();
    options.owner.addInterface(SOFT_AP_ADDRESS, this.segment);
  }

  get ssid(): string {
    return this.config.ssid;
  }

  get hidden(): boolean {
    return this.config.hidden;
  }

  get security(): "none" | "wpa_wpa2_psk" {
    return this.config.password === "" ? "none" : "wpa_wpa2_psk";
  }

  get stationCount(): number {
    return this.#stations.size;
  }

  acceptsPassword(password: string): boolean {
    return password === this.config.password;
  }

  lease(mac: string): string {
    return this.segment.lease(mac);
  }

  admit(station: Station): boolean {
    if (!this.isUp || this.#stations.size >= this.config.stationCountMax) return false;
    this.#stations.add(station);
    this.#onStation("joined", station);
    return true;
  }

  release(station: Station): void {
    if (this.#stations.delete(station) && this.isUp) this.#onStation("left", station);
  }

  /** The network is gone and its stations notice. */
  stop(): void {
    this.isUp = false;
    for (const station of [...this.#stations]) station.dropped(REASON.beaconTimeout);
    this.#stations.clear();
  }
}
