// Firmware whose app crashes three seconds after it was started; Wi-Fi, portal and updates work.

import Timer from "timer";
import { startDevice } from "../../../firmware/platform/start.js";

startDevice({
  connect() {
    trace("the app starts\n");
    Timer.set(() => {
      throw new Error("crash of the app");
    }, 3000);
    return {};
  },
});
