// ESP-IDF's ESP-NOW of one boot (esp_now.h): a list of peers, a short queue of frames to send, callbacks. It runs beside the firmware, as the
// Wi-Fi task does: what it is given while XS computes, it reports at once. The air is in espnow-air.ts; what waits for XS, in
// modules/espnow.ts.
//
// It leaves out what a frame meets while the flash is written: the radio's ten buffers bridge the 45 ms of a sector (espnow-air.ts).

import { type AirStation, type EspNowAir, type HeardFrame, MAX_FRAME_BYTES } from "./espnow-air.js";

/** ESP_NOW_MAX_TOTAL_PEER_NUM. */
const MAX_PEER_COUNT = 20;
/** ESP-IDF names no number for when it answers ESP_ERR_ESPNOW_NO_MEM: firmware must not count on more. */
const MAX_QUEUE_LENGTH = 8;

export type EspNowError =
  | "ESP_OK"
  | "ESP_ERR_ESPNOW_NOT_INIT"
  | "ESP_ERR_ESPNOW_INTERNAL"
  | "ESP_ERR_ESPNOW_ARG"
  | "ESP_ERR_ESPNOW_NO_MEM"
  | "ESP_ERR_ESPNOW_FULL"
  | "ESP_ERR_ESPNOW_NOT_FOUND"
  | "ESP_ERR_ESPNOW_EXIST"
  | "ESP_ERR_ESPNOW_IF";

/** What ESP-NOW sees of the Wi-Fi radio that it is part of. */
export interface WifiSide {
  readonly mac: string;
  /** Wi-Fi runs, with a station. */
  readonly isStation: boolean;
  /** The channel that is listened on; undefined: none now, because it searches others. */
  readonly heardChannel: number | undefined;
  readonly isJoined: boolean;
}

interface Queued {
  readonly to: string;
  readonly bytes: Uint8Array;
}

export class EspNow implements AirStation {
  onReceived: (frame: HeardFrame) => void = () => {};
  onSent: (to: string, isAcknowledged: boolean) => void = () => {};
  /** WIFI_PS_MIN_MODEM, ESP-IDF's default: joined, it is asleep between two beacons, and hears nothing (ESP-FAQ, ESP-NOW). */
  isPowerSaving = true;
  /** It refuses to start, as it does without memory, and where there is no radio. */
  isBroken = false;
  readonly #air: EspNowAir;
  readonly #wifi: WifiSide;
  readonly #peers = new Set<string>();
  readonly #queue: Queued[] = [];
  #isStarted = false;
  #isSending = false;

  constructor(air: EspNowAir, wifi: WifiSide) {
    this.#air = air;
    this.#wifi = wifi;
    air.enter(this);
  }

  get mac(): string {
    return this.#wifi.mac;
  }

  /** The radio acknowledges what it hears by itself: firmware that has not started ESP-NOW gets nothing of it. */
  get channel(): number | undefined {
    const { isStation, isJoined, heardChannel } = this.#wifi;
    return isStation && !(isJoined && this.isPowerSaving) ? heardChannel : undefined;
  }

  init(): EspNowError {
    if (this.isBroken) return "ESP_ERR_ESPNOW_INTERNAL";
    this.#isStarted = true;
    return "ESP_OK";
  }

  deinit(): EspNowError {
    if (!this.#isStarted) return "ESP_ERR_ESPNOW_NOT_INIT";
    this.#isStarted = false;
    this.#peers.clear();
    this.#dropQueue();
    return "ESP_OK";
  }

  addPeer(mac: string): EspNowError {
    if (!this.#isStarted) return "ESP_ERR_ESPNOW_NOT_INIT";
    if (this.#peers.has(mac)) return "ESP_ERR_ESPNOW_EXIST";
    if (this.#peers.size === MAX_PEER_COUNT) return "ESP_ERR_ESPNOW_FULL";
    this.#peers.add(mac);
    return "ESP_OK";
  }

  deletePeer(mac: string): EspNowError {
    if (!this.#isStarted) return "ESP_ERR_ESPNOW_NOT_INIT";
    return this.#peers.delete(mac) ? "ESP_OK" : "ESP_ERR_ESPNOW_NOT_FOUND";
  }

  /** ESP_OK: onSent follows, once the frame has left or nobody has acknowledged it. */
  send(to: string, bytes: Uint8Array): EspNowError {
    if (!this.#isStarted) return "ESP_ERR_ESPNOW_NOT_INIT";
    if (bytes.length === 0 || bytes.length > MAX_FRAME_BYTES) return "ESP_ERR_ESPNOW_ARG";
    if (!this.#peers.has(to)) return "ESP_ERR_ESPNOW_NOT_FOUND";
    if (!this.#wifi.isStation) return "ESP_ERR_ESPNOW_IF";
    if (this.#queue.length === MAX_QUEUE_LENGTH) return "ESP_ERR_ESPNOW_NO_MEM";
    this.#queue.push({ to, bytes: bytes.slice() });
    if (!this.#isSending) this.#sendNext();
    return "ESP_OK";
  }

  hear(frame: HeardFrame): void {
    if (this.#isStarted) this.onReceived(frame);
  }

  /** Wi-Fi was stopped: nothing is reported of what was under way. */
  wifiStopped(): void {
    this.#dropQueue();
  }

  /** Power has gone. */
  vanish(): void {
    this.#isStarted = false;
    this.#dropQueue();
    this.#air.leave(this);
  }

  #sendNext(): void {
    const next = this.#queue[0];
    this.#isSending = next !== undefined;
    if (!next) return;
    this.#air.send(this, { from: this.mac, ...next }, (isAcknowledged) => {
      if (this.#queue[0] !== next) return; // dropped meanwhile
      this.#queue.shift();
      this.#sendNext();
      this.onSent(next.to, isAcknowledged);
    });
  }

  #dropQueue(): void {
    this.#queue.length = 0;
    this.#isSending = false;
  }
}
