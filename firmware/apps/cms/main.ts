// The `cms` app: what `base` does, a picture from the update server on an e-ink panel, readings of temperature, humidity and battery
// with each check for updates, and deep sleep in between.

import config from "mc/config";
import type { Section } from "../../core/section.js";
import { configured, MAX_SECTION_LENGTH, storedValues } from "../../core/settings/app-settings.js";
import { startMachine } from "../../platform/start.js";
import { sampleClimate } from "./climate/climate.js";
import type { CmsConfig } from "./config.js";
import { type CmsSettings, type CmsState, cmsStep, initialCms } from "./core/cms.js";
import { MAX_PANEL_LENGTH, PANEL_KEY } from "./core/content.js";
import { readingsOf } from "./core/readings.js";
import { cmsSection, readCmsChoice } from "./core/settings.js";
import type { OwnEffect, OwnEvent } from "./core/vocabulary.js";
import { createPanel } from "./panel/panel.js";

/** A build without sleep settings has a cable. */
const NEVER = Object.freeze({ seconds: 0, awakeSeconds: 0, firstAwakeSeconds: 0, longestSeconds: 0 });

startCmsDevice();

function startCmsDevice(): void {
  const cms = config as CmsConfig;
  const { panel, refreshSeconds = 300, sleep = NEVER } = cms;
  const { width = 200, height = 200 } = panel ?? {};
  let settings: CmsSettings = { content: { width, height, refreshSeconds }, sleep };
  let section: Section | undefined;

  const chosen = (text: string | undefined) => {
    if (!section) return undefined;
    const { values, problems } = storedValues(section, text);
    for (const problem of problems) trace(`warn: display: ${problem}\n`);
    return readCmsChoice(values);
  };

  startMachine<CmsState, OwnEvent, OwnEffect>(
    { initial: initialCms, step: (state, event) => cmsStep(state, event, settings) },
    {
      stores: { cms: MAX_SECTION_LENGTH, [PANEL_KEY]: MAX_PANEL_LENGTH },
      // on its panel, see core/content.ts
      canIdentify: true,
      // called before the machine's first event, so that it starts with the chosen settings
      section({ stored }) {
        const built = { refreshSeconds, sleepSeconds: sleep.seconds };
        section = configured(cmsSection(sleep.seconds), built).section;
        const choice = chosen(stored[section.name]);
        if (choice) {
          const content = { width, height, refreshSeconds: choice.refreshSeconds };
          settings = { content, sleep: { ...sleep, seconds: sleep.seconds > 0 ? choice.sleepSeconds : 0 } };
        }
        return section;
      },
      connect: ({ dispatch, native }) => ({
        handlers: {
          drawPanel: createPanel(dispatch),
          sampleSensors: () => dispatch({ type: "readingsTaken", readings: readingsOf(sampleClimate(cms)) }),
          deepSleep: ({ durationMs }) => native.skyslot_deep_sleep(durationMs),
        },
        onStore(key, value) {
          const choice = key === section?.name ? chosen(value) : undefined;
          // how long it sleeps is settled at the start: it is about to sleep already
          if (choice)
            settings = { ...settings, content: { width, height, refreshSeconds: choice.refreshSeconds } };
        },
      }),
    },
  );
}
