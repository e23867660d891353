// The `led` app: what `base` does, a strip with patterns, and a status LED. The strip is dark during an update, and a strip that
// cannot be driven is a line in the log: it never keeps the device from its updates.

import config from "mc/config";
import type { Booted } from "../../core/event.js";
import {
  LED_KEY,
  type LedBoard,
  type LedSettings,
  parseLedSettings,
  readLedSettings,
} from "../../core/led-settings.js";
import type { Status } from "../../core/status.js";
import { createLedStrip, type LedStrip } from "../../platform/lights/led-strip.js";
import { createStatusLed } from "../../platform/lights/status-led.js";
import { startDevice } from "../../platform/start.js";

startLedDevice();

function startLedDevice(): void {
  const { statusLed } = config;
  const showLed = statusLed && createStatusLed(statusLed.pin, statusLed.activeLow);
  let board: LedBoard = { chip: "", statusPin: statusLed?.pin };
  let strip: LedStrip | undefined;
  let isDark = false;

  const open = (settings: LedSettings) => {
    strip?.close();
    strip = undefined;
    try {
      strip = createLedStrip(settings);
      if (isDark) strip.darken(true);
    } catch (error) {
      trace(`warn: LED strip: ${error}\n`);
    }
  };

  const play = (text: string) => {
    const built = readLedSettings(config.strip ?? {}, board);
    const chosen = parseLedSettings(text, board, built.ok ? built.value : {});
    if (chosen.ok) return open(chosen.value);
    trace(`warn: LED strip: ${chosen.failure.message}\n`);
    if (built.ok && !strip) open(built.value);
  };

  startDevice({
    showStatus(status: Status) {
      showLed?.(status);
      const wasDark = isDark;
      if (status.name !== "error") isDark = status.name === "updating";
      if (isDark !== wasDark) strip?.darken(isDark);
    },
    onReady({ identity, stored }: Booted) {
      board = { ...board, chip: identity.chip };
      play(stored[LED_KEY] ?? "{}");
    },
    onStore(key, value) {
      if (key === LED_KEY) play(value);
    },
  });
}
