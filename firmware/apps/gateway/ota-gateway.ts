// A gateway for an app's main.ts, with the names that painlessMesh's examples have: starts the device, and says to it what the app wants.
// Decides nothing.

import config from "mc/config";
import type { Stamped } from "../../core/event.js";
import type { JobEvent } from "../../core/gateway/job.js";
import { groupOf } from "../../core/radio/beacon.js";
import { createCache } from "../../platform/cache/cache.js";
import { meshHandlers } from "../../platform/mesh/mesh-port.js";
import { createBlockMemory } from "../../platform/radio/block-memory.js";
import { createRadio } from "../../platform/radio/radio.js";
import type { Dispatch } from "../../platform/runner.js";
import { startMachine } from "../../platform/start.js";
import { createStatusLed } from "../../platform/status-led/status-led.js";
import type { GatewayConfig } from "./config.js";
import {
  GATEWAY_APP_STORES,
  type GatewayAppEvent,
  type GatewayAppSettings,
  gatewayAppStep,
  initialGatewayApp,
} from "./core/gateway-app.js";

/** Of `cache` in partitions/8mb-gateway.csv. */
const CACHE_BYTES = 0x1e0000;

export class OTAGateway {
  readonly #config: GatewayConfig;
  #isDistributing = false;
  #dispatch: Dispatch<JobEvent> | undefined;

  /** @param settings default: what the build is configured with */
  constructor(settings: GatewayConfig = config as GatewayConfig) {
    this.#config = settings;
  }

  /** Whether the update server is asked for orders, and nodes get images. Before the start, or at any time. */
  enableOTADistribution(isEnabled: boolean): void {
    this.#isDistributing = isEnabled;
    this.#dispatch?.({ type: "distributionSwitched", isEnabled });
  }

  /** Asks the update server now; it is asked every minute anyway. */
  checkForOTAUpdates(): void {
    this.#dispatch?.({ type: "ordersWanted" });
  }

  /** Once. */
  start(): void {
    const { group = "mesh", gatewayToken = "", cacheBytes = CACHE_BYTES, statusLed } = this.#config;
    const settings: GatewayAppSettings = {
      group: groupOf(group),
      cacheBytes,
      token: gatewayToken,
      isDistributing: this.#isDistributing,
    };
    startMachine(
      {
        initial: initialGatewayApp,
        step: (state, event: Stamped<GatewayAppEvent>) => gatewayAppStep(state, event, settings),
      },
      {
        stores: GATEWAY_APP_STORES,
        connectLight: statusLed && (() => createStatusLed(statusLed.pin, statusLed.activeLow)),
        connectLink: ({ dispatch, native }) => {
          this.#dispatch = dispatch;
          return {
            ...createRadio(dispatch, native),
            ...createBlockMemory(dispatch, native),
            ...createCache(dispatch, native),
            ...meshHandlers(dispatch),
          };
        },
      },
    );
  }
}
