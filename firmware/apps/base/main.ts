// The `base` app: Wi-Fi setup and updates, nothing else. The first firmware of a new device, and the least that every other has. Where
// its board has an LED (config "statusLed" of the manifest, absent by default) that shows how it fares.

import config from "mc/config";
import { createStatusLed } from "../../platform/lights/status-led.js";
import { startDevice } from "../../platform/start.js";

const { statusLed } = config;

startDevice({ showStatus: statusLed && createStatusLed(statusLed.pin, statusLed.activeLow) });
