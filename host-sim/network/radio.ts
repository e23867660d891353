/**
 * The Wi-Fi radio of one boot, as ESP-IDF's driver offers it to the SDK's two Wi-Fi modules: station, access point, both,
 * and scans, which take the radio off its channel. Retries and messages to firmware are the modules' business.
 */

import type { Scheduled, World } from "../world/world.js";
import { formatMac } from "./address.js";
import { type AirNetwork, REASON, type Security, type Station } from "./air.js";
import { EspNow, type WifiSide } from "./espnow.js";
import type { EspNowAir } from "./espnow-air.js";
import { refusalOf } from "./join-verdict.js";
import type { NetworkStack } from "./network-stack.js";
import { SoftAccessPoint, type SoftAccessPointConfig } from "./soft-access-point.js";

const CHANNEL_COUNT = 13;
/** Without a network, the country "01" of ESP-IDF's default allows to send on these alone (esp_wifi.h, esp_wifi_set_country). */
const OWN_CHANNEL_COUNT = 11;
const CHANNEL_DWELL_MS = 120;
/** With an access point the radio comes home between two channels. */
const CHANNEL_HOME_MS = 30;
const HANDSHAKE_MS = 100;
const DHCP_MS = 400;
/** lwIP's DHCP client asks again and again where nothing answers. */
const DHCP_RETRY_MS = 2000;
/** Duplicate address detection of the IPv6 link-local address. */
const LINK_LOCAL_MS = 1000;

/** 0 none, 1 station, 2 access point, 3 both. */
export type RadioMode = 0 | 1 | 2 | 3;
const STATION = 1;
const ACCESS_POINT = 2;

export type RadioEvent =
  | { readonly type: "started" }
  | { readonly type: "connected" }
  | { readonly type: "disconnected"; readonly reason: number }
  | { readonly type: "gotIp4" }
  | { readonly type: "gotIp6" }
  | { readonly type: "stationJoined"; readonly mac: string }
  | { readonly type: "stationLeft"; readonly mac: string };

export interface ScanOptions {
  /** 0: all. */
  readonly channel: number;
  /** Hidden networks too. */
  readonly hidden?: boolean;
}

export interface ScanResult {
  readonly ssid: string;
  readonly bssid: Uint8Array;
  readonly channel: number;
  readonly rssi: number;
  readonly security: Security;
}

export interface StationConfig {
  readonly ssid: string;
  readonly password: string;
  readonly bssid?: Uint8Array | undefined;
}

/** The air around a radio. */
export interface Air {
  readonly espNow: EspNowAir;
  networks(): readonly AirNetwork[];
  appear(network: AirNetwork): void;
  disappear(network: AirNetwork): void;
}

export class WifiRadio {
  readonly mac: Uint8Array;
  readonly stack: NetworkStack;
  readonly espNow: EspNow;
  mode: RadioMode = 0;
  isStarted = false;
  /** Called for every event, in the order of subscription, from world events. */
  readonly subscribers = new Set<(event: RadioEvent) => void>();
  /** A static address instead of DHCP. */
  staticAddress: string | undefined;
  #world: World;
  #air: Air;
  #joined: AirNetwork | undefined;
  #join: Scheduled | undefined;
  #pending: Scheduled[] = [];
  #isLeaving = false;
  #awaySinceMs: number | undefined;
  /** Where it listens without a network: where it was told to, or where its last network was. */
  #ownChannel = 1;
  #scan: { event: Scheduled; done: (results: readonly ScanResult[]) => void } | undefined;
  #accessPoint: SoftAccessPoint | undefined;
  #station: Station;

  constructor(options: { world: World; air: Air; stack: NetworkStack; mac: Uint8Array }) {
    this.#world = options.world;
    this.#air = options.air;
    this.stack = options.stack;
    this.mac = options.mac;
    this.#station = {
      mac: formatMac(options.mac),
      node: options.stack,
      dropped: (reason) => this.#lose(reason),
      addressWithdrawn: () => this.#losesAddress(),
    };
    this.espNow = new EspNow(options.air.espNow, this.#espNowSide());
  }

  /** The network that the station has joined. */
  get joined(): AirNetwork | undefined {
    return this.#joined;
  }

  get accessPoint(): SoftAccessPoint | undefined {
    return this.#accessPoint;
  }

  /** The station's IPv4 address. */
  get stationAddress(): string | undefined {
    const segment = this.#joined?.segment;
    return this.stack.interfaces.find((one) => one.segment === segment)?.address;
  }

  get channel(): number {
    return this.#joined?.channel ?? this.#accessPoint?.channel ?? this.#ownChannel;
  }

  /** esp_wifi_set_channel. */
  setChannel(
    channel: number,
  ): "ESP_OK" | "ESP_ERR_WIFI_NOT_STARTED" | "ESP_ERR_WIFI_STATE" | "ESP_ERR_INVALID_ARG" {
    if (!this.isStarted) return "ESP_ERR_WIFI_NOT_STARTED";
    if (channel < 1 || channel > OWN_CHANNEL_COUNT) return "ESP_ERR_INVALID_ARG";
    const isServing = this.#accessPoint !== undefined && this.#accessPoint.stationCount > 0;
    if (this.#joined || this.#join || this.#scan || isServing) return "ESP_ERR_WIFI_STATE";
    this.#ownChannel = channel;
    if (this.#accessPoint) this.#accessPoint.channel = channel;
    return "ESP_OK";
  }

  /** Starts the driver in a mode; "started" follows if that includes the station. */
  start(mode: RadioMode): void {
    if (this.isStarted) return;
    this.isStarted = true;
    this.mode = mode;
    this.stack.interfaceStarted();
    if (mode & STATION) this.#emitLater({ type: "started" });
  }

  /** Changes the mode of a started radio. */
  setMode(mode: RadioMode): void {
    const gained = mode & ~this.mode;
    this.mode = mode;
    if (!(mode & ACCESS_POINT)) this.#stopAccessPoint();
    if (!(mode & STATION)) {
      this.#abortScan();
      this.disconnect();
    }
    if (gained & STATION) this.#emitLater({ type: "started" });
  }

  stop(): void {
    if (!this.isStarted) return;
    this.disconnect();
    this.stopScan();
    this.#stopAccessPoint();
    this.isStarted = false;
    this.mode = 0;
    this.espNow.wifiStopped();
    this.stack.interfaceStopped();
  }

  /** Starts to join. False where ESP-IDF refuses. The outcome is "connected" or "disconnected". */
  connect(config: StationConfig): boolean {
    if (!this.isStarted || !(this.mode & STATION)) return false;
    if (this.#joined !== undefined) this.disconnect();
    this.#join?.cancel();
    this.#leaveChannel();
    this.#join = this.#world.schedule(this.#sweepMs(CHANNEL_COUNT), () => {
      this.#awaySinceMs = undefined;
      this.#authenticate(config);
    });
    return true;
  }

  /** Leaves the network or stops joining; "disconnected" follows if there was anything to leave. */
  disconnect(): void {
    if (this.#joined === undefined && this.#join === undefined) return;
    this.#join?.cancel();
    this.#join = undefined;
    if (this.#scan === undefined) this.#awaySinceMs = undefined;
    this.#leave();
    this.#isLeaving = true;
    this.#world.schedule(0, () => {
      this.#isLeaving = false;
      this.#emit({ type: "disconnected", reason: REASON.associationLeave });
    });
  }

  /** Looks for networks. False where ESP-IDF refuses. */
  scan(options: ScanOptions, done: (results: readonly ScanResult[]) => void): boolean {
    const { channel, hidden = false } = options;
    if (!this.isStarted || !(this.mode & STATION) || this.#scan !== undefined) return false;
    if (this.#join !== undefined || this.#isLeaving) return false;
    this.#leaveChannel();
    const event = this.#world.schedule(this.#sweepMs(channel === 0 ? CHANNEL_COUNT : 1), () => {
      this.#scan = undefined;
      this.#awaySinceMs = undefined;
      done(this.#heard(channel, hidden));
    });
    this.#scan = { event, done };
    return true;
  }

  stopScan(): void {
    this.#scan?.event.cancel();
    this.#scan = undefined;
    this.#awaySinceMs = undefined;
  }

  /** Ends it as if nothing had been heard. */
  #abortScan(): void {
    const scan = this.#scan;
    this.stopScan();
    scan?.done([]);
  }

  /** Opens or changes the device's own access point. */
  openAccessPoint(config: SoftAccessPointConfig): void {
    this.#stopAccessPoint();
    const bssid = this.mac.slice();
    bssid[5] = ((bssid[5] ?? 0) + 1) & 0xff;
    this.#accessPoint = new SoftAccessPoint({
      config: { ...config, channel: this.#joined?.channel ?? config.channel },
      bssid,
      owner: this.stack,
      isAway: () => this.#isAway(),
      onStation: (event, { mac }) =>
        this.#emitLater({ type: event === "joined" ? "stationJoined" : "stationLeft", mac }),
    });
    this.#air.appear(this.#accessPoint);
  }

  /** Announces that an address was set by hand on a joined network. */
  applyStaticAddress(address: string | undefined): void {
    this.staticAddress = address;
    if (this.#joined !== undefined && address !== undefined) this.#takeAddress(this.#joined, address);
  }

  /** Power has gone. */
  vanish(): void {
    this.subscribers.clear();
    this.espNow.vanish();
    for (const event of [this.#join, this.#scan?.event, ...this.#pending]) event?.cancel();
    this.#joined?.release(this.#station);
    this.#joined = undefined;
    if (this.#accessPoint !== undefined) this.#air.disappear(this.#accessPoint);
    this.#accessPoint?.stop();
  }

  /**
   * Tries the strongest network of that name, and only that. ESP-IDF's documentation says that the others follow when it fails; that has
   * been seen to be untrue where the failure comes late (handshake, full), so firmware is not to rely on it.
   */
  #authenticate(config: StationConfig): void {
    const candidates = this.#air
      .networks()
      .filter((network) => network.isUp && network.ssid === config.ssid && network !== this.#accessPoint)
      .filter((network) => config.bssid === undefined || sameBytes(network.bssid, config.bssid))
      .sort((a, b) => b.rssi - a.rssi);
    const network = candidates[0];
    if (network === undefined) {
      this.#refuse(REASON.noAccessPointFound, 0);
      return;
    }
    const refused = refusalOf(network, config.password);
    if (refused) return this.#refuse(refused.reason, refused.delayMs);
    this.#join = this.#world.schedule(HANDSHAKE_MS, () => {
      this.#join = undefined;
      if (!network.isUp) return this.#refuse(REASON.noAccessPointFound, 0);
      if (!network.admit(this.#station)) return this.#refuse(REASON.associationTooMany, 0);
      this.#enter(network);
    });
  }

  #refuse(reason: number, delayMs: number): void {
    this.#join = this.#world.schedule(delayMs, () => {
      this.#join = undefined;
      this.#emit({ type: "disconnected", reason });
    });
  }

  #enter(network: AirNetwork): void {
    this.#joined = network;
    if (this.#accessPoint !== undefined) this.#accessPoint.channel = network.channel;
    const address = this.staticAddress;
    if (address !== undefined) this.#later(network, 0, () => this.#takeAddress(network, address));
    else this.#askForAddress(network, DHCP_MS);
    this.#later(network, LINK_LOCAL_MS, () => this.#emit({ type: "gotIp6" }));
    this.#emit({ type: "connected" });
  }

  /** Runs an action unless the network has been left by then. */
  #later(network: AirNetwork, delayMs: number, action: () => void): void {
    this.#pending.push(
      this.#world.schedule(delayMs, () => {
        if (this.#joined === network) action();
      }),
    );
  }

  #askForAddress(network: AirNetwork, delayMs: number): void {
    this.#later(network, delayMs, () => {
      const address = network.lease(this.#station.mac);
      if (address === undefined) this.#askForAddress(network, DHCP_RETRY_MS);
      else this.#takeAddress(network, address);
    });
  }

  /** The lease is not renewed: connections from the old address end, and nothing tells firmware (the SDK drops ESP-IDF's event). */
  #losesAddress(): void {
    const network = this.#joined;
    const address = this.stationAddress;
    if (network === undefined || address === undefined) return;
    this.stack.removeInterface(network.segment);
    this.stack.abortConnectionsOf(address);
    this.#askForAddress(network, DHCP_MS);
  }

  #takeAddress(network: AirNetwork, address: string): void {
    this.stack.addInterface(address, network.segment);
    this.stack.dnsServers = network.dnsServers;
    this.#emit({ type: "gotIp4" });
  }

  #lose(reason: number): void {
    if (this.#joined === undefined) return;
    this.#leave();
    this.#emit({ type: "disconnected", reason });
  }

  #leave(): void {
    const network = this.#joined;
    this.#joined = undefined;
    for (const event of this.#pending) event.cancel();
    this.#pending = [];
    if (network === undefined) return;
    this.#ownChannel = network.channel;
    network.release(this.#station);
    this.stack.removeInterface(network.segment);
  }

  #stopAccessPoint(): void {
    const accessPoint = this.#accessPoint;
    if (accessPoint === undefined) return;
    this.#accessPoint = undefined;
    this.#air.disappear(accessPoint);
    accessPoint.stop();
    this.stack.removeInterface(accessPoint.segment);
  }

  /** Hidden networks are never among the results, whatever is asked for. */
  #heard(channel: number, withHidden: boolean): readonly ScanResult[] {
    return this.#air
      .networks()
      .filter((network) => network.isUp && network !== this.#accessPoint)
      .filter((network) => withHidden || !network.hidden)
      .filter((network) => channel === 0 || network.channel === channel)
      .sort((a, b) => b.rssi - a.rssi)
      .map(({ ssid, hidden, bssid, channel, rssi, security }) => {
        // a hidden network does not announce its name
        return { ssid: hidden ? "" : ssid, bssid, channel, rssi, security };
      });
  }

  #espNowSide(): WifiSide {
    const radio = this;
    return {
      mac: this.#station.mac,
      get isStation() {
        return radio.isStarted && (radio.mode & STATION) !== 0;
      },
      get isJoined() {
        return radio.joined !== undefined;
      },
      get heardChannel() {
        return radio.#isAway() ? undefined : radio.channel;
      },
    };
  }

  #leaveChannel(): void {
    this.#awaySinceMs = this.#world.nowMs;
  }

  #sweepMs(channelCount: number): number {
    return channelCount * (CHANNEL_DWELL_MS + (this.#accessPoint === undefined ? 0 : CHANNEL_HOME_MS));
  }

  #isAway(): boolean {
    if (this.#awaySinceMs === undefined) return false;
    const phaseMs = (this.#world.nowMs - this.#awaySinceMs) % (CHANNEL_DWELL_MS + CHANNEL_HOME_MS);
    return phaseMs < CHANNEL_DWELL_MS;
  }

  #emitLater(event: RadioEvent): void {
    this.#world.schedule(0, () => this.#emit(event));
  }

  #emit(event: RadioEvent): void {
    for (const subscriber of [...this.subscribers]) subscriber(event);
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
