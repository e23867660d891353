// The device's own API and page in its owner's network: identity, health, settings and commands; the setup page uses it too. guard.ts
// decides who may do what. The setup portal answers its own requests (wifi/portal-requests.ts); this machine answers
//
//   GET  /               the status page, unless a phone asks the access point: that gets the setup page, and this as /settings
//   GET  /api/version    identity               POST /api/rollback        ─► 202, the other image, after a restart
//   GET  /api/health     condition              POST /api/restart         ─► 202, a second later a restart
//   GET  /api/settings   POST /api/settings     POST /api/factory-reset   ─► 202, a second later all is forgotten, and a restart
//   GET  /api/<section>  POST /api/<section>    POST /api/token           the first one, or another
//   GET  /api/saved-networks                    POST /api/forget-network
//                                           POST /api/root            the next trust root, as its text
//   POST /api/ota/rollback, as above            POST /api/ota/release, /install, /abandon: install-api.ts

import type { Effect, SavePurpose } from "../effect.js";
import type { Booted, PageRequest, Problem, Raise, Root, Stamped } from "../event.js";
import { allowed, json, respond } from "../http/answer.js";
import { isOwnHost } from "../http/own-host.js";
import { JOIN_FAILURES } from "../join-failure.js";
import { storedValues } from "../settings/app-settings.js";
import { readPreferences, TOKEN_KEY } from "../settings/preferences.js";
import { validated } from "../trial/boot-validation.js";
import { UNHEALTHY_KEY } from "../trial/crash-guard.js";
import { BLOCKED_IMAGE_KEY } from "../update/record.js";
import { abilitiesOf, tellAbilities } from "./abilities.js";
import { guardedOf, initialLocalApi, type LocalApiState, ownNames, type Step } from "./api-state.js";
import { healthFacts, seconds, versionFacts } from "./facts.js";
import { type Right, refusalOf } from "./guard.js";
import { abandonStaged, giveRelease, install, installEnded } from "./install-api.js";
import { examineOwner, ownersKeyDerived, ownersKeyLost, ownersMacMade } from "./page-owner.js";
import { PUSH_PORT } from "./push.js";
import {
  forgetNetwork,
  pushSettings,
  saveSection,
  saveSettings,
  saveToken,
  serveSavedNetworks,
  serveSection,
  serveSettings,
  setToken,
  settingsNotSaved,
  settingsSaved,
} from "./settings-api.js";

/** The response has to be out, and the phone's acknowledgement in, before the network goes down. */
const FAREWELL_MS = 1_000;

export function localApiStep(state: LocalApiState, event: Stamped): Step {
  switch (event.type) {
    case "booted":
      return begin(event);
    case "requestReceived":
      return takesRequest(state, event) ? answer(state, event) : [state, []];
    case "keyDerived":
      return ownersKeyDerived(state, event.key);
    case "macMade":
      return ownersMacMade(state, event, serve);
    case "tokenChosen":
      return ownersKeyLost(state);
    case "rollBackChecked":
      return rollBackChecked(state, event);
    case "timerFired":
      return event.timer === "farewell" ? leave(state) : [state, []];
    case "online":
      return joined({ ...state, address: event.address, rssi: event.rssi });
    case "offline":
      return [{ ...state, address: "", rssi: 0, serverReached: false }, []];
    case "nameClaimed":
      return [{ ...state, claimedName: event.hostName }, []];
    case "abilitiesAsked":
      return tellAbilities(state);
    case "settingsPushed":
      return pushSettings(state, event);
    case "networksSaved":
      return [{ ...state, ssids: event.ssids }, []];
    case "portalOpened":
      return [{ ...state, portalOpen: true }, []];
    case "portalClosed":
      return [{ ...state, portalOpen: false }, []];
    case "serverReached":
      return [{ ...state, serverReached: true, tlsFailure: undefined }, []];
    case "serverMissed":
      return [{ ...state, serverReached: false, tlsFailure: event.tls }, []];
    case "safeModeEntered":
      return [{ ...state, safeModeAfter: event.unhealthyCount }, []];
    case "joinFailed":
      return [
        noted(
          state,
          event,
          "WIFI_FAILED",
          `joining "${event.ssid}": ${event.reason}. ${JOIN_FAILURES[event.reason]}`,
        ),
        [],
      ];
    case "linkDoubted":
      return [noted(state, event, "NETWORK_SILENT", NETWORK_SILENT), []];
    case "appFailed":
      return appFailed(state, event);
    case "saved":
      return event.purpose === "settings" ? settingsSaved(state, event.at) : [state, []];
    case "saveFailed":
      return saveFailed(state, event);
    case "storeFailed":
      return found(state, "STORE_FAILED", `"${event.key}" could not be stored: ${event.message}.`);
    case "partFailed":
      return found(state, "PART_FAILED", `The ${event.part} could not be used: ${event.message}.`);
    case "peerFacts":
      return [{ ...state, peer: event }, []];
    case "brokerStatus":
      return [{ ...state, isBrokerConnected: event.isConnected }, []];
    case "updateFailed":
      return [noted(state, event, event.code, event.message), []];
    case "installationFailed": {
      const { version, code, reason } = event;
      return [{ ...state, lastRollBack: { version, code, reason } }, []];
    }
    case "stagedChanged":
      return [{ ...state, staged: event.staged }, []];
    case "rootHeld":
      return [rootHeld(state, event.root), []];
    case "freshnessChanged":
      return [{ ...state, freshness: event }, []];
    case "commitEnded":
      return installEnded(state, event.problem);
    case "trialPassed":
      return [{ ...state, boot: state.boot && validated(state.boot), lastRollBack: undefined }, []];
    case "trialFailed":
      return [noted(state, event, "TRIAL_FAILED", event.reason), []];
    default:
      return [state, []];
  }
}

/** It may ask for statements of freshness no longer. */
const rootHeld = (state: LocalApiState, root: Root): LocalApiState => ({
  ...state,
  root,
  freshness: root.freshness.length > 0 ? (state.freshness ?? NEVER_FRESH) : undefined,
});

const NEVER_FRESH = Object.freeze({ since: 0, isFrozen: false });

const NETWORK_SILENT =
  "The update server did not answer several times in a row, so the network was joined anew. Look whether the router is online and the server runs.";

function begin(event: Booted & Stamped): Step {
  const { preferences, problems: ofPreferences } = readPreferences(event.stored, event.build);
  const problems = [...(event.problems ?? []), ...ofPreferences].slice(0, MAX_PROBLEM_COUNT);
  const named: readonly Raise[] =
    preferences.deviceName === ""
      ? []
      : [{ type: "raise", event: { type: "deviceNamed", deviceName: preferences.deviceName } }];
  const state: LocalApiState = {
    ...initialLocalApi,
    boot: event,
    preferences,
    token: event.stored[TOKEN_KEY] ?? event.build.pushToken ?? "",
    ssids: preferences.networks.map(({ ssid }) => ssid),
    problems,
    values: event.section ? storedValues(event.section, event.stored[event.section.name]).values : {},
  };
  return [state, [...problems.map(logOf), ...named, ...abilitiesOf(state)]];
}

/** For `/api/health`: a device has a few kinds of problems, not a list. */
const MAX_PROBLEM_COUNT = 8;

const logOf = ({ code, message }: Problem): Effect => ({
  type: "log",
  level: "warn",
  message: `${message} [${code}]`,
});

function appFailed(state: LocalApiState, event: Extract<Stamped, { readonly type: "appFailed" }>): Step {
  const message = `the app failed: ${event.message}`;
  const log: Effect = { type: "log", level: "error", message: `${message}; the rest of the device runs` };
  return [noted(state, event, "APP_FAILED", message), [log]];
}

function saveFailed(
  state: LocalApiState,
  { purpose, message }: Stamped & { readonly purpose: SavePurpose; readonly message: string },
): Step {
  const [next, told] = found(state, "STORE_FAILED", `"${purpose}" could not be stored: ${message}.`);
  if (purpose !== "settings") return [next, told];
  const [after, answered] = settingsNotSaved(next, message);
  return [after, [...told, ...answered]];
}

/** Of each kind one: those that follow have the same cause. */
function found(state: LocalApiState, code: string, message: string): Step {
  const isKnown = state.problems.some((problem) => problem.code === code);
  if (isKnown || state.problems.length >= MAX_PROBLEM_COUNT) return [state, []];
  const problem: Problem = { code, message };
  return [{ ...state, problems: [...state.problems, problem] }, [logOf(problem)]];
}

const noted = (state: LocalApiState, event: Stamped, code: string, message: string): LocalApiState => ({
  ...state,
  lastError: { code, message, atSeconds: seconds(event.at) },
});

/** The token chosen in the setup network is in force from now on. */
const joined = (state: LocalApiState): Step =>
  state.offeredToken === "" ? [state, []] : setToken(state, state.offeredToken);

// ── requests

type Serve = (state: LocalApiState, request: PageRequest) => Step;
type Method = "GET" | "POST";

interface Route {
  readonly right: Right;
  readonly serve: Serve;
}
type Routes = Readonly<Partial<Record<Method, Route>>>;

const route = (right: Right, serve: Serve): Route => Object.freeze({ right, serve });
const pathWith = (path: string, routes: Routes) => Object.freeze([path, Object.freeze(routes)] as const);

/** A list, not an object: looked up in an object, each new path would become a property's name, which the chip's XS never frees. */
const ROUTES: readonly (readonly [path: string, routes: Routes])[] = Object.freeze([
  pathWith("/api/version", { GET: route("read", serveVersion) }),
  pathWith("/api/health", { GET: route("read", serveHealth) }),
  pathWith("/api/settings", { GET: route("read", serveSettings), POST: route("change", saveSettings) }),
  pathWith("/api/token", { POST: route("token", saveToken) }),
  pathWith("/api/saved-networks", { GET: route("private", serveSavedNetworks) }),
  pathWith("/api/forget-network", { POST: route("change", forgetNetwork) }),
  pathWith("/api/rollback", { POST: route("change", rollBack) }),
  pathWith("/api/ota/rollback", { POST: route("change", rollBack) }),
  pathWith("/api/ota/release", { POST: route("change", giveRelease) }),
  pathWith("/api/ota/install", { POST: route("change", install) }),
  pathWith("/api/ota/abandon", { POST: route("change", abandonStaged) }),
  pathWith("/api/root", { POST: route("root", giveRoot) }),
  pathWith("/api/restart", { POST: route("change", restart) }),
  pathWith("/api/factory-reset", { POST: route("reset", factoryReset) }),
]);
/** Of the app's section, whatever its name. */
const SECTION: Routes = Object.freeze({
  GET: route("read", serveSection),
  POST: route("change", saveSection),
});

function routesOf({ boot }: LocalApiState, path: string): Routes | undefined {
  const found = ROUTES.find(([one]) => one === path);
  if (found) return found[1];
  return boot?.section && path === `/api/${boot.section.name}` ? SECTION : undefined;
}

/** All the same page; the last is for clients in the setup network, where `/` is the setup page. */
const PAGES: readonly string[] = Object.freeze(["/", "/ota", "/settings"]);

/** Whether a request is answered here; the portal answers every other one. */
export function takesRequest(state: LocalApiState, { method, path, host }: PageRequest): boolean {
  const name = pathOf(path);
  const isOwn = isOwnHost(host, ownNames(state));
  // with the portal open, a foreign name is a phone's connectivity check
  if (routesOf(state, name)) return !state.portalOpen || isOwn;
  if (!PAGES.includes(name) || method !== "GET" || !state.boot?.statusPage) return false;
  if (!state.portalOpen) return true;
  if (name === "/settings") return isOwn;
  return state.address !== "" && isOwn && !host.startsWith("192.168.4.");
}

function answer(state: LocalApiState, request: PageRequest): Step {
  const { boot } = state;
  if (!boot) return [state, [json(request, 503, { code: "STARTING", message: "The device starts." })]];
  const routes = routesOf(state, pathOf(request.path));
  if (!routes) return servePage(state, request, boot);
  const found = request.method === "GET" || request.method === "POST" ? routes[request.method] : undefined;
  if (!found) {
    const message = `${request.method} is not possible here.`;
    return [state, [json(request, 405, { code: "METHOD_NOT_ALLOWED", message }, allowed(routes))]];
  }
  const refused = refusalOf(request, found.right, guardedOf(state));
  if (!refused) return found.serve(state, request);
  if (refused.status === 401) return examineOwner(state, request, refused, serve);
  const { status, code, message } = refused;
  return [state, [json(request, status, { code, message })]];
}

/** A request of the owner. */
function serve(state: LocalApiState, request: PageRequest): Step {
  const { [request.method as Method]: found } = routesOf(state, pathOf(request.path)) ?? NO_ROUTES;
  return found ? found.serve(state, request) : [state, []];
}
const NO_ROUTES: Routes = Object.freeze({});

const pathOf = (target: string): string => target.split("?")[0] ?? target;

/** The page loads nothing from elsewhere; it uses this port, and sends a pushed update to port 3232. */
function servePage(state: LocalApiState, request: PageRequest, boot: Booted): Step {
  const isNamed = request.host !== "" && isOwnHost(request.host, ownNames(state));
  const own = isNamed ? ` http://${request.host}:${PUSH_PORT}` : "";
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": `default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'${own}; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  };
  return [state, [respond(request, 200, boot.statusPage ?? "", headers)]];
}

function serveVersion(state: LocalApiState, request: PageRequest): Step {
  return [state, [json(request, 200, versionFacts(state, request))]];
}

function serveHealth(state: LocalApiState, request: PageRequest): Step {
  return [state, [json(request, 200, healthFacts(state, request))]];
}

// ── commands

/** Answered by the update machine, when it is stored or refused. */
function giveRoot(state: LocalApiState, { connection, body }: PageRequest): Step {
  return [
    state,
    [
      { type: "delayResponse", connection },
      { type: "raise", event: { type: "rootGiven", connection, text: body } },
    ],
  ];
}

function restart(state: LocalApiState, request: PageRequest): Step {
  return farewell(state, request.connection, "restart");
}

/** Whose record is erased must not stay complete in its slot: a roll back could start it without a trial. */
function factoryReset(state: LocalApiState, request: PageRequest): Step {
  const [next, effects] = farewell(state, request.connection, "reset");
  return [next, [...effects, ...(state.staged ? [ABANDON] : [])]];
}

const ABANDON: Raise = Object.freeze({
  type: "raise",
  event: Object.freeze({ type: "abandonRequested", reason: "the device is reset" } as const),
});

function rollBack(state: LocalApiState, request: PageRequest): Step {
  const { staged } = state;
  if (staged) {
    const message = `The other slot holds ${staged.version}, which was never tried. There is nothing to go back to.`;
    return [state, [json(request, 409, { code: "STAGED", message })]];
  }
  return [state, [{ type: "checkRollBack", connection: request.connection }]];
}

function rollBackChecked(
  state: LocalApiState,
  { connection, possible }: Extract<Stamped, { readonly type: "rollBackChecked" }>,
): Step {
  if (connection === 0) return [state, []]; // the update machine has asked
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
      // a restart by the owner should try the app again, and is not a crash
      return [
        state,
        [
          { type: "forget", key: UNHEALTHY_KEY },
          { type: "restart", reason: "owner" },
        ],
      ];
    case "reset":
      // only now, so that nothing is stored after it
      return [state, [{ type: "forgetAll" }, { type: "restart", reason: "factory-reset" }]];
    case "rollBack":
      return [
        state,
        [
          { type: "store", key: BLOCKED_IMAGE_KEY, value: state.boot?.image.imageSha256 ?? "" },
          { type: "rollBack" },
        ],
      ];
  }
}
