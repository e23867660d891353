// Plays a pattern on an LED strip through the SDK's `neopixel`: draws a frame, shows it, and waits until the next one is due. core/patterns.ts
// computes the frames.

import NeoPixel from "neopixel";
import Timer from "timer";
import { IDENTIFY_MS } from "../../../core/status.js";
import { drawFrame, frameLasts } from "../core/patterns.js";
import { identifyLook, type LedSettings } from "../core/settings.js";

/** Everything in a frame is computed for the strip's full light. */
const FULL_BRIGHTNESS = 255;

export interface LedStrip {
  /** Switches it off, or resumes the pattern. */
  darken(isDark: boolean): void;
  /** Identifies the strip for a while, unless it is dark. */
  identify(): void;
  /** Switches the pixels off and gives the pin back. */
  close(): void;
}

export function createLedStrip(settings: LedSettings): LedStrip {
  const strip = new NeoPixel({ pin: settings.pin, length: settings.count, order: "GRB" });
  strip.brightness = FULL_BRIGHTNESS;
  const pixels = new Uint8Array(settings.count * 3);
  const beganAt = Date.now();
  let timer: ReturnType<typeof Timer.set> | undefined;
  let look = settings;
  let lookEnds: ReturnType<typeof Timer.set> | undefined;
  let isOff = false;

  const stop = () => {
    Timer.clear(timer);
    timer = undefined;
  };

  const play = () => {
    const atMs = Math.max(0, Date.now() - beganAt);
    drawFrame(look, atMs, pixels);
    for (let index = 0, offset = 0; index < settings.count; index++, offset += 3) {
      const colour = strip.makeRGB(pixels[offset] ?? 0, pixels[offset + 1] ?? 0, pixels[offset + 2] ?? 0);
      strip.setPixel(index, colour);
    }
    strip.update();
    const lastsMs = frameLasts(look, atMs);
    timer = lastsMs === undefined ? undefined : Timer.set(play, lastsMs);
  };

  const show = (next: LedSettings) => {
    look = next;
    stop();
    if (!isOff) play();
  };

  play();
  return {
    darken(isDark) {
      isOff = isDark;
      stop();
      if (!isDark) return play();
      strip.fill(0);
      strip.update();
    },
    identify() {
      show(identifyLook(settings));
      Timer.clear(lookEnds);
      lookEnds = Timer.set(() => {
        lookEnds = undefined;
        show(settings);
      }, IDENTIFY_MS);
    },
    close() {
      Timer.clear(lookEnds);
      stop();
      strip.close();
    },
  };
}
