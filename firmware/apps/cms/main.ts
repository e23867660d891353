// The `cms` app: what `base` does, a picture from the update server on an e-ink panel, readings of temperature, humidity and battery
// with each check for updates, and deep sleep in between.

import config from "mc/config";
import { cmsStep, initialCms } from "../../core/cms.js";
import { sampleClimate } from "../../platform/climate/climate.js";
import { createPanel } from "../../platform/panel/panel.js";
import { startMachine } from "../../platform/start.js";

/** A build that says nothing of sleep has a cable. */
const NEVER = Object.freeze({ seconds: 0, awakeSeconds: 0, firstAwakeSeconds: 0, longestSeconds: 0 });

startCmsDevice();

function startCmsDevice(): void {
  const { panel, sensor, battery, refreshSeconds = 300, sleep = NEVER } = config;
  const { width = 200, height = 200 } = panel ?? {};
  const settings = { content: { width, height, refreshSeconds }, sleep };
  startMachine({
    machine: { initial: initialCms, step: (state, event) => cmsStep(state, event, settings) },
    connect: (dispatch, native) => ({
      drawPanel: createPanel(dispatch),
      sampleSensors: () => dispatch({ type: "sensorsSampled", sample: sampleClimate({ sensor, battery }) }),
      deepSleep: ({ durationMs }) => native.skyslot_deep_sleep(durationMs),
    }),
  });
}
