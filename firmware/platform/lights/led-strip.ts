// Plays a pattern on an LED strip through the SDK's `neopixel`: draws a frame, shows it, and waits until the next one is due. What a
// frame looks like is core/led-patterns.ts's business.

import NeoPixel from "neopixel";
import Timer from "timer";
import { drawFrame, frameLasts } from "../../core/led-patterns.js";
import type { LedSettings } from "../../core/led-settings.js";

/** Everything in a frame is computed for the strip's full light. */
const FULL_BRIGHTNESS = 255;

export interface LedStrip {
  /** Dark, or going on with the pattern. */
  darken(isDark: boolean): void;
  /** Switches the pixels off and gives the pin back. */
  close(): void;
}

export function createLedStrip(settings: LedSettings): LedStrip {
  const strip = new NeoPixel({ pin: settings.pin, length: settings.count, order: "GRB" });
  strip.brightness = FULL_BRIGHTNESS;
  const pixels = new Uint8Array(settings.count * 3);
  const beganAt = Date.now();
  let timer: ReturnType<typeof Timer.set> | undefined;

  const stop = () => {
    Timer.clear(timer);
    timer = undefined;
  };

  const play = () => {
    const atMs = Math.max(0, Date.now() - beganAt);
    drawFrame(settings, atMs, pixels);
    for (let index = 0, offset = 0; index < settings.count; index++, offset += 3) {
      const colour = strip.makeRGB(pixels[offset] ?? 0, pixels[offset + 1] ?? 0, pixels[offset + 2] ?? 0);
      strip.setPixel(index, colour);
    }
    strip.update();
    const lastsMs = frameLasts(settings, atMs);
    timer = lastsMs === undefined ? undefined : Timer.set(play, lastsMs);
  };

  play();
  return {
    darken(isDark) {
      stop();
      if (!isDark) return play();
      strip.fill(0);
      strip.update();
    },
    close() {
      stop();
      strip.close();
    },
  };
}
