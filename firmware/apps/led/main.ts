// The `led` app: what `base` does, a strip with patterns, and a status LED. The strip is dark during an update, and a strip that
// cannot be driven is a line in the log: it never keeps the device from its updates.

import config from "mc/config";
import type { Booted } from "../../core/event.js";
import type { Section } from "../../core/section.js";
import { configured, storedValues } from "../../core/settings/app-settings.js";
import { isPassing, type Status } from "../../core/status.js";
import { startDevice } from "../../platform/start.js";
import { createStatusLed } from "../../platform/status-led/status-led.js";
import type { LedConfig } from "./config.js";
import { ledSection, readLedSettings } from "./core/settings.js";
import { createLedStrip, type LedStrip } from "./strip/led-strip.js";

startLedDevice();

function startLedDevice(): void {
  const { statusLed, strip: built } = config as typeof config & LedConfig;
  const showLed = statusLed && createStatusLed(statusLed.pin, statusLed.activeLow);
  let section: Section | undefined;
  let strip: LedStrip | undefined;
  let isDark = false;

  const warn = (problem: unknown) => trace(`warn: LED strip: ${problem}\n`);

  const play = (text: string | undefined) => {
    if (!section) return;
    const { values, problems } = storedValues(section, text);
    problems.forEach(warn);
    strip?.close();
    strip = undefined;
    try {
      strip = createLedStrip(readLedSettings(values));
      if (isDark) strip.darken(true);
    } catch (error) {
      warn(error);
    }
  };

  startDevice({
    showStatus(status: Status) {
      showLed?.(status);
      const wasDark = isDark;
      if (status.name === "identify") strip?.identify();
      if (!isPassing(status)) isDark = status.name === "updating";
      if (isDark !== wasDark) strip?.darken(isDark);
    },
    section({ identity }: Booted) {
      const board = { chip: identity.chip, statusPin: statusLed?.pin };
      const configuredSection = configured(ledSection(board), built ?? {});
      configuredSection.problems.forEach(warn);
      section = configuredSection.section;
      return section;
    },
    onReady: ({ stored }: Booted) => play(section && stored[section.name]),
    onStore(key, value) {
      if (key === section?.name) play(value);
    },
  });
}
