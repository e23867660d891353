// The `base` app: Wi-Fi setup and updates, nothing else. The first firmware of a new device, and the least that every other has.

import { startDevice } from "../../platform/start.js";

startDevice();
