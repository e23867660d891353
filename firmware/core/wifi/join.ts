// One network after the other: first by its name, which joins its strongest access point, then, where that fails, the others of that name
// that a search of the air finds, and then the next saved network after a pause.
//
//   joining by name ── failed ──► looking ── others of that name ──► joining by address ── failed, the last one ──► waiting
//                                    └────────── none ─────────────────────────────────────────────────────────────────▲

import { backoffMs } from "../backoff.js";
import type { Effect } from "../effect.js";
import type { AccessPoint, JoinFailure, Network, Raise } from "../event.js";
import { JOIN_FAILURES, moreTelling } from "../join-failure.js";
import type { SavedNetwork } from "../settings/preferences.js";
import { findNetwork, othersToTry, reasonFrom } from "./access-points.js";
import { openPortal } from "./setup-network.js";
import { type Moment, OFFLINE, preceded, STOP_SERVER, type Step, type WifiState } from "./wifi-state.js";

/** The SDK tries five times before it reports a wrong password, which takes some 25 s; a slow router needs 10 s for an address. */
const JOIN_TIMEOUT_MS = 45_000;
/** The driver refuses a search until it has left the network. */
const LOOK_DELAY_MS = 500;
/** 13 channels at 120 ms each are 2 s; after this the search counts as lost. */
const LOOK_TIMEOUT_MS = 15_000;
export const RETRY = Object.freeze({ firstMs: 2_000, maximumMs: 60_000 });
const PORTAL_AFTER_FAILURES = 3;

/** What the phone submitted, else the saved network whose turn it is. */
export function chosenNetwork({ submitted, preferences, index }: WifiState): SavedNetwork | undefined {
  const networks = preferences?.networks ?? [];
  return submitted ?? networks[index % Math.max(1, networks.length)];
}

export function join(state: WifiState): Step {
  const network = chosenNetwork(state);
  if (!network) return [{ ...state, phase: "unset" }, []];
  const favourite = state.favourite?.ssid === network.ssid ? state.favourite : undefined;
  const fresh = {
    ...state,
    others: [],
    looked: false,
    reason: undefined,
    avoided: undefined,
    heldSinceMs: undefined,
  };
  return joinAt(fresh, network, favourite);
}

function joinAt(state: WifiState, { ssid, password }: SavedNetwork, point: AccessPoint | undefined): Step {
  const attempt = state.attempt + 1;
  const where = point ? ` at access point ${point.bssid}` : "";
  const by = point ? { bssid: point.bssid, channel: point.channel } : {};
  return [
    { ...state, phase: "joining", attempt, point },
    [
      { type: "log", level: "info", message: `joining Wi-Fi "${ssid}"${where}` },
      { type: "joinWifi", attempt, ssid, password, hostName: state.hostName, ...by },
      { type: "setTimer", timer: "wifi", delayMs: JOIN_TIMEOUT_MS },
    ],
  ];
}

/** An access point has not let the device in, or has not given it an address. */
export function attemptFailed(state: WifiState, moment: Moment, why: JoinFailure): Step {
  const reason = moreTelling(state.reason, why);
  const failed: WifiState = { ...state, reason };
  const network = chosenNetwork(state);
  const [next, ...others] = state.others;
  if (network && next) return joinAt({ ...failed, others }, network, next);
  if (!network || state.looked) return networkFailed(failed, moment, reason);
  // a favourite that fails is none any more: its network is tried by its name like any other
  return state.point ? joinAt({ ...failed, favourite: undefined }, network, undefined) : look(failed);
}

const look = (state: WifiState): Step => [
  { ...state, phase: "looking", attempt: state.attempt + 1, searching: false },
  [{ type: "setTimer", timer: "wifi", delayMs: LOOK_DELAY_MS }],
];

/** A search begins, or has not ended in time. Those of this machine have negative numbers, those of the setup page positive ones. */
export function lookTimer(state: WifiState, moment: Moment): Step {
  if (state.searching) return looked(state, moment, undefined);
  return [
    { ...state, searching: true },
    [
      { type: "scanWifi", attempt: -state.attempt, ssid: chosenNetwork(state)?.ssid ?? "" },
      { type: "setTimer", timer: "wifi", delayMs: LOOK_TIMEOUT_MS },
    ],
  ];
}

/** What a search has found; nothing where it did not end. */
export function looked(state: WifiState, moment: Moment, heard: readonly Network[] | undefined): Step {
  const network = chosenNetwork(state);
  if (!network) return [{ ...state, phase: "unset" }, []];
  const found = findNetwork(network, heard ?? []);
  if (state.avoided !== undefined) return joinAnother(state, network, found.fitting);
  const known = state.reason ?? "not-found";
  const reason = known === "not-found" && heard ? reasonFrom(found) : known;
  const [next, ...others] = othersToTry(found, reason, state.failureCount);
  const after: WifiState = { ...state, looked: true, reason, others };
  return next ? joinAt(after, network, next) : networkFailed(after, moment, reason);
}

// ── a network that nothing gets through

/** Leaves the network that is joined, and joins it anew: by itself, or by another of its access points, or another network. */
export function rejoin(state: WifiState, cure: "rejoin" | "another"): Step {
  const left: readonly (Effect | Raise)[] = [
    ...(state.portalOpen ? [] : [STOP_SERVER]),
    OFFLINE,
    { type: "leaveWifi" },
  ];
  const away: WifiState = { ...state, online: false, address: "" };
  return preceded(left, cure === "rejoin" ? join(away) : joinElsewhere(away));
}

/** Not by the access point that was joined last. */
export const joinElsewhere = (state: WifiState): Step =>
  look({ ...state, avoided: state.bssid ?? "", others: [], reason: undefined, shortCount: 0 });

function joinAnother(state: WifiState, network: SavedNetwork, fitting: readonly Network[]): Step {
  const [next, ...others] = fitting.filter(({ bssid }) => bssid !== state.avoided);
  const after: WifiState = { ...state, avoided: undefined, favourite: undefined };
  if (next) return joinAt({ ...after, others: others.slice(0, 3), looked: true }, network, next);
  return join({ ...after, index: nextIndex(state) });
}

// ── the end of a round

const nextIndex = ({ index, preferences }: WifiState): number =>
  (index + 1) % Math.max(1, preferences?.networks.length ?? 0);

export function networkFailed(state: WifiState, moment: Moment, reason: JoinFailure): Step {
  const { submitted } = state;
  const networks = state.preferences?.networks ?? [];
  const ssid = chosenNetwork(state)?.ssid ?? "";
  const failureCount = state.failureCount + 1;
  const effects: (Effect | Raise)[] = [
    ...(state.online ? [OFFLINE] : []),
    { type: "log", level: "warn", message: `Wi-Fi "${ssid}" failed: ${reason}. ${JOIN_FAILURES[reason]}` },
    { type: "raise", event: { type: "joinFailed", ssid, reason } },
  ];
  const base = { ...state, submitted: undefined, failureCount, online: false, address: "", others: [] };
  if (networks.length === 0)
    return [{ ...base, phase: "unset" }, [...effects, { type: "clearTimer", timer: "wifi" }]];
  // a submitted network that failed does not count against the saved ones
  const index = submitted ? state.index : nextIndex(state);
  const submittedCount = submitted ? state.submittedCount : 0;
  const waiting: WifiState = { ...base, phase: "waiting", index, submittedCount };
  effects.push({ type: "setTimer", timer: "wifi", delayMs: backoffMs(RETRY, failureCount, moment.random) });
  if (failureCount < PORTAL_AFTER_FAILURES || state.portalOpen) return [waiting, effects];
  return preceded(effects, openPortal(waiting));
}
