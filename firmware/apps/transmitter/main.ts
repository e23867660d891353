// The `transmitter` app: the device of a pair that is in no network. What it has to say it sends to its receiver by ESP-NOW, and its updates come
// the same way.

import config from "mc/config";
import type { Stamped } from "../../core/event.js";
import { pairGroup, pairSettings } from "../../core/pair/pair-build.js";
import { createBlockMemory } from "../../platform/radio/block-memory.js";
import { createRadio } from "../../platform/radio/radio.js";
import { startMachine } from "../../platform/start.js";
import { createStatusLed } from "../../platform/status-led/status-led.js";
import type { TransmitterConfig } from "./config.js";
import {
  initialTransmitter,
  TRANSMITTER_STORES,
  type TransmitterEvent,
  type TransmitterSettings,
  transmitterStep,
} from "./core/transmitter.js";

startTransmitter();

function startTransmitter(): void {
  const { statusLed, ...build } = config as typeof config & TransmitterConfig;
  const settings: TransmitterSettings = {
    pair: pairSettings(build, "receiver"),
    group: pairGroup(build),
    telemetrySeconds: build.telemetrySeconds ?? 5,
  };

  startMachine(
    {
      initial: initialTransmitter,
      step: (state, event: Stamped<TransmitterEvent>) => transmitterStep(state, event, settings),
    },
    {
      stores: TRANSMITTER_STORES,
      connectLight: statusLed && (() => createStatusLed(statusLed.pin, statusLed.activeLow)),
      connectLink: ({ dispatch, native }) => ({
        ...createRadio(dispatch, native),
        ...createBlockMemory(dispatch, native),
      }),
    },
  );
}
