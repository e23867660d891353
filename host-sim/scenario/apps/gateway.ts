// The smallest gateway: core's, with the adapters of a chip. For scenarios of many devices without a network.

import config from "mc/config";
import type { Stamped } from "../../../firmware/core/event.js";
import {
  GATEWAY_STORES,
  type GatewayEffect,
  type GatewayEvent,
  gatewayStep,
  initialGateway,
} from "../../../firmware/core/gateway/gateway-device.js";
import { groupOf } from "../../../firmware/core/radio/beacon.js";
import { createCache } from "../../../firmware/platform/cache/cache.js";
import { createBlockMemory } from "../../../firmware/platform/radio/block-memory.js";
import { createRadio } from "../../../firmware/platform/radio/radio.js";
import { startMachine } from "../../../firmware/platform/start.js";

/** Of `cache` in partitions/8mb-gateway.csv. */
const CACHE_BYTES = 0x1e0000;
const settings = { group: groupOf(String(config.group)), cacheBytes: CACHE_BYTES };
const ignore = (): void => {};

startMachine(
  {
    initial: initialGateway,
    step: (state, event: Stamped<GatewayEvent>) => gatewayStep(state, event, settings),
  },
  {
    stores: GATEWAY_STORES,
    connectLink: ({ dispatch, native }) => ({
      ...createRadio(dispatch, native),
      ...createBlockMemory(dispatch, native),
      ...createCache(dispatch, native),
      // nobody keeps a list of nodes here, or sends an image for them
      memberAsked: ignore as (effect: Extract<GatewayEffect, { type: "memberAsked" }>) => void,
      uploadWants: ignore as (effect: Extract<GatewayEffect, { type: "uploadWants" }>) => void,
      uploadStored: ignore as (effect: Extract<GatewayEffect, { type: "uploadStored" }>) => void,
      uploadFailed: ignore as (effect: Extract<GatewayEffect, { type: "uploadFailed" }>) => void,
    }),
  },
);
