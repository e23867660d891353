// How each effect of core is carried out: one line per effect. The table is in flash, and costs no memory. It decides nothing.

import type { Announced, Effect } from "../core/effect.js";
import { explainEsp } from "../core/esp-error.js";
import type { Status } from "../core/status.js";
import type { Hashing } from "./hashing.js";
import type { HttpRequests } from "./http-client.js";
import type { Native } from "./native.js";
import type { PushServer } from "./push-server.js";
import type { RestartNote } from "./restart-note.js";
import type { Dispatch } from "./runner.js";
import type { PageServer } from "./server.js";
import type { Verifier } from "./signature.js";
import type { Slot } from "./slot.js";
import type { Storage } from "./storage.js";
import type { Timers } from "./timers.js";
import type { Tls } from "./tls.js";

/** What the effects are carried out with. */
export interface Adapters {
  readonly app: AppControl;
  readonly discovery: Announcer;
  readonly dispatch: Dispatch;
  readonly hashing: Hashing;
  readonly http: HttpRequests;
  readonly native: Native;
  readonly pages: PageServer;
  readonly push: PushServer;
  readonly restarts: RestartNote;
  readonly slot: Slot;
  readonly storage: Storage;
  readonly timers: Timers;
  readonly tls: Tls;
  readonly verifier: Verifier;
  readonly wifi: Link;
}

export type SearchRequest = Extract<Effect, { readonly type: "scanWifi" }>;
export type JoinRequest = Extract<Effect, { readonly type: "joinWifi" }>;

/** The network link: wifi.ts or, for Ethernet, ethernet/wifi.ts. */
export interface Link {
  join(request: JoinRequest): void;
  leave(): void;
  openAccessPoint(ssid: string): void;
  closeAccessPoint(): void;
  scan(request: SearchRequest): void;
}

/** Announcing the device: discovery.ts or, for Ethernet, ethernet/discovery.ts. */
export interface Announcer {
  announce(hostName: string, services: readonly Announced[]): void;
  withdraw(): void;
}

/** The app's own part: app-host.ts. */
export interface AppControl {
  startLight(): void;
  start(): void;
  /** A setting was stored. */
  stored(key: string, value: string): void;
  showStatus(status: Status): void;
}

type Of<Type extends Effect["type"]> = Extract<Effect, { readonly type: Type }>;

const TABLE: { readonly [Type in Effect["type"]]: (adapters: Adapters, effect: Of<Type>) => void } =
  Object.freeze({
    setTimer: ({ timers }, { timer, delayMs }) => timers.set(timer, delayMs),
    clearTimer: ({ timers }, { timer }) => timers.clear(timer),
    joinWifi: ({ wifi }, effect) => wifi.join(effect),
    leaveWifi: ({ wifi }) => wifi.leave(),
    startAccessPoint: ({ wifi, dispatch }, { ssid }) =>
      tried(dispatch, "setup network", () => wifi.openAccessPoint(ssid)),
    stopAccessPoint: ({ wifi, dispatch }) => tried(dispatch, "setup network", () => wifi.closeAccessPoint()),
    scanWifi: ({ wifi }, effect) => wifi.scan(effect),
    startRequest: ({ http }, { attempt, request }) => http.start(attempt, request),
    readResponse: ({ http }, { attempt, maxBytes }) => http.read(attempt, maxBytes),
    collectResponse: ({ http }, { attempt, maxBytes, as }) => http.collect(attempt, maxBytes, as),
    closeRequest: ({ http }, { attempt }) => http.close(attempt),
    setTime: ({ tls }, effect) => tls.setTime(effect),
    startServer: ({ pages, dispatch }, { captive }) =>
      tried(dispatch, "port of the pages", () => pages.start(captive)),
    stopServer: ({ pages }) => pages.stop(),
    delayResponse: ({ pages }, { connection }) => pages.delay(connection),
    respond: ({ pages }, { connection, response }) => pages.respond(connection, response),
    startPush: ({ push, dispatch }, { espota }) =>
      tried(dispatch, "port for pushed updates", () => push.start(espota)),
    continuePush: ({ push }, { connection }) => push.letBodyCome(connection),
    readPush: ({ push }, { connection, maxBytes }) => push.read(connection, maxBytes),
    answerPush: ({ push }, { connection, response }) => push.answer(connection, response),
    sendDatagram: ({ push }, { address, port, text }) => push.sendDatagram(address, port, text),
    connectPush: ({ push }, { connection, address, port }) => push.connect(connection, address, port),
    acknowledgePush: ({ push }, { connection, count }) => push.acknowledge(connection, count),
    hashBytes: ({ hashing }, { attempt, bytes }) => hashing.hashBytes(attempt, bytes),
    hashText: ({ hashing }, { algorithm, text }) => hashing.hashText(algorithm, text),
    deriveKey: ({ hashing }, effect) => hashing.deriveKey(effect),
    makeMac: ({ hashing }, effect) => hashing.makeMac(effect),
    eraseSlot: ({ slot }, { attempt, offset, length }) => slot.erase(attempt, offset, length),
    writeSlot: ({ slot }, { attempt, offset, bytes }) => slot.write(attempt, offset, bytes),
    hashSlot: ({ slot }, { attempt, offset, length, algorithm }) =>
      slot.hash(attempt, offset, length, algorithm ?? "SHA256"),
    armSlot: ({ slot }, { attempt, imageSha256 }) => slot.arm(attempt, imageSha256),
    verifySignature: ({ verifier }, effect) => verifier.verify(effect),
    store({ storage, app, dispatch }, { key, value }) {
      const why = storage.write(key, value);
      if (why === undefined) app.stored(key, value);
      else dispatch({ type: "storeFailed", key, message: why });
    },
    save(adapters, { purpose, values, next = [] }) {
      const { storage, app, dispatch } = adapters;
      const why = storage.save(values);
      if (why !== undefined) return dispatch({ type: "saveFailed", purpose, message: why });
      for (const key of Object.keys(values)) if (values[key] !== undefined) app.stored(key, values[key]);
      for (const effect of next) carryOut(adapters, effect);
      dispatch({ type: "saved", purpose });
    },
    forget({ storage, dispatch }, { key }) {
      const why = storage.forget(key);
      if (why !== undefined) dispatch({ type: "storeFailed", key, message: why });
    },
    forgetAll({ storage, native, dispatch }) {
      const why = storage.forgetAll(native);
      if (why !== undefined) dispatch({ type: "partFailed", part: "factory reset", message: why });
    },
    markValid({ native, dispatch }) {
      const error = native.esp_ota_mark_app_valid_cancel_rollback();
      dispatch(
        error === 0 ? { type: "markedValid" } : { type: "markValidFailed", message: explainEsp(error) },
      );
    },
    rollBack({ native, restarts }) {
      restarts.note("roll-back");
      native.esp_ota_mark_app_invalid_rollback_and_reboot();
      native.esp_restart(); // only reached when there is no other image: a restart is better than continuing a firmware known to be bad
    },
    beginTrial({ native, restarts }) {
      if (native.skyslot_arm_running() !== 0) return;
      restarts.note("update");
      native.esp_restart();
    },
    checkRollBack: ({ native, dispatch }, { connection }) =>
      dispatch({ type: "rollBackChecked", connection, possible: native.skyslot_can_roll_back() === 1 }),
    restart({ native, restarts }, { reason }) {
      restarts.note(reason);
      native.esp_restart();
    },
    announce: ({ discovery, dispatch }, { hostName, services }) =>
      tried(dispatch, "name in the network", () => discovery.announce(hostName, services)),
    withdraw: ({ discovery, dispatch }) => tried(dispatch, "name in the network", () => discovery.withdraw()),
    startLight: ({ app }) => app.startLight(),
    startApp: ({ app }) => app.start(),
    showStatus: ({ app }, { status }) => app.showStatus(status),
    log(_adapters, { level, message }) {
      if (level !== "debug") trace(`${level}: ${message}\n`);
    },
  });

/** What the SDK throws where sockets or memory run out is told, and the rest of the device runs. */
function tried(dispatch: Dispatch, part: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    dispatch({ type: "partFailed", part, message: String(error) });
  }
}

export const isCores = (effect: { readonly type: string }): effect is Effect =>
  Object.hasOwn(TABLE, effect.type);

export const carryOut = (adapters: Adapters, effect: Effect): void =>
  (TABLE[effect.type] as (adapters: Adapters, effect: Effect) => void)(adapters, effect);
