// ESP-NOW: carries out the effects of core/radio/vocabulary.ts through skyslot-espnow.c, and raises its events. It decides nothing, and
// believes nothing that a frame says.
//
// mc/ffi has no callbacks, and the Wi-Fi task may not wait for XS's thread (see the C file), so the adapter asks: every 10 ms while there is
// anything, and where it is quiet every 50, in which some twenty long frames fit into the air, and 32 into the ring.

import Timer from "timer";
import WiFi from "wifi";
import { formatMac, parseMac } from "../../core/identity.js";
import { MAX_FRAME_BYTES, type RadioEffect, type RadioEvent } from "../../core/radio/vocabulary.js";
import type { Native } from "../native.js";
import type { Dispatch, Handlers } from "../runner.js";

const BUSY_POLL_MS = 10;
const QUIET_POLL_MS = 50;
/** Polls without anything after which it is quiet. */
const QUIET_COUNT = 50;
/** In one turn: then others have theirs. */
const MAX_RECORDS_A_TURN = 16;

/**
 * What skyslot_radio_take gives, and where it writes it:
 *
 *   frame     from u8[6] | rssi i8 | broadcast u8 | length u8 | bytes u8[250]
 *   sent      number u32 | acknowledged u8
 *   dropped   count u32
 */
const NOTHING = 0;
const FRAME = 1;
const SENT = 2;
const HEAD_BYTES = 9;
const RECORD_BYTES = HEAD_BYTES + MAX_FRAME_BYTES;

/** The effects of an app with a radio. */
export function createRadio(dispatch: Dispatch<RadioEvent>, native: Native): Handlers<RadioEffect> {
  const radio = new Radio(dispatch, native);
  return {
    startRadio: ({ channel }) => radio.start(channel),
    tuneRadio: ({ channel }) => radio.tune(channel),
    sendFrame: (effect) => radio.send(effect),
  };
}

class Radio {
  readonly #dispatch: Dispatch<RadioEvent>;
  readonly #native: Native;
  readonly #record = new DataView(new ArrayBuffer(RECORD_BYTES));
  readonly #outgoing = new Uint8Array(MAX_FRAME_BYTES);
  #timer: ReturnType<typeof Timer.repeat> | undefined;
  #pollMs = BUSY_POLL_MS;
  /** Polls without anything, one after the other. */
  #quietCount = 0;
  /** The sender heard last, as bytes and as text: frames come in rows, and a text is some ten objects for XS's heap. */
  #high = 0;
  #low = 0;
  #from = "";

  constructor(dispatch: Dispatch<RadioEvent>, native: Native) {
    this.#dispatch = dispatch;
    this.#native = native;
  }

  start(channel: number): void {
    try {
      // a radio that runs as an access point keeps it
      if (WiFi.mode <= WiFi.Mode.none) WiFi.mode = WiFi.Mode.station;
    } catch (error) {
      return this.#dispatch({ type: "radioFailed", message: String(error) });
    }
    this.#tell(this.#native.skyslot_radio_start(channel), channel);
    this.#timer ??= Timer.repeat(() => this.#poll(), this.#pollMs);
    this.#pollEvery(BUSY_POLL_MS);
  }

  tune(channel: number): void {
    this.#tell(this.#native.skyslot_radio_tune(channel), channel);
  }

  send({ frame, to, bytes }: Extract<RadioEffect, { readonly type: "sendFrame" }>): void {
    const fits = this.#timer !== undefined && bytes.length <= MAX_FRAME_BYTES;
    if (fits) this.#outgoing.set(bytes);
    const { buffer } = this.#outgoing;
    if (!fits || this.#native.skyslot_radio_send(frame, parseMac(to).buffer, buffer, bytes.length) !== 0)
      return this.#dispatch({ type: "frameSent", frame, isAcknowledged: false });
    this.#pollEvery(BUSY_POLL_MS);
  }

  #poll(): void {
    let count = 0;
    while (count < MAX_RECORDS_A_TURN && this.#take()) count++;
    if (count > 0) this.#pollEvery(BUSY_POLL_MS);
    else if (++this.#quietCount === QUIET_COUNT) this.#schedule(QUIET_POLL_MS);
  }

  #take(): boolean {
    const record = this.#record;
    const kind = this.#native.skyslot_radio_take(record.buffer);
    if (kind === NOTHING) return false;
    if (kind === FRAME) this.#received(record);
    else if (kind === SENT)
      this.#dispatch({
        type: "frameSent",
        frame: record.getUint32(0, true),
        isAcknowledged: record.getUint8(4) === 1,
      });
    else this.#dispatch({ type: "framesDropped", count: record.getUint32(0, true) });
    return true;
  }

  #received(record: DataView<ArrayBuffer>): void {
    this.#dispatch({
      type: "frameReceived",
      from: this.#sender(record),
      isBroadcast: record.getUint8(7) === 1,
      bytes: new Uint8Array(record.buffer.slice(HEAD_BYTES, HEAD_BYTES + record.getUint8(8))),
      rssi: record.getInt8(6),
    });
  }

  #sender(record: DataView<ArrayBuffer>): string {
    const high = record.getUint32(0);
    const low = record.getUint16(4);
    if (this.#from === "" || high !== this.#high || low !== this.#low) {
      this.#high = high;
      this.#low = low;
      this.#from = formatMac(new Uint8Array(record.buffer, 0, 6));
    }
    return this.#from;
  }

  #pollEvery(ms: number): void {
    this.#quietCount = 0;
    this.#schedule(ms);
  }

  #schedule(ms: number): void {
    if (this.#timer === undefined || this.#pollMs === ms) return;
    this.#pollMs = ms;
    Timer.schedule(this.#timer, ms, ms);
  }

  #tell(error: number, channel: number): void {
    if (error === 0) return;
    const message = `ESP-NOW on channel ${channel}: ESP-IDF's error 0x${(error >>> 0).toString(16)}`;
    this.#dispatch({ type: "radioFailed", message });
  }
}
