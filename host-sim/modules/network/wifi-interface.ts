/**
 * `embedded:network/interface/wifi`: the SDK's newer station-only Wi-Fi on the virtual radio. No retries, no reason, no
 * access point.
 */

import type { Machine } from "../../machine/machine.js";
import { formatMac, normalizeAddress } from "../../network/address.js";
import type { RadioEvent, ScanResult } from "../../network/radio.js";
import type { Callback, Dictionary, Native } from "../native.js";
import { announceScan } from "./scan-report.js";

/** Connection states of ECMA-419. */
const DISCONNECTED = 200;
const CONNECTING = 300;
const CONNECTED = 400;
const ADDRESSED = 500;
/** ESP-IDF's limit (TCPIP_HOSTNAME_MAX_SIZE). The name itself is not used here. */
const HOSTNAME_BYTES_MAX = 32;

interface State {
  readonly onChanged: Callback | undefined;
  isConnecting: boolean;
  isConnected: boolean;
  hasAddresses: boolean;
}

export function createWifiInterface(machine: Machine, native: Native): { WiFi: object } {
  const { radio } = machine;
  const states = new WeakMap<object, State | undefined>();
  const open = new Set<{ object: object; state: State }>();
  let isSubscribed = false;
  let isScanning = false;
  let hasIp4 = false;
  let hasIp6 = false;

  function stateOf(object: object): State {
    const state = states.get(object);
    if (state === undefined) throw native.invalidHandle(states.has(object));
    return state;
  }

  function start(): void {
    if (!isSubscribed) {
      isSubscribed = true;
      radio.subscribers.add(take);
    }
    radio.start(1);
  }

  /** Stores what both addresses need, and notifies every object in a separate turn. */
  function take(event: RadioEvent): void {
    if (event.type === "connected" || event.type === "disconnected") {
      hasIp4 = false;
      hasIp6 = false;
    } else if (event.type === "gotIp4") hasIp4 = true;
    else if (event.type === "gotIp6") hasIp6 = true;
    else return;
    if (event.type.startsWith("got") && !(hasIp4 && hasIp6)) return;
    for (const one of open) machine.after(0, () => deliver(one, event));
  }

  function deliver(one: { object: object; state: State }, event: RadioEvent): void {
    if (!open.has(one)) return;
    const { object, state } = one;
    const before = `${connectionOf(state)}`;
    const hadAddresses = state.hasAddresses;
    state.isConnecting = event.type.startsWith("got") ? state.isConnecting : false;
    state.isConnected = event.type !== "disconnected";
    state.hasAddresses = event.type.startsWith("got");
    if (before !== `${connectionOf(state)}`) state.onChanged?.call(object, "connection");
    if (!hadAddresses && state.hasAddresses && open.has(one)) state.onChanged?.call(object, "address");
  }

  class WiFi {
    constructor(...parameters: [unknown?]) {
      states.set(this, undefined);
      native.needArguments(parameters, 1);
      const onChanged = native.callback(parameters[0], "onChanged");
      start();
      const isConnected = radio.joined !== undefined;
      const hasAddresses = isConnected && radio.stationAddress !== undefined;
      const state = { onChanged, isConnecting: false, isConnected, hasAddresses };
      states.set(this, state);
      open.add({ object: this, state });
    }

    close(): void {
      const state = states.get(this);
      states.set(this, undefined);
      for (const one of open) if (one.state === state) open.delete(one);
    }

    scan(options: Dictionary): void {
      stateOf(this);
      if (isScanning) throw native.error("already scanning");
      const onFound = native.callback(options, "onFound");
      if (onFound === undefined) throw native.error("onFound required");
      const onComplete = native.callback(options, "onComplete");
      const onItem: Callback = (item) => {
        if (states.get(this)) onFound.call(this, item);
      };
      const report = announceScan(
        machine,
        (found) => native.object(describe(found)),
        onItem,
        () => {
          if (states.get(this)) onComplete?.call(this);
        },
      );
      const channel = "channel" in options ? native.integer(options.channel) : 0;
      isScanning = radio.scan({ channel }, (results) => {
        isScanning = false;
        report(results);
      });
      if (!isScanning) throw native.error("scan failed");
    }

    connect(options: Dictionary): void {
      const state = stateOf(this);
      if (state.isConnecting) throw native.error("already connecting");
      if (!("SSID" in options)) throw native.error("SSID required");
      const channel = "channel" in options ? native.integer(options.channel) : 1;
      if (channel < 1 || channel > 13) throw native.rangeError("invalid channel");
      const password = "password" in options ? native.text(options.password) : "";
      if (!radio.connect({ ssid: native.text(options.SSID), password })) throw native.error("connect failed");
      state.isConnecting = true;
    }

    disconnect(): void {
      const state = stateOf(this);
      radio.disconnect();
      state.isConnecting = false;
      state.isConnected = false;
      state.hasAddresses = false;
    }

    configure(options: Dictionary): void {
      stateOf(this);
      if ("hostname" in options && Buffer.byteLength(native.text(options.hostname)) > HOSTNAME_BYTES_MAX) {
        throw native.error("set hostname failed");
      }
      if (!("static" in options)) return;
      const given = options.static as Dictionary | undefined;
      if (!given) {
        radio.applyStaticAddress(undefined);
        return;
      }
      for (const name of ["address", "mask", "gateway"]) {
        if (normalizeAddress(native.text(given[name])) === undefined)
          throw native.rangeError(`invalid ${name}`);
      }
      radio.applyStaticAddress(native.text(given.address));
    }

    get connection(): number {
      return connectionOf(stateOf(this));
    }

    get address(): string | undefined {
      stateOf(this);
      return radio.stationAddress;
    }

    get MAC(): string {
      stateOf(this);
      return formatMac(radio.mac);
    }

    get SSID(): string | undefined {
      stateOf(this);
      return radio.joined?.ssid;
    }

    get BSSID(): string | undefined {
      stateOf(this);
      return radio.joined && formatMac(radio.joined.bssid);
    }

    get RSSI(): number | undefined {
      stateOf(this);
      return radio.joined?.rssi;
    }

    get channel(): number | undefined {
      stateOf(this);
      return radio.joined?.channel;
    }
  }

  return { WiFi };
}

function connectionOf(state: State): number {
  if (state.isConnected) return state.hasAddresses ? ADDRESSED : CONNECTED;
  return state.isConnecting ? CONNECTING : DISCONNECTED;
}

function describe({ ssid, bssid, rssi, channel, security }: ScanResult): object {
  return {
    SSID: ssid,
    BSSID: formatMac(bssid),
    RSSI: rssi,
    channel,
    security: security === "owe" ? "unknown" : security,
  };
}
