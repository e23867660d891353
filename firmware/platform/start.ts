// Puts a device together from the adapters and starts it. An app's main.ts calls this and adds what only that app has.

import Timer from "timer";
import { step } from "../core/device.js";
import { type DeviceState, initialDevice } from "../core/device-state.js";
import type { Effect, TimerEffect } from "../core/effect.js";
import type { Booted } from "../core/event.js";
import type { Section } from "../core/section.js";
import type { Status } from "../core/status.js";
import { readBootFacts } from "./boot-facts.js";
import { type Adapters, type App, carryOut, isCores } from "./carry-out.js";
import { Discovery } from "./discovery.js";
import { Hashing } from "./hashing.js";
import { HttpRequests } from "./http-client.js";
import { createNative, type Native } from "./native.js";
import { PushServer } from "./push-server.js";
import { RestartNote } from "./restart-note.js";
import { type DeviceMachine, type Dispatch, type Handlers, Runner, type Sources } from "./runner.js";
import { PageServer } from "./server.js";
import { Verifier } from "./signature.js";
import { Slot } from "./slot.js";
import { Storage } from "./storage.js";
import { Timers } from "./timers.js";
import { Wifi } from "./wifi.js";

export interface AppOptions {
  /** Shows a status on whatever the app has: an LED, a display. */
  readonly showStatus?: ((status: Status) => void) | undefined;
  /** The app can show a person which device this is; absent: if it shows statuses. */
  readonly canIdentify?: boolean;
  /** The settings that the app has, for its pages; in safe mode too, so that a setting that crashes it can be changed. */
  readonly section?: (facts: Booted) => Section;
  /**
   * Starts what the app has besides Wi-Fi, portal and update, with what the device knows of itself. Not called in safe mode
   * (core/trial/crash-guard.ts).
   */
  readonly onReady?: (facts: Booted) => void;
  /** A setting was stored in NVS. Not called before onReady, so never in safe mode. */
  readonly onStore?: (key: string, value: string) => void;
}

/** An app whose device has machines of its own: them, and the adapters for what only they ask for. */
export interface AppMachine<State, OwnEvent, Own extends { readonly type: string }> {
  readonly machine: DeviceMachine<State, OwnEvent, Effect | TimerEffect<string> | Own>;
  connect(dispatch: Dispatch<OwnEvent>, native: Native): Handlers<Own>;
}

export function startDevice(options: AppOptions = {}): void {
  startMachine<DeviceState, never, never>(
    { machine: { initial: initialDevice, step }, connect: () => ({}) },
    options,
  );
}

export function startMachine<
  State,
  OwnEvent extends { readonly type: string },
  Own extends { readonly type: string },
>({ machine, connect }: AppMachine<State, OwnEvent, Own>, options: AppOptions = {}): void {
  const native = createNative();
  native.skyslot_widen_watchdog();
  const storage = new Storage();
  const restarts = new RestartNote(storage);
  const app = new AppPart(options);
  const runner = new Runner<State, OwnEvent, Effect | TimerEffect<string> | Own>(
    machine,
    new Chip(native),
    (dispatch) => {
      const adapters = connected(app, native, storage, restarts, dispatch);
      const own = connect(dispatch, native);
      return (effect) => {
        if (isCores(effect)) carryOut(adapters, effect);
        else handle(own, effect as Own);
      };
    },
  );
  // a turn of its own: what boot throws then restarts the chip like any other error
  Timer.set(() => runner.dispatch(app.booted(readBootFacts(native, restarts.take(), storage.readAll()))), 0);
}

const connected = (
  app: AppPart,
  native: Native,
  storage: Storage,
  restarts: RestartNote,
  dispatch: Dispatch,
): Adapters => ({
  app,
  discovery: new Discovery(),
  dispatch,
  hashing: new Hashing(dispatch, native),
  http: new HttpRequests(dispatch),
  native,
  pages: new PageServer(dispatch),
  push: new PushServer(dispatch),
  restarts,
  slot: new Slot(dispatch, native),
  storage,
  timers: new Timers(dispatch),
  verifier: new Verifier(dispatch, native),
  wifi: new Wifi(dispatch, native),
});

const handle = <Own extends { readonly type: string }>(handlers: Handlers<Own>, effect: Own): void =>
  (handlers[effect.type as Own["type"]] as (effect: Own) => void)(effect);

/** What core cannot make. */
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

/** The app's options, and whether its part runs. */
class AppPart implements App {
  readonly #options: AppOptions;
  #facts: Booted | undefined;
  #runs = false;

  constructor(options: AppOptions) {
    this.#options = options;
  }

  /** The facts of the boot with what the app adds to them. */
  booted(found: Booted): Booted {
    const { canIdentify, showStatus, section } = this.#options;
    this.#facts = {
      ...found,
      canIdentify: canIdentify ?? showStatus !== undefined,
      section: section?.(found),
    };
    return this.#facts;
  }

  start(): void {
    this.#runs = true;
    if (this.#facts) this.#options.onReady?.(this.#facts);
  }

  stored(key: string, value: string): void {
    if (this.#runs) this.#options.onStore?.(key, value);
  }

  showStatus({ status }: Extract<Effect, { readonly type: "showStatus" }>): void {
    this.#options.showStatus?.(status);
  }
}
