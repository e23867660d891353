// Puts a device together from the adapters and starts it. An app's main.ts calls this and adds what only that app has.

import Timer from "timer";
import type { Section } from "../core/app-settings.js";
import { type DeviceState, initialDevice, step } from "../core/device.js";
import type { Effect } from "../core/effect.js";
import type { Booted } from "../core/event.js";
import type { Status } from "../core/status.js";
import { readBootFacts } from "./boot-facts.js";
import { createDiscovery } from "./discovery.js";
import { createHashing } from "./hashing.js";
import { createHttpClient } from "./http-client.js";
import { createNative, type Native } from "./native.js";
import { createPushServer } from "./push-server.js";
import { createRestartNote } from "./restart-note.js";
import { createRunner, type DeviceMachine, type Dispatch, type Handlers } from "./runner.js";
import { createServer } from "./server.js";
import { createVerifier } from "./signature.js";
import { createSlot } from "./slot.js";
import { createStorage } from "./storage.js";
import { createTimers } from "./timers.js";
import { createWifi } from "./wifi.js";

export interface AppOptions {
  /** Shows a status on whatever the app has: an LED, a display. */
  readonly showStatus?: ((status: Status) => void) | undefined;
  /** The app can show a person which device this is; absent: if it shows statuses. */
  readonly canIdentify?: boolean;
  /** The settings that the app has, for its pages; in safe mode too, so that a setting that crashes it can be changed. */
  readonly section?: (facts: Booted) => Section;
  /**
   * Starts what the app has besides Wi-Fi, portal and update, with what the device knows of itself. Not called in safe mode
   * (core/crash-guard.ts).
   */
  readonly onReady?: (facts: Booted) => void;
  /** A setting was stored in NVS. Not called before onReady, so never in safe mode. */
  readonly onStore?: (key: string, value: string) => void;
}

/** An app whose device has machines of its own: them, and the adapters for what only they ask for. */
export interface AppMachine<State, Own extends { readonly type: string }> {
  readonly machine: DeviceMachine<State, Effect | Own>;
  connect(dispatch: Dispatch, native: Native): Handlers<Own>;
}

export function startDevice(options: AppOptions = {}): void {
  startMachine<DeviceState, never>(
    { machine: { initial: initialDevice, step }, connect: () => ({}) },
    options,
  );
}

export function startMachine<State, Own extends { readonly type: string }>(
  app: AppMachine<State, Own>,
  options: AppOptions = {},
): void {
  const bootedAt = Date.now();
  const native = createNative();
  native.skyslot_widen_watchdog();
  const storage = createStorage();
  const restarts = createRestartNote(storage);
  let facts: Booted | undefined;
  let appRuns = false;
  const dispatch = createRunner<State, Effect | Own>(
    app.machine,
    {
      uptimeMs: () => Date.now() - bootedAt,
      random: () => native.esp_random() / 2 ** 32,
      freeHeapBytes: () => native.esp_get_free_heap_size(),
    },
    (send) => {
      const timers = createTimers(send);
      const wifi = createWifi(send, native);
      const http = createHttpClient(send);
      const server = createServer(send);
      const discovery = createDiscovery();
      const push = createPushServer(send);
      const hashing = createHashing(send, native);
      const slot = createSlot(send, native);
      const verify = createVerifier(send, native);
      const common: Handlers<Effect> = {
        setTimer: ({ timer, delayMs }) => timers.set(timer, delayMs),
        clearTimer: ({ timer }) => timers.clear(timer),
        joinWifi: ({ attempt, ssid, password }) => wifi.join(attempt, ssid, password),
        leaveWifi: () => wifi.leave(),
        startAccessPoint: ({ ssid }) => wifi.openAccessPoint(ssid),
        stopAccessPoint: () => wifi.closeAccessPoint(),
        scanWifi: ({ attempt }) => wifi.scan(attempt),
        startRequest: ({ attempt, request }) => http.start(attempt, request),
        readResponse: ({ attempt, maxBytes }) => http.read(attempt, maxBytes),
        collectResponse: ({ attempt, sizeBytes, as }) => http.collect(attempt, sizeBytes, as),
        closeRequest: ({ attempt }) => http.close(attempt),
        startServer: ({ captive }) => server.start(captive),
        stopServer: () => server.stop(),
        respond: ({ connection, response }) => server.respond(connection, response),
        startPush: ({ espota }) => push.start(espota),
        continuePush: ({ connection }) => push.letBodyCome(connection),
        readPush: ({ connection, maxBytes }) => push.read(connection, maxBytes),
        answerPush: ({ connection, response }) => push.answer(connection, response),
        sendDatagram: ({ address, port, text }) => push.sendDatagram(address, port, text),
        connectPush: ({ connection, address, port }) => push.connect(connection, address, port),
        acknowledgePush: ({ connection, count }) => push.acknowledge(connection, count),
        hashBytes: ({ attempt, bytes }) => hashing.hashBytes(attempt, bytes),
        hashText: ({ algorithm, text }) => hashing.hashText(algorithm, text),
        deriveKey: ({ password, salt, rounds }) => hashing.deriveKey(password, salt, rounds),
        eraseSlot: ({ attempt, offset }) => slot.erase(attempt, offset),
        writeSlot: ({ attempt, offset, bytes }) => slot.write(attempt, offset, bytes),
        hashSlot: ({ attempt, offset, length, algorithm }) =>
          slot.hash(attempt, offset, length, algorithm ?? "SHA256"),
        armSlot: ({ attempt }) => slot.arm(attempt),
        verifySignature: (effect) => verify(effect),
        store: ({ key, value }) => {
          storage.write(key, value);
          if (appRuns) options.onStore?.(key, value);
        },
        forget: ({ key }) => storage.forget(key),
        forgetAll: () => storage.forgetAll(),
        markValid: () => {
          const error = native.esp_ota_mark_app_valid_cancel_rollback();
          send(
            error === 0 ? { type: "markedValid" } : { type: "markValidFailed", message: `error ${error}` },
          );
        },
        rollBack: () => {
          restarts.note("roll-back");
          native.esp_ota_mark_app_invalid_rollback_and_reboot();
          native.esp_restart(); // only reached when there is no other image: better a restart than a firmware known to be bad
        },
        beginTrial: () => {
          if (native.skyslot_arm_running() !== 0) return;
          restarts.note("update");
          native.esp_restart();
        },
        checkRollBack: ({ connection }) =>
          send({ type: "rollBackChecked", connection, possible: native.skyslot_can_roll_back() === 1 }),
        restart: ({ reason }) => {
          restarts.note(reason);
          native.esp_restart();
        },
        announce: ({ hostName, services }) => discovery.announce(hostName, services),
        withdraw: () => discovery.withdraw(),
        startApp: () => {
          appRuns = true;
          if (facts) options.onReady?.(facts);
        },
        showStatus: ({ status }) => options.showStatus?.(status),
        log: writeLog,
      };
      return { ...common, ...app.connect(send, native) } as Handlers<Effect | Own>;
    },
  );
  // a turn of its own: what boot throws then restarts the chip like any other error
  Timer.set(() => {
    const found = readBootFacts(native, restarts.take(), storage.readAll());
    const canIdentify = options.canIdentify ?? options.showStatus !== undefined;
    facts = { ...found, canIdentify, section: options.section?.(found) };
    dispatch(facts);
  }, 0);
}

const writeLog = ({ level, message }: Extract<Effect, { readonly type: "log" }>) => {
  if (level !== "debug") trace(`${level}: ${message}\n`);
};
