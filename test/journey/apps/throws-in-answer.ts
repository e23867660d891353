// Firmware with a bug that shows when a request fails: the SDK swallows what is thrown there.

import { type DeviceState, initialDevice, step } from "../../../firmware/core/device.js";
import { startMachine } from "../../../firmware/platform/start.js";

startMachine<DeviceState, never>({
  machine: {
    initial: initialDevice,
    step(state, event) {
      if (event.type === "requestFailed") throw new Error("this firmware has a bug");
      return step(state, event);
    },
  },
  connect: () => ({}),
});
