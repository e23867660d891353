// Firmware that is a radio, in a network if its build names one: asks for what its build tells it, at these times, and traces each event.

import config from "mc/config";
import Timer from "timer";
import WiFi from "wifi";
import type { Event } from "../../../firmware/core/event.js";
import type { RadioEffect, RadioEvent } from "../../../firmware/core/radio/vocabulary.js";
import { createNative } from "../../../firmware/platform/native.js";
import { createRadio } from "../../../firmware/platform/radio/radio.js";

interface Asked {
  readonly atMs: number;
  /** `bytes` are numbers; `repeat`: so many frames, with numbers that count up. */
  readonly effect: RadioEffect;
  readonly repeat?: number;
}

const radio = createRadio((event: Event | RadioEvent) => {
  if (event.type === "frameReceived")
    trace(`${event.from} ${event.isBroadcast} ${event.rssi} ${Array.from(event.bytes).join()}\n`);
  else trace(`${JSON.stringify(event)}\n`);
}, createNative());

for (const { atMs, effect, repeat = 1 } of config.script as readonly Asked[])
  Timer.set(() => {
    for (let i = 0; i < repeat; i++) ask(effect, i);
  }, atMs);

function ask(effect: RadioEffect, index: number): void {
  switch (effect.type) {
    case "startRadio":
      return radio.startRadio(effect);
    case "tuneRadio":
      return radio.tuneRadio(effect);
    case "sendFrame": {
      const bytes = Uint8Array.from(effect.bytes);
      return radio.sendFrame({ ...effect, frame: effect.frame + index, bytes });
    }
  }
}

const { join } = config as { readonly join?: { readonly atMs: number; readonly ssid: string } };
if (join) Timer.set(() => WiFi.connect({ ssid: join.ssid }), join.atMs);

// busy for a while, as firmware is that erases the flash
const { busyAtMs, busyMs } = config as { readonly busyAtMs?: number; readonly busyMs?: number };
if (busyAtMs !== undefined) Timer.set(() => Timer.delay(busyMs ?? 0), busyAtMs);
