// The station: joins a saved network, waits and tries again, and opens the portal when nothing else helps. With the portal open it
// goes on trying the saved networks as long as no phone is used: after a power cut the router often boots slower than the device, and no one
// waits beside it with a phone. join.ts is one network and its access points, setup-network.ts the device's own.
//
//   own pages on port 80        portal closed   portal open
//     not joined                stopped         captive
//     joined                    served          captive until the portal closes, then served
//
//             no network saved                       credentials submitted
//   booted ───────────────────────────► unset ◄──────────────┐  (tried once; the portal shows the result)
//      │ saved                            │ submitted         │ failed, nothing saved
//      ▼                                  ▼                   │
//   joining, looking ─ joined ────────► joined ─── lost ──► waiting ── timer ──► joining
//      └── failed ──► waiting (backoff; after 3 failures the portal opens as well)
//
// A device with a cable, or with a gateway in range, has one network, which is there or not: joining ◄─► joined, never a portal.

import type { Effect } from "../effect.js";
import type { Raise, Stamped } from "../event.js";
import { accessPointName } from "../identity.js";
import {
  forgetNetwork,
  type Preferences,
  readPreferences,
  type SavedNetwork,
  saveNetwork,
} from "../settings/preferences.js";
import {
  attemptFailed,
  chosenNetwork,
  join,
  joinElsewhere,
  looked,
  lookTimer,
  networkFailed,
  RETRY,
  rejoin,
} from "./join.js";
import {
  accessPointFailed,
  attached,
  closePortal,
  detached,
  heldBack,
  lingering,
  openPortal,
  reopenPortal,
} from "./setup-network.js";
import {
  initialWifi,
  OFFLINE,
  preceded,
  START_OWN_PAGES,
  STOP_SERVER,
  type Step,
  type WifiState,
} from "./wifi-state.js";

/** An access point that throws the device out so soon, so often in a row, is left for another of its network, if there is one. */
const SHORT_MS = 60_000;
const MAX_SHORT_COUNT = 2;
/** Submitted networks that are tried in a row. Then a saved one is tried, so that nobody in the setup network can prevent it. */
const MAX_SUBMITTED_COUNT = 3;

export { initialWifi, type WifiState } from "./wifi-state.js";

export function wifiStep(state: WifiState, event: Stamped): Step {
  switch (event.type) {
    case "booted": {
      const { preferences, effects } = readPreferences(event.stored, event.build);
      const ready = {
        ...initialWifi,
        preferences,
        hostName: event.identity.deviceId.toLowerCase(),
        setupSsid: accessPointName(event.identity.deviceId),
        link: event.link ?? "wifi",
      };
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
        hasOneNetwork(ready)
          ? plugIn(ready)
          : preferences.networks.length > 0
            ? join(ready)
            : openPortal(ready),
      );
    }
    case "credentialsSubmitted":
      return hasOneNetwork(state)
        ? [state, []]
        : submitted(state, { ssid: event.ssid, password: event.password });
    case "wifiJoined":
      if (event.attempt !== state.attempt) return [state, []];
      if (state.phase === "joined")
        return event.address === state.address ? [state, []] : moved(state, event);
      return state.phase === "joining" ? joined(state, event) : [state, []];
    case "wifiLost":
      if (event.attempt !== state.attempt) return [state, []];
      if (hasOneNetwork(state)) return state.phase === "joined" ? unplugged(state) : [state, []];
      if (state.phase === "joined")
        return preceded(
          state.portalOpen ? [] : [STOP_SERVER],
          networkFailed(countShort(state, event.at), event, "lost"),
        );
      return state.phase === "joining" ? attemptFailed(state, event, event.reason) : [state, []];
    case "scanCompleted":
      return state.phase === "looking" && event.attempt === -state.attempt
        ? looked(state, event, event.networks)
        : [state, []];
    case "linkDoubted":
      return state.phase === "joined" && !hasOneNetwork(state) ? rejoin(state, event.cure) : [state, []];
    case "timerFired":
      if (event.timer === "wifi") return wifiTimer(state, event);
      if (event.timer !== "portal") return [state, []];
      return state.phase === "joined" ? closePortal(state) : reopenPortal(state);
    case "accessPointFailed":
      return accessPointFailed(state);
    case "networkForgotten":
      return forgotten(state, event);
    case "clientAttached":
      return [attached(state, event), []];
    case "clientDetached":
      return detached(state, event);
    case "requestReceived":
      return [state.portalOpen ? { ...state, usedAtMs: event.at } : state, []];
    default:
      return [state, []];
  }
}

/** A network that is being tried goes on being tried: it may have access points left. */
function submitted(state: WifiState, network: SavedNetwork): Step {
  const tried = state.phase === "joining" || state.phase === "looking" ? chosenNetwork(state) : undefined;
  if (tried?.ssid === network.ssid && tried.password === network.password)
    return [{ ...state, submitted: network }, []];
  const hasSaved = (state.preferences?.networks.length ?? 0) > 0;
  if (hasSaved && state.submittedCount >= MAX_SUBMITTED_COUNT)
    return [state, [{ type: "raise", event: { type: "joinFailed", ssid: network.ssid, reason: "busy" } }]];
  const left: readonly Effect[] =
    state.phase === "joining" || state.phase === "joined" ? [{ type: "leaveWifi" }] : [];
  return preceded(left, join({ ...state, submitted: network, submittedCount: state.submittedCount + 1 }));
}

const countShort = (state: WifiState, at: number): WifiState => ({
  ...state,
  shortCount: at - state.joinedAtMs < SHORT_MS ? state.shortCount + 1 : 0,
});

function wifiTimer(state: WifiState, event: Stamped): Step {
  switch (state.phase) {
    case "joining":
      return preceded([{ type: "leaveWifi" }], attemptFailed(state, event, "no-address"));
    case "looking":
      return lookTimer(state, event);
    case "waiting":
      return (
        heldBack(state, event) ?? (state.shortCount >= MAX_SHORT_COUNT ? joinElsewhere(state) : join(state))
      );
    default:
      return [state, []];
  }
}

const hasOneNetwork = ({ link }: WifiState): boolean => link !== "wifi";

function plugIn(state: WifiState): Step {
  const attempt = state.attempt + 1;
  return [
    { ...state, phase: "joining", attempt },
    [{ type: "joinWifi", attempt, ssid: "", password: "", hostName: state.hostName }],
  ];
}

/** The adapter goes on listening: the cable, or the gateway, may come back. */
const unplugged = (state: WifiState): Step => [
  { ...state, phase: "joining", online: false, address: "" },
  [STOP_SERVER, OFFLINE, { type: "log", level: "warn", message: LOST[state.link] }],
];

const LOST = Object.freeze({
  wifi: "the network is gone",
  ethernet: "the network cable has no link",
  radio: "no gateway is in range",
});

type Joined = Extract<Stamped, { readonly type: "wifiJoined" }>;

function joined(state: WifiState, event: Joined): Step {
  const effects: (Effect | Raise)[] = [{ type: "clearTimer", timer: "wifi" }, ...announced(state, event)];
  let { preferences } = state;
  const used = chosenNetwork(state);
  if (preferences && used && (state.submitted || state.index > 0)) {
    const [saved, store] = saveNetwork(preferences, used);
    preferences = saved;
    effects.unshift(store);
    effects.push(networksSaved(saved));
  }
  const { point } = state;
  const next: WifiState = {
    ...state,
    phase: "joined",
    preferences,
    submitted: undefined,
    index: 0,
    others: [],
    favourite: point && used ? { ssid: used.ssid, bssid: point.bssid, channel: point.channel } : undefined,
    failureCount: 0,
    submittedCount: 0,
    address: event.address,
    bssid: event.bssid,
    joinedAtMs: event.at,
    online: true,
  };
  // with the portal open the server runs already, and captures: it stays so until the portal closes
  return preceded(effects, state.portalOpen ? lingering(next, event.at) : [next, [START_OWN_PAGES]]);
}

/** DHCP has given another address while the network stayed joined. */
const moved = (state: WifiState, event: Joined): Step => [
  { ...state, address: event.address },
  announced(state, event),
];

const announced = ({ link }: WifiState, { address, rssi }: Joined): readonly (Effect | Raise)[] => [
  {
    type: "log",
    level: "info",
    message: JOINED[link](address, rssi),
  },
  { type: "raise", event: { type: "online", address, rssi } },
];

const JOINED = Object.freeze({
  wifi: (address: string, rssi: number) => `joined Wi-Fi, address ${address}, ${rssi} dBm`,
  ethernet: (address: string) => `the network cable has address ${address}`,
  radio: (address: string, rssi: number) => `gateway ${address} is in range, ${rssi} dBm`,
});

/** Joining starts over without it. The network that is joined is not removed this way (settings-api.ts). */
function forgotten(state: WifiState, { ssid }: { readonly ssid: string }): Step {
  if (!state.preferences) return [state, []];
  const [preferences, store] = forgetNetwork(state.preferences, ssid);
  const known: readonly (Effect | Raise)[] = [store, networksSaved(preferences)];
  if (state.phase === "joined" || state.submitted) return [{ ...state, preferences }, known];
  const left: readonly Effect[] = state.phase === "joining" ? [{ type: "leaveWifi" }] : [];
  const base: WifiState = { ...state, preferences, index: 0, others: [], attempt: state.attempt + 1 };
  if (preferences.networks.length === 0)
    return [{ ...base, phase: "unset" }, [...known, ...left, { type: "clearTimer", timer: "wifi" }]];
  const again: Effect = { type: "setTimer", timer: "wifi", delayMs: RETRY.firstMs };
  return [{ ...base, phase: "waiting" }, [...known, ...left, again]];
}

const networksSaved = ({ networks }: Preferences): Raise => ({
  type: "raise",
  event: { type: "networksSaved", ssids: networks.map(({ ssid }) => ssid) },
});
