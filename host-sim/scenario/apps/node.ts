// The smallest node: core's device without a network, with the adapters of a chip. For scenarios of many of them.

import config from "mc/config";
import type { Stamped } from "../../../firmware/core/event.js";
import { groupOf } from "../../../firmware/core/radio/beacon.js";
import {
  newRadioDevice,
  RADIO_STORES,
  type RadioDeviceEvent,
  radioDeviceStep,
} from "../../../firmware/core/radio/radio-device.js";
import { createBlockMemory } from "../../../firmware/platform/radio/block-memory.js";
import { createRadio } from "../../../firmware/platform/radio/radio.js";
import { startMachine } from "../../../firmware/platform/start.js";

const group = groupOf(String(config.group));

startMachine(
  {
    initial: newRadioDevice,
    step: (state, event: Stamped<RadioDeviceEvent>) => radioDeviceStep(state, event, group),
  },
  {
    stores: RADIO_STORES,
    connectLink: ({ dispatch, native }) => ({
      ...createRadio(dispatch, native),
      ...createBlockMemory(dispatch, native),
    }),
  },
);
