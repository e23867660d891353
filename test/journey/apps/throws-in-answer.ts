// Firmware with a bug that shows when a request fails: the SDK swallows what is thrown there.

import { step } from "../../../firmware/core/device.js";
import { type DeviceState, initialDevice } from "../../../firmware/core/device-state.js";
import { startMachine } from "../../../firmware/platform/start.js";

startMachine<DeviceState, never, never>({
  initial: initialDevice,
  step(state, event) {
    if (event.type === "requestFailed") throw new Error("this firmware has a bug");
    return step(state, event);
  },
});
