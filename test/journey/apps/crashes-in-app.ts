// Firmware whose app's own part crashes five seconds after it was started.

import Timer from "timer";
import { startDevice } from "../../../firmware/platform/start.js";

startDevice({
  connect() {
    Timer.set(() => {
      throw new Error("the app crashes");
    }, 5000);
    return {};
  },
});
