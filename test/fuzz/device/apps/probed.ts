// `base` with the led's settings, and a probe.

import { ledSection } from "../../../../firmware/apps/led/core/settings.js";
import { step } from "../../../../firmware/core/device.js";
import { type DeviceState, initialDevice } from "../../../../firmware/core/device-state.js";
import { startMachine } from "../../../../firmware/platform/start.js";
import { probed } from "./probe.js";

startMachine<DeviceState, never, never>(
  { initial: initialDevice, step: probed(step) },
  { section: ({ identity: { chip } }) => ledSection({ chip, statusPin: undefined }) },
);
