// `receiver` with a probe: a gateway, and the other device of a pair.

import {
  initialReceiver,
  RECEIVER_STORES,
  receiverStep,
} from "../../../../firmware/apps/receiver/core/receiver.js";
import { pairGroup, pairSettings } from "../../../../firmware/core/pair/pair-build.js";
import { AT_ONCE } from "../../../../firmware/core/system/schedule.js";
import { createCache } from "../../../../firmware/platform/cache/cache.js";
import { createBlockMemory } from "../../../../firmware/platform/radio/block-memory.js";
import { createRadio } from "../../../../firmware/platform/radio/radio.js";
import { startMachine } from "../../../../firmware/platform/start.js";
import { probed } from "./probe.js";

const settings = {
  pair: pairSettings({ minCompatible: "1.0.0" }, "transmitter"),
  gateway: { group: pairGroup({}), cacheBytes: 0x1e0000 },
  leader: { system: "pair", installs: true, schedule: AT_ONCE, pollSeconds: 3_600 },
  page: "<!doctype html>",
  told: undefined,
};

startMachine(
  {
    initial: initialReceiver,
    step: probed((state, event: Parameters<typeof receiverStep>[1]) => receiverStep(state, event, settings)),
  },
  {
    stores: RECEIVER_STORES,
    connectLink: ({ dispatch, native }) => ({
      ...createRadio(dispatch, native),
      ...createBlockMemory(dispatch, native),
      ...createCache(dispatch, native),
    }),
  },
);
