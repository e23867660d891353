// Firmware that starts normally and then loops forever.

import Timer from "timer";
import { startDevice } from "../../../firmware/platform/start.js";

startDevice();
Timer.set(() => {
  for (;;);
}, 4000);
