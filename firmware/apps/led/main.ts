// The `led` app: what `base` does, a strip with patterns, and a status LED.

import config from "mc/config";
import type { Section } from "../../core/section.js";
import { configured, MAX_SECTION_LENGTH } from "../../core/settings/app-settings.js";
import { startDevice } from "../../platform/start.js";
import { createStatusLed } from "../../platform/status-led/status-led.js";
import type { LedConfig } from "./config.js";
import { ledSection } from "./core/settings.js";
import { StripPart, warn } from "./strip/strip-part.js";

startLedDevice();

function startLedDevice(): void {
  const { statusLed, strip } = config as typeof config & LedConfig;
  let section: Section | undefined;

  startDevice({
    stores: { led: MAX_SECTION_LENGTH },
    // The strip can, without a status LED too.
    canIdentify: true,
    connectLight: statusLed && (() => createStatusLed(statusLed.pin, statusLed.activeLow)),
    section({ identity }) {
      const board = { chip: identity.chip, statusPin: statusLed?.pin };
      const built = configured(ledSection(board), strip ?? {});
      built.problems.forEach(warn);
      section = built.section;
      return section;
    },
    connect: ({ facts }) => (section ? new StripPart(section, facts.stored[section.name]) : {}),
  });
}
