/**
 * A router: a Wi-Fi network with a LAN, a DHCP pool, a DNS server at its gateway address and, unless it is cut off, the
 * hosts of the wider network behind it. Knows only the stations of devices.
 */

import type { World } from "../world/world.js";
import { type AirNetwork, REASON, type Security, type Station } from "./air.js";
import { answerFrom } from "./dns-server.js";
import { IpNode } from "./ip-node.js";
import { Segment, type Uplink } from "./segment.js";

/** What DHCP does: lends addresses, stays silent, or offers 0.0.0.0 as some routers do whose pool is empty. */
export type Dhcp = boolean | "0.0.0.0";

/** A station notices a silent access point after this time (ESP-IDF's default inactive time). */
const BEACON_TIMEOUT_MS = 6000;

export interface AccessPointOptions {
  readonly ssid: string;
  readonly password?: string | undefined;
  readonly channel?: number;
  readonly rssi?: number;
  readonly hidden?: boolean;
  readonly up?: boolean;
  readonly dhcp?: Dhcp;
  /** Six bytes as "02:5e:00:00:00:01"; several routers may have one name, but not one of these. */
  readonly bssid?: string;
  /** Default: "wpa2_psk" with a password, else "none". */
  readonly security?: Security;
  /** What its name server appends to the names that stations tell it, such as "fritz.box"; absent: it resolves none. */
  readonly domain?: string;
  /** It throws each station out after this time. */
  readonly keepsForMs?: number;
  /** More stations are refused. */
  readonly stationCountMax?: number;
  /** First three parts of the LAN's addresses; "192.168.N" by default. */
  readonly prefix?: string;
  readonly latencyMs?: number;
}

export class AccessPoint implements AirNetwork {
  readonly ssid: string;
  readonly bssid: Uint8Array;
  readonly hidden: boolean;
  readonly segment: Segment<IpNode>;
  readonly router: IpNode;
  channel: number;
  rssi: number;
  dhcp: Dhcp;
  stationCountMax: number;
  #world: World;
  readonly #security: Security | undefined;
  readonly #password: string;
  #isUp: boolean;
  #stations = new Set<Station>();
  readonly #domain: string | undefined;
  readonly #keepsForMs: number | undefined;
  /** Addresses of stations by the names that they told, lower case, with the domain. */
  readonly #names = new Map<string, string>();

  constructor(
    options: AccessPointOptions & {
      readonly world: World;
      readonly index: number;
      readonly uplink: Uplink<IpNode>;
      readonly resolve: (name: string) => string | undefined;
    },
  ) {
    this.#world = options.world;
    this.ssid = options.ssid;
    this.#password = options.password ?? "";
    this.channel = options.channel ?? 6;
    this.rssi = options.rssi ?? -55;
    this.hidden = options.hidden ?? false;
    this.#isUp = options.up ?? true;
    this.dhcp = options.dhcp ?? true;
    this.stationCountMax = options.stationCountMax ?? Infinity;
    this.#security = options.security;
    this.#domain = options.domain;
    this.#keepsForMs = options.keepsForMs;
    this.bssid = options.bssid
      ? Uint8Array.from(options.bssid.split(":"), (digits) => Number.parseInt(digits, 16))
      : Uint8Array.of(0x02, 0x5e, 0, 0, 0, options.index);
    const prefix = options.prefix ?? `192.168.${options.index}`;
    this.segment = new Segment({ prefix, latencyMs: options.latencyMs ?? 2, uplink: options.uplink });
    this.segment.isReachable = (node) => this.#isUp || node === this.router;
    this.router = new IpNode({ world: options.world, name: `${options.ssid} router` });
    this.router.addInterface(`${prefix}.1`, this.segment);
    const dns = this.router.bindUdp(53, ({ bytes, address, port }) => {
      const resolve = (name: string) => this.#names.get(name.toLowerCase()) ?? options.resolve(name);
      const answer = this.dnsWorks ? answerFrom(bytes, resolve) : undefined;
      if (answer === undefined) return;
      for (let i = 0; i < this.dnsAnswerCount; i++) dns?.send(answer, address, port);
    });
  }

  /** Whether the router's DNS server answers. */
  dnsWorks = true;
  /** How often each of its answers comes: some links repeat packets. */
  dnsAnswerCount = 1;

  get dnsServers(): readonly string[] {
    return [`${this.segment.prefix}.1`];
  }

  get security(): Security {
    return this.#security ?? (this.#password === "" ? "none" : "wpa2_psk");
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get stationCount(): number {
    return this.#stations.size;
  }

  /** Switches the router on or off; stations notice when they miss its beacons. */
  setUp(isUp: boolean): void {
    this.#isUp = isUp;
    if (!isUp) this.#dropAll(BEACON_TIMEOUT_MS, REASON.beaconTimeout);
  }

  /** Switches the router off and on again: it knows no station any more. Its DHCP server starts some time after its radio. */
  reboot(options: { readonly downMs?: number; readonly dhcpAfterMs?: number } = {}): void {
    const { downMs = 30_000, dhcpAfterMs = 0 } = options;
    const { dhcp } = this;
    const stations = [...this.#stations];
    this.setUp(false);
    this.dhcp = false;
    this.#world.schedule(downMs, () => {
      this.#isUp = true;
      for (const station of stations)
        if (this.#stations.has(station)) this.#drop(station, REASON.notAuthenticated);
    });
    this.#world.schedule(downMs + dhcpAfterMs, () => {
      this.dhcp = dhcp;
    });
  }

  /** Lends every station another address, in another range if one is given, while it stays associated. */
  renumber(prefix: string = this.segment.prefix): void {
    for (const { mac } of this.#stations) this.segment.withdraw(mac);
    this.segment.prefix = prefix;
    this.router.addInterface(`${prefix}.1`, this.segment);
    for (const station of this.#stations) station.addressWithdrawn?.();
  }

  acceptsPassword(password: string): boolean {
    return password === this.#password;
  }

  lease(mac: string): string | undefined {
    if (this.dhcp !== true) return undefined;
    const address = this.segment.lease(mac);
    const name = [...this.#stations].find((station) => station.mac === mac)?.node.hostName;
    if (name && this.#domain) this.#names.set(`${name}.${this.#domain}`.toLowerCase(), address);
    return address;
  }

  admit(station: Station): boolean {
    if (this.#stations.size >= this.stationCountMax) return false;
    this.#stations.add(station);
    this.segment.stations.add(station.node);
    if (this.#keepsForMs !== undefined)
      this.#world.schedule(this.#keepsForMs, () => {
        if (this.#stations.has(station)) this.#drop(station, REASON.notAuthenticated);
      });
    return true;
  }

  release(station: Station): void {
    this.#stations.delete(station);
    this.segment.stations.delete(station.node);
  }

  #drop(station: Station, reason: number): void {
    this.release(station);
    station.dropped(reason);
  }

  #dropAll(delayMs: number, reason: number): void {
    for (const station of [...this.#stations]) {
      this.#world.schedule(delayMs, () => {
        if (!this.#stations.has(station) || (delayMs > 0 && this.#isUp)) return;
        this.#drop(station, reason);
      });
    }
  }
}
