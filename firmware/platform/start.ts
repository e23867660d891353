// Builds a device from its adapters and starts it. An app's main.ts calls this with what only that app has.

import Timer from "timer";
import { step } from "../core/device.js";
import { type DeviceState, initialDevice } from "../core/device-state.js";
import type { Effect, TimerEffect } from "../core/effect.js";
import { STORED_LIMITS } from "../core/stored.js";
import { type App, AppHost } from "./app-host.js";
import { readBootFacts } from "./boot-facts.js";
import { type Adapters, type AppControl, carryOut, isCores } from "./carry-out.js";
import { Discovery } from "./discovery.js";
import { Hashing } from "./hashing.js";
import { HttpRequests } from "./http-client.js";
import { createNative, type Native } from "./native.js";
import { PushServer } from "./push-server.js";
import { RestartNote } from "./restart-note.js";
import { type DeviceMachine, type Dispatch, Runner, type Sources } from "./runner.js";
import { PageServer } from "./server.js";
import { Verifier } from "./signature.js";
import { Slot } from "./slot.js";
import { Storage } from "./storage.js";
import { Timers } from "./timers.js";
import { Tls } from "./tls.js";
import { Wifi } from "./wifi.js";

/** Core's device, with an app that only adds adapters and settings to it. */
export function startDevice(app: App = {}): void {
  startMachine<DeviceState, never, never>({ initial: initialDevice, step }, app);
}

/** A device with machines of the app's own beside core's. */
export function startMachine<
  State,
  OwnEvent extends { readonly type: string },
  Own extends { readonly type: string },
>(
  machine: DeviceMachine<State, OwnEvent, Effect | TimerEffect<string> | Own>,
  app: App<OwnEvent, Own> = {},
): void {
  const native = createNative();
  native.skyslot_widen_watchdog();
  const storage = new Storage();
  storage.finishForgetting(native);
  const restarts = new RestartNote(storage);
  new Runner<State, OwnEvent, Effect | TimerEffect<string> | Own>(machine, new Chip(native), (dispatch) => {
    const host = new AppHost(app, dispatch, native);
    const adapters = connected(host, native, storage, restarts, dispatch);
    // in its own turn: an exception during boot then restarts the chip like any other error
    Timer.set(
      () =>
        dispatch(
          host.booted(
            readBootFacts(native, restarts.take(), storage.readAll(STORED_LIMITS, app.stores ?? {})),
          ),
        ),
      0,
    );
    return (effect) => {
      if (isCores(effect)) carryOut(adapters, effect);
      else host.carryOut(effect as Own);
    };
  });
}

const connected = (
  app: AppControl,
  native: Native,
  storage: Storage,
  restarts: RestartNote,
  dispatch: Dispatch,
  push = new PushServer(dispatch),
  tls = new Tls(native, storage),
): Adapters => ({
  app,
  discovery: new Discovery(dispatch),
  dispatch,
  hashing: new Hashing(dispatch, native),
  http: new HttpRequests(dispatch, tls),
  native,
  pages: new PageServer(dispatch, push),
  push,
  restarts,
  slot: new Slot(dispatch, native),
  storage,
  timers: new Timers(dispatch),
  tls,
  verifier: new Verifier(dispatch, native),
  wifi: new Wifi(dispatch, native),
});

/** What core cannot find out itself. */
class Chip implements Sources {
  readonly #bootedAt = Date.now();
  readonly #native: Native;

  constructor(native: Native) {
    this.#native = native;
  }

  uptimeMs(): number {
    return Date.now() - this.#bootedAt;
  }

  random(): number {
    return this.#native.esp_random() / 2 ** 32;
  }

  freeHeapBytes(): number {
    return this.#native.esp_get_free_heap_size();
  }
}
