/**
 * The SDK's older `wifi` module on the virtual radio: station, access point, scan, and the messages to firmware, with its
 * five silent retries and its one bit of reason. Chooses no network.
 */

import type { Machine } from "../../machine/machine.js";
import { REASON } from "../../network/air.js";
import type { RadioEvent, RadioMode, ScanOptions, ScanResult } from "../../network/radio.js";
import type { Callback, Dictionary, Native } from "../native.js";
import { announceScan } from "./scan-report.js";

const RETRY_COUNT = 5;
const SSID_BYTES_MAX = 32;
const PASSWORD_BYTES_MAX = 64;
const PASSWORD_BYTES_MIN = 8;
const CHANNEL_MAX = 13;
const OFF = -5;

interface Listener {
  readonly object: Dictionary;
}

export function createWifi(machine: Machine, native: Native): { WiFi: object } {
  const { radio } = machine;
  const driver = new Driver(machine);
  const listeners: Listener[] = [];
  const listenerOf = new WeakMap<object, Listener>();

  driver.notify = (message, value) => {
    for (const listener of [...listeners].reverse()) {
      machine.after(0, () => {
        if (!listeners.includes(listener)) return;
        const callback = listener.object.callback as Callback;
        if (value === undefined) callback.call(listener.object, message);
        else callback.call(listener.object, message, value);
      });
    }
  };

  function text(dictionary: Dictionary, name: string, bytesMax: number): string {
    const value = native.text(dictionary[name]);
    if (new TextEncoder().encode(value).length > bytesMax) {
      throw native.error(`${name} too long - ${bytesMax} bytes max`);
    }
    return value;
  }

  function channelOf(dictionary: Dictionary, otherwise: number): number {
    if (!("channel" in dictionary)) return otherwise;
    const channel = native.integer(dictionary.channel);
    if (channel < 1 || channel > CHANNEL_MAX) throw native.error("invalid channel");
    return channel;
  }

  class WiFi {
    static readonly Mode = Object.freeze(native.object({ off: OFF, none: 0, station: 1, accessPoint: 2 }));
    static readonly gotIP = "gotIP";
    static readonly lostIP = "lostIP";
    static readonly connected = "connect";
    static readonly disconnected = "disconnect";
    static readonly station_connect = "station_connect";
    static readonly station_disconnect = "station_disconnect";

    constructor(...parameters: [unknown?, unknown?]) {
      if (parameters.length === 1 || parameters.length === 2) this.build(...parameters);
    }

    build(dictionary?: unknown, onNotify?: unknown): void {
      if (dictionary) WiFi.connect(dictionary as Dictionary);
      if (onNotify) this.onNotify = onNotify;
    }

    close(): void {
      const listener = listenerOf.get(this);
      if (listener === undefined) return;
      listeners.splice(listeners.indexOf(listener), 1);
      listenerOf.delete(this);
    }

    set onNotify(callback: unknown) {
      this.close();
      const object = this as unknown as Dictionary;
      if (!callback) {
        delete object.callback;
        return;
      }
      object.callback = callback;
      const listener = { object };
      listenerOf.set(this, listener);
      listeners.push(listener);
    }

    static get mode(): number {
      return radio.isStarted ? radio.mode : OFF;
    }

    static set mode(value: number) {
      const mode = native.integer(value);
      if (mode === OFF) {
        driver.stop();
        return;
      }
      if (mode < 0 || mode > 3) throw native.error("invalid mode");
      if (mode === 0) driver.forgetNetwork();
      driver.start(mode as RadioMode);
      radio.setMode(mode as RadioMode);
    }

    static scan(...parameters: [unknown?, unknown?]): void {
      driver.start(1);
      const [dictionary, callback] = parameters;
      if (parameters.length === 0) {
        driver.stopScan();
        return;
      }
      if (driver.isScanning) throw native.error("already scanning");
      const isObject =
        (typeof dictionary === "object" && dictionary !== null) || typeof dictionary === "function";
      if (parameters.length < 2 || !isObject) throw native.error("invalid");
      const options = dictionary as Dictionary;
      const hidden = "hidden" in options && Boolean(options.hidden);
      const channel = "channel" in options ? native.integer(options.channel) : 0;
      // passive or active makes no difference here, but a getter is called
      if ("active" in options) void options.active;
      const report = announceScan(machine, describe(native), callback as Callback);
      if (!driver.scan({ channel, hidden }, report)) throw native.error("scan request failed");
    }

    static connect(...parameters: [unknown?]): void {
      driver.reset();
      if (parameters.length === 0) return;
      driver.start(1);
      const dictionary = parameters[0] as Dictionary;
      if (dictionary === undefined || dictionary === null) throw native.coerced();
      if (!dictionary.ssid) throw native.error("ssid required");
      const ssid = text(dictionary, "ssid", SSID_BYTES_MAX);
      const password = dictionary.password ? text(dictionary, "password", PASSWORD_BYTES_MAX) : "";
      const bssid = "bssid" in dictionary ? native.bytesOf(dictionary.bssid).slice() : undefined;
      if (bssid !== undefined && bssid.length !== 6) throw native.error("bssid must be 6 bytes");
      channelOf(dictionary, 0);
      if (!driver.connect({ ssid, password, bssid })) throw native.error("esp_wifi_connect failed");
    }

    static disconnect(): void {
      WiFi.connect();
    }

    static close(): never {
      throw native.error("use WiFi.disconnect()");
    }

    /** `station: true` counts only if the radio is not yet in an access point mode: the SDK starts it as one itself. */
    static accessPoint(dictionary: Dictionary): void {
      driver.start(2);
      if (dictionary === undefined || dictionary === null) throw native.coerced();
      const ssid = text(dictionary, "ssid", SSID_BYTES_MAX);
      const password = "password" in dictionary ? text(dictionary, "password", PASSWORD_BYTES_MAX) : "";
      const passwordBytes = new TextEncoder().encode(password).length;
      if ("password" in dictionary && passwordBytes < PASSWORD_BYTES_MIN) {
        throw native.error(`password too short - ${PASSWORD_BYTES_MIN} bytes min`);
      }
      const channel = channelOf(dictionary, 1);
      const stationCountMax = "max" in dictionary ? native.integer(dictionary.max) : 4;
      if ((radio.mode & 2) === 0) radio.setMode(dictionary.station ? 3 : 2);
      driver.hasCredentials = true;
      radio.openAccessPoint({ ssid, password, channel, hidden: Boolean(dictionary.hidden), stationCountMax });
    }
  }

  return { WiFi };
}

/** An item of a scan in the older module's format. */
function describe(native: Native): (found: ScanResult) => object {
  return ({ ssid, rssi, channel, bssid, security }) =>
    native.object({
      ssid,
      rssi,
      channel,
      hidden: false,
      bssid: native.arrayBuffer(bssid),
      authentication: isNamed(security) ? security : "wpa_wpa2_psk",
    });
}

/** The module has no name for what came after WPA2: to it WPA3, mixed, enterprise and encrypted open networks are all one. */
const isNamed = (security: ScanResult["security"]): boolean =>
  ["none", "wep", "wpa_psk", "wpa2_psk"].includes(security);

/** The module's state in C: retries, the last reason, and when both addresses are there. */
class Driver {
  notify: (message: string, value?: number) => void = () => {};
  hasCredentials = false;
  isScanning = false;
  #machine: Machine;
  readonly #subscriber = (event: RadioEvent): void => this.#take(event);
  #config: { ssid: string; password: string; bssid: Uint8Array | undefined } | undefined;
  #retryCount = 0;
  #reason = 0;
  #hasIp4 = false;
  #hasIp6 = false;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** The mode counts only if the radio is not running yet. */
  start(mode: RadioMode): void {
    const { radio } = this.#machine;
    radio.subscribers.add(this.#subscriber);
    radio.start(mode);
  }

  stop(): void {
    if (!this.#machine.radio.isStarted) return;
    this.reset();
    this.#machine.radio.subscribers.delete(this.#subscriber);
    this.isScanning = false;
    this.#machine.radio.stop();
  }

  /** Leaves the network and forgets the last reason. */
  reset(): void {
    this.#reason = 0;
    this.forgetNetwork();
  }

  forgetNetwork(): void {
    this.hasCredentials = false;
    this.#config = undefined;
    this.#machine.radio.disconnect();
  }

  connect(config: { ssid: string; password: string; bssid: Uint8Array | undefined }): boolean {
    this.#config = config;
    this.hasCredentials = true;
    this.#retryCount = RETRY_COUNT;
    if (this.#machine.radio.connect(config)) return true;
    this.forgetNetwork();
    return false;
  }

  scan(options: ScanOptions, report: (results: readonly ScanResult[]) => void): boolean {
    const isAccepted = this.#machine.radio.scan(options, (results) => {
      this.isScanning = false;
      report(results);
    });
    this.isScanning = isAccepted;
    return isAccepted;
  }

  stopScan(): void {
    this.isScanning = false;
    this.#machine.radio.stopScan();
  }

  #take(event: RadioEvent): void {
    switch (event.type) {
      case "started":
        this.notify("start");
        return;
      case "connected":
        this.#retryCount = 0;
        this.#hasIp4 = false;
        this.#hasIp6 = false;
        this.notify("connect");
        return;
      case "disconnected":
        this.#disconnected(event.reason);
        return;
      case "gotIp4":
        this.#hasIp4 = true;
        if (this.#hasIp6) this.notify("gotIP");
        return;
      case "gotIp6":
        this.#hasIp6 = true;
        if (this.#hasIp4) this.notify("gotIP");
        return;
      case "stationJoined":
        this.notify("station_connect");
        return;
      case "stationLeft":
        this.notify("station_disconnect");
        return;
    }
  }

  /** A failed attempt is repeated five times before firmware is notified; a lost connection is reported at once. */
  #disconnected(reason: number): void {
    if (reason === REASON.fourWayHandshakeTimeout) this.#reason = -1;
    if (!this.hasCredentials) this.#retryCount = 0;
    if (this.#retryCount > 0 && this.#config !== undefined) {
      const isLeaving = reason === REASON.associationLeave; // of the network before: joining is under way already
      if (isLeaving || this.#machine.radio.connect(this.#config)) {
        if (!isLeaving) this.#retryCount -= 1;
        return;
      }
    }
    this.#retryCount = 0;
    this.notify("disconnect", this.#reason);
  }
}
