// Firmware whose status light crashes the chip: native code may, where JavaScript would throw.

import Timer from "timer";
import { startDevice } from "../../../firmware/platform/start.js";

startDevice({
  connectLight() {
    trace("the light starts\n");
    Timer.set(() => {
      throw new Error("crash of the light");
    }, 0);
    return {};
  },
});
