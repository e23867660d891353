// `transmitter` with a probe: a device without a network, and the other device of a pair.

import {
  initialTransmitter,
  TRANSMITTER_STORES,
  transmitterStep,
} from "../../../../firmware/apps/transmitter/core/transmitter.js";
import { pairGroup, pairSettings } from "../../../../firmware/core/pair/pair-build.js";
import { createBlockMemory } from "../../../../firmware/platform/radio/block-memory.js";
import { createRadio } from "../../../../firmware/platform/radio/radio.js";
import { startMachine } from "../../../../firmware/platform/start.js";
import { probed } from "./probe.js";

const settings = {
  pair: pairSettings({ minCompatible: "1.0.0" }, "receiver"),
  group: pairGroup({}),
  telemetrySeconds: 30,
};

startMachine(
  {
    initial: initialTransmitter,
    step: probed((state, event: Parameters<typeof transmitterStep>[1]) =>
      transmitterStep(state, event, settings),
    ),
  },
  {
    stores: TRANSMITTER_STORES,
    connectLink: ({ dispatch, native }) => ({
      ...createRadio(dispatch, native),
      ...createBlockMemory(dispatch, native),
    }),
  },
);
