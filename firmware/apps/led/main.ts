// The `led` app: what `base` does, a strip with patterns, and a status LED. The strip is dark during an update, and a strip that
// cannot be driven is a line in the log: it never keeps the device from its updates.

import config from "mc/config";
import type { Section } from "../../core/section.js";
import { configured, storedValues } from "../../core/settings/app-settings.js";
import { isPassing } from "../../core/status.js";
import { type AppPart, startDevice } from "../../platform/start.js";
import { createStatusLed } from "../../platform/status-led/status-led.js";
import type { LedConfig } from "./config.js";
import { ledSection, readLedSettings } from "./core/settings.js";
import { createLedStrip, type LedStrip } from "./strip/led-strip.js";

startLedDevice();

function startLedDevice(): void {
  const { statusLed, strip } = config as typeof config & LedConfig;
  let section: Section | undefined;

  startDevice({
    connectLight: statusLed && (() => createStatusLed(statusLed.pin, statusLed.activeLow)),
    section({ identity }) {
      const built = configured(ledSection({ chip: identity.chip, statusPin: statusLed?.pin }), strip ?? {});
      built.problems.forEach(warn);
      section = built.section;
      return section;
    },
    connect: ({ facts }) => (section ? connectStrip(section, facts.stored[section.name]) : {}),
  });
}

/** @param text the stored settings */
function connectStrip(section: Section, text: string | undefined): AppPart {
  let strip: LedStrip | undefined;
  let isDark = false;

  const play = (stored: string | undefined) => {
    const { values, problems } = storedValues(section, stored);
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

  play(text);
  return {
    showStatus(status) {
      const wasDark = isDark;
      if (status.name === "identify") strip?.identify();
      if (!isPassing(status)) isDark = status.name === "updating";
      if (isDark !== wasDark) strip?.darken(isDark);
    },
    onStore(key, value) {
      if (key === section.name) play(value);
    },
  };
}

function warn(problem: unknown): void {
  trace(`warn: LED strip: ${problem}\n`);
}
