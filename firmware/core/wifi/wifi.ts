// The station: joins a saved network, waits and tries again, and opens the portal when nothing else helps. With the portal open it
// goes on trying the saved networks as long as no phone is attached: after a power cut the router often boots slower than the
// device, and no one waits beside it with a phone.
//
//   own pages on port 80        portal closed   portal open
//     not joined                stopped         captive
//     joined                    served          captive until the portal closes, then served
//
//             no network saved                       credentials submitted
//   booted ───────────────────────────► unset ◄──────────────┐  (tried once; the portal shows the result)
//      │ saved                            │ submitted         │ failed, nothing saved
//      ▼                                  ▼                   │
//   joining ──────── joined ──────────► joined ─── lost ──► waiting ── timer ──► joining
//      └── failed ──► waiting (backoff; after 3 failures the portal opens as well)
//
// A device with a cable has one network, which is there or not: joining ◄─► joined, never a portal.

import { backoffMs } from "../backoff.js";
import type { Effect } from "../effect.js";
import type { JoinFailure, Raise, Stamped } from "../event.js";
import { accessPointName } from "../identity.js";
import {
  forgetNetwork,
  type Preferences,
  readPreferences,
  type SavedNetwork,
  saveNetwork,
} from "../settings/preferences.js";

/** The SDK tries five times before it reports a wrong password, which takes some 25 s; a slow router needs 10 s for an address. */
const JOIN_TIMEOUT_MS = 45_000;
const RETRY = Object.freeze({ firstMs: 2_000, maximumMs: 60_000 });
const PORTAL_AFTER_FAILURES = 3;
/**
 * How long the portal stays after joining, so that the phone sees the result and the new address. Joining moves the access point to
 * the router's channel: a phone drops off and needs some seconds to come back.
 */
const PORTAL_LINGER_MS = 60_000;
const EMPTY_PORTAL_LINGER_MS = 20_000;
/** With a phone attached nothing is tried that would move the radio to another channel; checked again after this. */
const PHONE_GRACE_MS = 30_000;

export interface WifiState {
  readonly phase: "unset" | "joining" | "joined" | "waiting";
  readonly attempt: number;
  readonly preferences: Preferences | undefined;
  readonly accessPoint: string;
  /** What a phone submitted and is tried now; saved only once it worked. */
  readonly submitted: SavedNetwork | undefined;
  /** Index of the saved network that is tried. */
  readonly index: number;
  readonly failureCount: number;
  readonly portalOpen: boolean;
  readonly clientCount: number;
  /** What was announced to the other machines last. While another network is tried, they stay online until that fails. */
  readonly online: boolean;
  readonly wired: boolean;
}

export const initialWifi: WifiState = Object.freeze({
  phase: "unset",
  attempt: 0,
  preferences: undefined,
  accessPoint: "",
  submitted: undefined,
  index: 0,
  failureCount: 0,
  portalOpen: false,
  clientCount: 0,
  online: false,
  wired: false,
});

/** The server of the owner's network takes the captive one's place without a break: only the name server ends. */
const START_OWN_PAGES: Effect = Object.freeze({ type: "startServer", captive: false });
const STOP_SERVER: Effect = Object.freeze({ type: "stopServer" });
const OFFLINE: Raise = Object.freeze({ type: "raise", event: Object.freeze({ type: "offline" }) });

type Step = readonly [WifiState, readonly (Effect | Raise)[]];

export function wifiStep(state: WifiState, event: Stamped): Step {
  switch (event.type) {
    case "booted": {
      const { preferences, effects } = readPreferences(event.stored, event.build);
      const ready = { ...initialWifi, preferences, accessPoint: accessPointName(event.identity.deviceId) };
      const chosen: Raise = {
        type: "raise",
        event: {
          type: "serverChosen",
          server: preferences.server,
          checkSeconds: preferences.checkSeconds,
          hasOwnPace: preferences.hasOwnPace,
        },
      };
      return preceded(
        [...effects, chosen],
        event.link === "ethernet"
          ? plugIn(ready)
          : preferences.networks.length > 0
            ? join(ready)
            : openPortal(ready),
      );
    }
    case "credentialsSubmitted": {
      if (state.wired) return [state, []];
      const submitted = { ssid: event.ssid, password: event.password };
      const left: readonly Effect[] =
        state.phase === "joining" || state.phase === "joined" ? [{ type: "leaveWifi" }] : [];
      return preceded(left, join({ ...state, submitted }));
    }
    case "wifiJoined":
      return state.phase === "joining" && event.attempt === state.attempt
        ? joined(state, event)
        : [state, []];
    case "wifiLost":
      if (event.attempt !== state.attempt) return [state, []];
      if (state.wired) return state.phase === "joined" ? unplugged(state) : [state, []];
      if (state.phase === "joined")
        return preceded(state.portalOpen ? [] : [STOP_SERVER], failed(state, event, "lost"));
      return state.phase === "joining" ? failed(state, event, event.reason) : [state, []];
    case "timerFired":
      if (event.timer === "wifi") return wifiTimer(state, event);
      return event.timer === "portal" && state.phase === "joined" ? closePortal(state) : [state, []];
    case "networkForgotten":
      return forgotten(state, event);
    case "clientAttached":
      return [{ ...state, clientCount: state.clientCount + 1 }, []];
    case "clientDetached":
      return detached({ ...state, clientCount: Math.max(0, state.clientCount - 1) });
    default:
      return [state, []];
  }
}

function wifiTimer(state: WifiState, event: Stamped): Step {
  if (state.phase === "joining") return preceded([{ type: "leaveWifi" }], failed(state, event, "no-address"));
  if (state.phase !== "waiting") return [state, []];
  if (state.portalOpen && state.clientCount > 0) {
    return [state, [{ type: "setTimer", timer: "wifi", delayMs: PHONE_GRACE_MS }]];
  }
  return join(state);
}

/** What the phone submitted, else the saved network whose turn it is. */
function chosenNetwork({ submitted, preferences, index }: WifiState): SavedNetwork | undefined {
  const networks = preferences?.networks ?? [];
  return submitted ?? networks[index % Math.max(1, networks.length)];
}

function join(state: WifiState): Step {
  const network = chosenNetwork(state);
  if (!network) return [{ ...state, phase: "unset" }, []];
  const attempt = state.attempt + 1;
  return [
    { ...state, phase: "joining", attempt },
    [
      { type: "log", level: "info", message: `joining Wi-Fi "${network.ssid}"` },
      { type: "joinWifi", attempt, ssid: network.ssid, password: network.password },
      { type: "setTimer", timer: "wifi", delayMs: JOIN_TIMEOUT_MS },
    ],
  ];
}

function plugIn(state: WifiState): Step {
  const attempt = state.attempt + 1;
  return [
    { ...state, phase: "joining", attempt, wired: true },
    [{ type: "joinWifi", attempt, ssid: "", password: "" }],
  ];
}

/** The adapter goes on listening: the cable may come back. */
const unplugged = (state: WifiState): Step => [
  { ...state, phase: "joining", online: false },
  [STOP_SERVER, OFFLINE, { type: "log", level: "warn", message: "the network cable has no link" }],
];

function joined(state: WifiState, event: { readonly address: string; readonly rssi: number }): Step {
  const effects: (Effect | Raise)[] = [
    { type: "clearTimer", timer: "wifi" },
    {
      type: "log",
      level: "info",
      message: state.wired
        ? `the network cable has address ${event.address}`
        : `joined Wi-Fi, address ${event.address}, ${event.rssi} dBm`,
    },
    { type: "raise", event: { type: "online", address: event.address, rssi: event.rssi } },
  ];
  let { preferences } = state;
  const used = chosenNetwork(state);
  if (preferences && used && (state.submitted || state.index > 0)) {
    const [saved, store] = saveNetwork(preferences, used);
    preferences = saved;
    effects.unshift(store);
    effects.push(networksSaved(saved));
  }
  // with the portal open the server runs already, and captures: it stays so until the portal closes
  effects.push(state.portalOpen ? linger(state) : START_OWN_PAGES);
  return [
    { ...state, phase: "joined", preferences, submitted: undefined, index: 0, failureCount: 0, online: true },
    effects,
  ];
}

/** Joining starts over without it. The network that is joined is not removed this way (settings-api.ts). */
function forgotten(state: WifiState, { ssid }: { readonly ssid: string }): Step {
  if (!state.preferences) return [state, []];
  const [preferences, store] = forgetNetwork(state.preferences, ssid);
  const known: readonly (Effect | Raise)[] = [store, networksSaved(preferences)];
  if (state.phase === "joined" || state.submitted) return [{ ...state, preferences }, known];
  const left: readonly Effect[] = state.phase === "joining" ? [{ type: "leaveWifi" }] : [];
  const base: WifiState = { ...state, preferences, index: 0, attempt: state.attempt + 1 };
  if (preferences.networks.length === 0)
    return [{ ...base, phase: "unset" }, [...known, ...left, { type: "clearTimer", timer: "wifi" }]];
  const again: Effect = { type: "setTimer", timer: "wifi", delayMs: RETRY.firstMs };
  return [{ ...base, phase: "waiting" }, [...known, ...left, again]];
}

const networksSaved = ({ networks }: Preferences): Raise => ({
  type: "raise",
  event: { type: "networksSaved", ssids: networks.map(({ ssid }) => ssid) },
});

/** The last phone has left: with the network joined, no one waits for the result any more. */
function detached(state: WifiState): Step {
  return [
    state,
    state.portalOpen && state.phase === "joined" && state.clientCount === 0 ? [linger(state)] : [],
  ];
}

const linger = ({ clientCount }: WifiState): Effect => ({
  type: "setTimer",
  timer: "portal",
  delayMs: clientCount > 0 ? PORTAL_LINGER_MS : EMPTY_PORTAL_LINGER_MS,
});

function failed(state: WifiState, event: { readonly random: number }, reason: JoinFailure): Step {
  const { submitted } = state;
  const networks = state.preferences?.networks ?? [];
  const tried = chosenNetwork(state);
  const failureCount = state.failureCount + 1;
  const delayMs = backoffMs(RETRY, failureCount, event.random);
  const effects: (Effect | Raise)[] = [
    ...(state.online ? [OFFLINE] : []),
    { type: "log", level: "warn", message: `Wi-Fi "${tried?.ssid ?? ""}" failed: ${reason}` },
    { type: "raise", event: { type: "joinFailed", ssid: tried?.ssid ?? "", reason } },
  ];
  const base = { ...state, submitted: undefined, failureCount, online: false };
  if (networks.length === 0)
    return [{ ...base, phase: "unset" }, [...effects, { type: "clearTimer", timer: "wifi" }]];
  // a submitted network that failed does not count against the saved ones
  const index = submitted ? state.index : (state.index + 1) % networks.length;
  const waiting: WifiState = { ...base, phase: "waiting", index };
  effects.push({ type: "setTimer", timer: "wifi", delayMs });
  if (failureCount < PORTAL_AFTER_FAILURES || state.portalOpen) return [waiting, effects];
  return preceded(effects, openPortal(waiting));
}

function openPortal(state: WifiState): Step {
  return [
    { ...state, portalOpen: true, clientCount: 0 },
    [
      { type: "startAccessPoint", ssid: state.accessPoint },
      { type: "startServer", captive: true },
      { type: "log", level: "info", message: `setup portal open, access point "${state.accessPoint}"` },
      { type: "raise", event: { type: "portalOpened" } },
    ],
  ];
}

function closePortal(state: WifiState): Step {
  if (!state.portalOpen) return [state, []];
  return [
    { ...state, portalOpen: false, clientCount: 0 },
    [
      START_OWN_PAGES,
      { type: "stopAccessPoint" },
      { type: "log", level: "info", message: "setup portal closed" },
      { type: "raise", event: { type: "portalClosed" } },
    ],
  ];
}

const preceded = (effects: readonly (Effect | Raise)[], [state, after]: Step): Step => [
  state,
  [...effects, ...after],
];
