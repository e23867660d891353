// The `receiver` app: the device of a pair that is in a network. It hears its transmitter by ESP-NOW, shows it on its page, and brings it its
// updates.

import config from "mc/config";
import type { Stamped } from "../../core/event.js";
import { pairGroup, pairSettings } from "../../core/pair/pair-build.js";
import type { Section } from "../../core/section.js";
import { configured, MAX_SECTION_LENGTH, storedValues } from "../../core/settings/app-settings.js";
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
import { builtValues, type ReceiverChoice, readReceiverChoice, receiverSection } from "./core/settings.js";

/** Of `cache` in partitions/8mb-gateway.csv. */
const CACHE_BYTES = 0x1e0000;

function builtSection(build: ReceiverConfig): Section {
  const { section, problems } = configured(receiverSection, builtValues(build));
  for (const problem of problems) trace(`warn: receiver: ${problem}\n`);
  return section;
}

const choiceOf = (section: Section, text: string | undefined): ReceiverChoice =>
  readReceiverChoice(storedValues(section, text).values);

function startReceiver(): void {
  const { statusLed, ...build } = config as typeof config & ReceiverConfig;
  const section = builtSection(build);
  const fixed = {
    pair: pairSettings(build, "transmitter"),
    gateway: { group: pairGroup(build), cacheBytes: build.cacheBytes ?? CACHE_BYTES },
    page: pairPage,
  };
  const chosen = ({ leader, told }: ReceiverChoice): ReceiverSettings => ({
    ...fixed,
    leader: { ...leader, system: build.system ?? "" },
    told,
  });
  let settings = chosen(choiceOf(section, undefined));

  startMachine(
    {
      initial: initialReceiver,
      step: (state, event: Stamped<ReceiverEvent>) => receiverStep(state, event, settings),
    },
    {
      stores: { ...RECEIVER_STORES, [section.name]: MAX_SECTION_LENGTH },
      // called before the machine's first event, so that it starts with the chosen settings
      section({ stored }) {
        settings = chosen(choiceOf(section, stored[section.name]));
        return section;
      },
      connectLight: statusLed && (() => createStatusLed(statusLed.pin, statusLed.activeLow)),
      connectLink: ({ dispatch, native }) => ({
        ...createRadio(dispatch, native),
        ...createBlockMemory(dispatch, native),
        ...createCache(dispatch, native),
        ...createBroker(dispatch),
      }),
      connect: () => ({
        onStore(key, value) {
          if (key === section.name) settings = chosen(choiceOf(section, value));
        },
      }),
    },
  );
}

startReceiver();
