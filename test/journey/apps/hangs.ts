// Firmware that starts well and then computes for ever.

import Timer from "timer";
import { startDevice } from "../../../firmware/platform/start.js";

startDevice();
Timer.set(() => {
  for (;;);
}, 4000);
