// The device's own pages in its owner's network: what it is, how it fares, its settings, and three commands. Never sends a Wi-Fi
// password or the owner's token back. What the setup portal serves is answered there (portal.ts); this machine takes
//
//   GET  /               the status page, unless a phone asks the access point: that gets the setup page
//   GET  /api/version    identity               POST /api/rollback        ─► 202, the other image, after a restart
//   GET  /api/health     condition              POST /api/restart         ─► 202, a second later a restart
//   GET  /api/settings   POST /api/settings     POST /api/factory-reset   ─► 202, a second later all is forgotten, and a restart

import { UNHEALTHY_KEY } from "./crash-guard.js";
import type { Effect, HttpResponse } from "./effect.js";
import type { Booted, Raise, Stamped } from "./event.js";
import { HELD_KEY } from "./install-record.js";
import { isOwnHost, type LocalRequest, refusalOf } from "./local-guard.js";
import {
  changeSettings,
  type Preferences,
  readPreferences,
  readSettings,
  type SettingsChange,
  TOKEN_KEY,
} from "./preferences.js";
import { parseVersion } from "./version.js";

/** The answer has to be out, and the phone's acknowledgement in, before the network goes. */
const FAREWELL_MS = 1_000;
/** Where pushed updates are taken: system D's port. */
export const PUSH_PORT = 3232;
/** Of the packets between paired devices; this firmware speaks none yet. */
const PROTOCOL_VERSION = 1;

export interface LastError {
  readonly code: string;
  readonly message: string;
  /** Seconds since the boot. */
  readonly atSeconds: number;
}

export interface LocalApiState {
  readonly boot: Booted | undefined;
  readonly preferences: Preferences | undefined;
  /** Empty: the owner has set none. */
  readonly token: string;
  readonly address: string;
  readonly rssi: number;
  readonly portalOpen: boolean;
  readonly serverReached: boolean;
  /** Unhealthy boots before a start in safe mode; 0: not in safe mode. */
  readonly safeModeAfter: number;
  readonly lastError: LastError | undefined;
  /** What happens when the farewell is over. */
  readonly leaving: "no" | "restart" | "reset" | "rollBack";
}

export const initialLocalApi: LocalApiState = Object.freeze({
  boot: undefined,
  preferences: undefined,
  token: "",
  address: "",
  rssi: 0,
  portalOpen: false,
  serverReached: false,
  safeModeAfter: 0,
  lastError: undefined,
  leaving: "no",
});

type Step = readonly [LocalApiState, readonly (Effect | Raise)[]];

export function localApiStep(state: LocalApiState, event: Stamped): Step {
  switch (event.type) {
    case "booted":
      return begin(event);
    case "requestReceived":
      return takesRequest(state, event) ? answer(state, event) : [state, []];
    case "rollBackChecked":
      return rollBackChecked(state, event);
    case "timerFired":
      return event.timer === "farewell" ? leave(state) : [state, []];
    case "online":
      return [{ ...state, address: event.address, rssi: event.rssi }, []];
    case "offline":
      return [{ ...state, address: "", rssi: 0, serverReached: false }, []];
    case "portalOpened":
      return [{ ...state, portalOpen: true }, []];
    case "portalClosed":
      return [{ ...state, portalOpen: false }, []];
    case "serverReached":
      return [{ ...state, serverReached: true }, []];
    case "safeModeEntered":
      return [{ ...state, safeModeAfter: event.unhealthyCount }, []];
    case "joinFailed":
      return [noted(state, event, "WIFI_FAILED", `joining "${event.ssid}": ${event.reason}`), []];
    case "updateFailed":
      return [noted(state, event, event.code, event.message), []];
    case "trialFailed":
      return [noted(state, event, "TRIAL_FAILED", event.reason), []];
    default:
      return [state, []];
  }
}

function begin(event: Booted): Step {
  const { preferences } = readPreferences(event.stored, event.build);
  const named: readonly Raise[] =
    preferences.deviceName === ""
      ? []
      : [{ type: "raise", event: { type: "deviceNamed", deviceName: preferences.deviceName } }];
  return [
    {
      ...initialLocalApi,
      boot: event,
      preferences,
      token: event.stored[TOKEN_KEY] ?? event.build.pushToken ?? "",
    },
    named,
  ];
}

const noted = (state: LocalApiState, event: Stamped, code: string, message: string): LocalApiState => ({
  ...state,
  lastError: { code, message, atSeconds: seconds(event.at) },
});

const seconds = (atMs: number): number => Math.floor(atMs / 1000);

// ── requests

type Serve = (state: LocalApiState, request: LocalRequest) => Step;
type Method = "GET" | "POST";

const ROUTES: Readonly<Record<string, Readonly<Partial<Record<Method, Serve>>>>> = Object.freeze({
  "/api/version": Object.freeze({ GET: serveVersion }),
  "/api/health": Object.freeze({ GET: serveHealth }),
  "/api/settings": Object.freeze({ GET: serveSettings, POST: saveSettings }),
  "/api/rollback": Object.freeze({ POST: rollBack }),
  "/api/restart": Object.freeze({ POST: restart }),
  "/api/factory-reset": Object.freeze({ POST: factoryReset }),
});

/** Whether a request is answered here; every other one is the portal's. */
export function takesRequest(state: LocalApiState, { method, path, host }: LocalRequest): boolean {
  const name = pathOf(path);
  const deviceId = state.boot?.identity.deviceId ?? "";
  // with the portal open, a foreign name is a phone that looks for the internet
  if (Object.hasOwn(ROUTES, name)) return !state.portalOpen || isOwnHost(host, deviceId);
  if ((name !== "/" && name !== "/ota") || method !== "GET" || !state.boot?.statusPage) return false;
  if (!state.portalOpen) return true;
  return state.address !== "" && isOwnHost(host, deviceId) && !host.startsWith("192.168.4.");
}

function answer(state: LocalApiState, request: LocalRequest): Step {
  const { boot } = state;
  const path = pathOf(request.path);
  if (!boot) return [state, [json(request, 503, { code: "STARTING", message: "The device starts." })]];
  const route = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;
  if (!route) return servePage(state, request, boot);
  const serve = request.method === "GET" || request.method === "POST" ? route[request.method] : undefined;
  if (!serve) {
    const message = `${request.method} is not possible here.`;
    return [state, [json(request, 405, { code: "METHOD_NOT_ALLOWED", message })]];
  }
  const refused = refusalOf(request, boot.identity.deviceId, state.token);
  if (!refused) return serve(state, request);
  const { status, code, message } = refused;
  return [state, [json(request, status, { code, message }, status === 401 ? CHALLENGE : {})]];
}

const CHALLENGE = Object.freeze({ "www-authenticate": "Bearer" });

const pathOf = (target: string): string => target.split("?")[0] ?? target;

/** The page loads nothing from elsewhere; it talks to this port, and sends a pushed update to its own. */
function servePage(state: LocalApiState, request: LocalRequest, boot: Booted): Step {
  const own = isOwnHost(request.host, boot.identity.deviceId) ? ` http://${request.host}:${PUSH_PORT}` : "";
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": `default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'${own}; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  };
  return [state, [respond(request, 200, boot.statusPage ?? "", headers)]];
}

function serveVersion(state: LocalApiState, request: LocalRequest): Step {
  const { boot, preferences } = state;
  if (!boot) return [state, []];
  const { identity, image } = boot;
  const version = parseVersion(image.version);
  return [
    state,
    [
      json(request, 200, {
        deviceId: identity.deviceId,
        name: nameOf(preferences, identity.deviceId),
        type: identity.type,
        version: image.version,
        build: image.build,
        versionNumber: version ? version.major * 10_000 + version.minor * 100 + version.patch : 0,
        buildDate: image.compileDate || null,
        buildTime: image.compileTime || null,
        idfVersion: image.idfVersion || null,
        protocolVersion: PROTOCOL_VERSION,
        slot: image.slot,
        slotState: image.slotState,
        chip: identity.chip,
        hardware: identity.hardware,
        uptimeSeconds: seconds(request.at),
        freeHeapBytes: request.freeHeapBytes,
        peer: null,
      }),
    ],
  ];
}

function serveHealth(state: LocalApiState, request: LocalRequest): Step {
  const { boot, lastError, address } = state;
  return [
    state,
    [
      json(request, 200, {
        status: state.safeModeAfter > 0 ? "safe-mode" : state.serverReached ? "ok" : "degraded",
        version: boot?.image.version ?? "",
        uptimeSeconds: seconds(request.at),
        resetReason: boot?.resetReason ?? "unknown",
        safeMode: state.safeModeAfter > 0,
        unhealthyBootCount: state.safeModeAfter,
        link: {
          state: address === "" ? "offline" : "online",
          address: address || null,
          rssi: address === "" ? null : state.rssi,
          setupPortal: state.portalOpen,
          server: state.serverReached ? "reached" : "not-reached",
        },
        freeHeapBytes: request.freeHeapBytes,
        lastError: lastError ?? null,
      }),
    ],
  ];
}

// ── settings

const nameOf = (preferences: Preferences | undefined, deviceId: string): string =>
  preferences?.deviceName || `Skyslot ${deviceId}`;

function settingsOf({ preferences, token, boot }: LocalApiState): object {
  return {
    server: preferences?.server ?? "",
    checkSeconds: preferences?.checkSeconds ?? 0,
    deviceName: preferences?.deviceName ?? "",
    hasToken: token !== "",
    defaults: { server: boot?.build.server ?? "", checkSeconds: boot?.build.checkSeconds ?? 0 },
  };
}

function serveSettings(state: LocalApiState, request: LocalRequest): Step {
  return [state, [json(request, 200, settingsOf(state))]];
}

function saveSettings(state: LocalApiState, request: LocalRequest): Step {
  const { boot, preferences } = state;
  const change = readSettings(request.body);
  if (!change.ok) return [state, [json(request, 400, change.failure)]];
  if (!boot || !preferences) return [state, []];
  const [changed, effects] = changeSettings(preferences, change.value, boot.build);
  const next = { ...state, preferences: changed, token: change.value.token ?? state.token };
  return [
    next,
    [json(request, 200, settingsOf(next)), ...effects, ...announced(changed, change.value, boot)],
  ];
}

/** What the other machines have to know of a change. */
function announced(preferences: Preferences, change: SettingsChange, boot: Booted): readonly Raise[] {
  const { server, checkSeconds } = preferences;
  const raises: Raise[] = [];
  if (change.server !== undefined || change.checkSeconds !== undefined)
    raises.push({ type: "raise", event: { type: "serverChosen", server, checkSeconds } });
  if (change.token !== undefined)
    raises.push({ type: "raise", event: { type: "tokenChosen", token: change.token } });
  if (change.deviceName !== undefined) {
    const deviceName = nameOf(preferences, boot.identity.deviceId);
    raises.push({ type: "raise", event: { type: "deviceNamed", deviceName } });
  }
  return raises;
}

// ── commands

function restart(state: LocalApiState, request: LocalRequest): Step {
  return farewell(state, request.connection, "restart");
}

function factoryReset(state: LocalApiState, request: LocalRequest): Step {
  return farewell(state, request.connection, "reset");
}

function rollBack(state: LocalApiState, request: LocalRequest): Step {
  return [state, [{ type: "checkRollBack", connection: request.connection }]];
}

function rollBackChecked(
  state: LocalApiState,
  { connection, possible }: Extract<Stamped, { readonly type: "rollBackChecked" }>,
): Step {
  if (possible) return farewell(state, connection, "rollBack");
  const message = "There is no other image to go back to.";
  return [state, [json({ connection }, 409, { code: "NO_OTHER_IMAGE", message })]];
}

function farewell(state: LocalApiState, connection: number, leaving: LocalApiState["leaving"]): Step {
  return [
    { ...state, leaving },
    [
      json({ connection }, 202, { restartsInMs: FAREWELL_MS }),
      { type: "log", level: "info", message: `the owner asked for: ${leaving}` },
      { type: "setTimer", timer: "farewell", delayMs: FAREWELL_MS },
    ],
  ];
}

function leave(state: LocalApiState): Step {
  switch (state.leaving) {
    case "no":
      return [state, []];
    case "restart":
      // whoever restarts it by hand wants the app tried again, and did not see a crash
      return [state, [{ type: "forget", key: UNHEALTHY_KEY }, { type: "restart" }]];
    case "reset":
      // only now, so that nothing is stored any more behind it
      return [state, [{ type: "forgetAll" }, { type: "restart" }]];
    case "rollBack":
      return [
        state,
        [{ type: "store", key: HELD_KEY, value: state.boot?.image.imageSha256 ?? "" }, { type: "rollBack" }],
      ];
  }
}

// ── answers

type Connection = Pick<LocalRequest, "connection">;

const json = (to: Connection, status: number, value: object, headers: HttpResponse["headers"] = {}): Effect =>
  respond(to, status, JSON.stringify(value), { "content-type": "application/json", ...headers });

function respond(
  { connection }: Connection,
  status: number,
  body: string,
  headers: HttpResponse["headers"],
): Effect {
  const response = {
    status,
    headers: { ...headers, "cache-control": "no-store", "x-content-type-options": "nosniff" },
    body,
  };
  return { type: "respond", connection, response };
}
