// The `base` app: Wi-Fi setup and updates, nothing else. The first firmware of a new device, and the least that every other has. Where
// its board has an LED (config "statusLed" of the manifest, absent by default) that shows how it fares.

import config from "mc/config";
import { startDevice } from "../../platform/start.js";
import { createStatusLed } from "../../platform/status-led/status-led.js";

const { statusLed } = config;

startDevice({ showStatus: statusLed && createStatusLed(statusLed.pin, statusLed.activeLow) });
