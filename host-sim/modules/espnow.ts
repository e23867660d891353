// The virtual functions of firmware/platform/radio/skyslot-espnow.c, with the same bounds: a ring of frames that waits for XS, results in
// the order of sending, peers of which the one used longest ago gives way. test/host-sim/modules/espnow-twin.test.ts compares both.

import { ESP_ERROR_CODES, type EspError } from "../hardware/esp-error.js";
import type { Machine } from "../machine/machine.js";
import { formatMac } from "../network/address.js";
import { BROADCAST, MAX_FRAME_BYTES } from "../network/espnow-air.js";

const RING_FRAMES = 32;
const MAX_UNDER_WAY = 6;
const MAX_PEER_COUNT = 19;
const LOST_AFTER_MS = 1000;
const RECORD_BYTES = 259;
/** Kinds of records. */
const NOTHING = 0;
const FRAME = 1;
const SENT = 2;
const DROPPED = 3;

interface Send {
  readonly number: number;
  readonly to: string;
  readonly atMs: number;
  state: "waiting" | "acknowledged" | "failed";
}

type BufferOf = (value: unknown, byteLength: number) => Uint8Array;

/** @param bufferOf a firmware's buffer of at least this size */
export function espNowFunctions(machine: Machine, bufferOf: BufferOf): Record<string, unknown> {
  const { radio } = machine;
  const { espNow } = radio;
  const frames: Uint8Array[] = [];
  const sends: Send[] = [];
  /** The one used longest ago comes first. */
  const peers = new Set<string>();
  let droppedCount = 0;
  const code = (error: EspError): number => ESP_ERROR_CODES[error];

  function tune(channel: number): number {
    return radio.joined ? 0 : code(radio.setChannel(channel));
  }

  function makePeer(mac: string): EspError {
    if (mac === BROADCAST) return "ESP_OK";
    const [oldest] = peers;
    if (!peers.delete(mac)) {
      if (peers.size === MAX_PEER_COUNT && oldest !== undefined) {
        espNow.deletePeer(oldest);
        peers.delete(oldest);
      }
      const error = espNow.addPeer(mac);
      if (error !== "ESP_OK") return error;
    }
    peers.add(mac);
    return "ESP_OK";
  }

  function takeResult(record: Uint8Array): boolean {
    const [oldest] = sends;
    if (!oldest) return false;
    if (oldest.state === "waiting" && machine.uptimeMs() - oldest.atMs < LOST_AFTER_MS) return false;
    sends.shift();
    record.set(littleEndian(oldest.number));
    record[4] = oldest.state === "acknowledged" ? 1 : 0;
    return true;
  }

  espNow.onReceived = ({ from, to, bytes, rssi }) => {
    if (frames.length === RING_FRAMES) droppedCount += 1;
    else
      frames.push(Uint8Array.of(...macBytes(from), rssi, to === BROADCAST ? 1 : 0, bytes.length, ...bytes));
  };
  espNow.onSent = (to, isAcknowledged) => {
    const send = sends.find((one) => one.state === "waiting" && one.to === to);
    if (send) send.state = isAcknowledged ? "acknowledged" : "failed";
  };

  return {
    skyslot_radio_start(channel: unknown) {
      espNow.deinit();
      for (const send of sends) if (send.state === "waiting") send.state = "failed";
      peers.clear();
      const error = espNow.init();
      if (error !== "ESP_OK") return code(error);
      espNow.addPeer(BROADCAST);
      if (!radio.isStarted) return code("ESP_ERR_WIFI_NOT_STARTED");
      espNow.isPowerSaving = false;
      return tune(Number(channel) >>> 0);
    },
    skyslot_radio_tune: (channel: unknown) => tune(Number(channel) >>> 0),
    skyslot_radio_send(number: unknown, to: unknown, bytes: unknown, length: unknown) {
      const mac = formatMac(bufferOf(to, 6).subarray(0, 6));
      const contents = bufferOf(bytes, MAX_FRAME_BYTES);
      const count = Number(length) >>> 0;
      if (count < 1 || count > MAX_FRAME_BYTES) return code("ESP_ERR_ESPNOW_ARG");
      if (sends.length >= MAX_UNDER_WAY) return code("ESP_ERR_ESPNOW_FULL");
      const send: Send = {
        number: Number(number) >>> 0,
        to: mac,
        atMs: machine.uptimeMs(),
        state: "waiting",
      };
      sends.push(send);
      const made = makePeer(mac);
      const error = made === "ESP_OK" ? espNow.send(mac, contents.subarray(0, count)) : made;
      if (error !== "ESP_OK") send.state = "failed";
      return 0;
    },
    skyslot_radio_take(buffer: unknown) {
      const record = bufferOf(buffer, RECORD_BYTES);
      if (takeResult(record)) return SENT;
      const frame = frames.shift();
      if (frame) {
        record.set(frame);
        return FRAME;
      }
      if (droppedCount === 0) return NOTHING;
      record.set(littleEndian(droppedCount));
      droppedCount = 0;
      return DROPPED;
    },
  };
}

const macBytes = (mac: string): number[] => mac.split(":").map((digits) => Number.parseInt(digits, 16));
const littleEndian = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
