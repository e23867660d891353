// Firmware that starts normally and crashes after five seconds.

import Timer from "timer";
import { startDevice } from "../../../firmware/platform/start.js";

startDevice();
Timer.set(() => {
  throw new Error("crash after five seconds");
}, 5000);
