// The `receiver` app: the device of a pair that is in a network. It hears its transmitter by ESP-NOW, shows it on its page, and brings it its
// updates.

import config from "mc/config";
import type { Stamped } from "../../core/event.js";
import { pairGroup, pairSettings } from "../../core/pair/pair-build.js";
import { createCache } from "../../platform/cache/cache.js";
import { createBroker } from "../../platform/mqtt/broker.js";
import { pairPage } from "../../platform/pair-page/pair-page.js";
import { createBlockMemory } from "../../platform/radio/block-memory.js";
import { createRadio } from "../../platform/radio/radio.js";
import { startMachine } from "../../platform/start.js";
import { createStatusLed } from "../../platform/status-led/status-led.js";
import type { ReceiverConfig } from "./config.js";
import {
  initialReceiver,
  RECEIVER_STORES,
  type ReceiverEvent,
  type ReceiverSettings,
  receiverStep,
} from "./core/receiver.js";
import { toldOf } from "./core/telling.js";

/** Of `cache` in partitions/8mb-gateway.csv. */
const CACHE_BYTES = 0x1e0000;

startReceiver();

function startReceiver(): void {
  const { statusLed, ...build } = config as typeof config & ReceiverConfig;
  const settings: ReceiverSettings = {
    pair: pairSettings(build, "transmitter"),
    gateway: { group: pairGroup(build), cacheBytes: build.cacheBytes ?? CACHE_BYTES },
    leader: { system: build.system ?? "", installs: build.updates !== "notify" },
    page: pairPage,
    told: toldOf(build.mqtt ?? {}),
  };

  startMachine(
    {
      initial: initialReceiver,
      step: (state, event: Stamped<ReceiverEvent>) => receiverStep(state, event, settings),
    },
    {
      stores: RECEIVER_STORES,
      connectLight: statusLed && (() => createStatusLed(statusLed.pin, statusLed.activeLow)),
      connectLink: ({ dispatch, native }) => ({
        ...createRadio(dispatch, native),
        ...createBlockMemory(dispatch, native),
        ...createCache(dispatch, native),
        ...createBroker(dispatch),
      }),
    },
  );
}
