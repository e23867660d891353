// The `base` app: Wi-Fi setup and updates, nothing else. The first firmware of a new device, and the least that every other has. Where
// its board has an LED (config "statusLed" of the manifest, absent by default) it shows the status.

import config from "mc/config";
import { startDevice } from "../../platform/start.js";
import { createStatusLed } from "../../platform/status-led/status-led.js";

const { statusLed } = config;

startDevice({ connectLight: statusLed && (() => createStatusLed(statusLed.pin, statusLed.activeLow)) });
