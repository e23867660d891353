// The state of the station and of the device's own setup network. No behaviour.

import type { Effect } from "../effect.js";
import type { AccessPoint, JoinFailure, LinkKind, Raise } from "../event.js";
import type { Preferences, SavedNetwork } from "../settings/preferences.js";

export interface WifiState {
  readonly phase: "unset" | "joining" | "looking" | "joined" | "waiting";
  readonly attempt: number;
  readonly preferences: Preferences | undefined;
  /** Of the device, for its router. */
  readonly hostName: string;
  /** Name of the setup network. */
  readonly setupSsid: string;
  /** What a phone submitted and is tried now; saved only once it worked. */
  readonly submitted: SavedNetwork | undefined;
  /** Networks that phones submitted since a saved one was tried to its end. */
  readonly submittedCount: number;
  /** Index of the saved network that is tried. */
  readonly index: number;
  /** The access point that is tried by its address; absent: the network is tried by its name. */
  readonly point: AccessPoint | undefined;
  /** What is tried when that fails. */
  readonly others: readonly AccessPoint[];
  /** A search of the air is under way, not only due. */
  readonly searching: boolean;
  /** The air has been searched for this network since its name was tried. */
  readonly looked: boolean;
  /** Of this network's access points: the failure that tells most. */
  readonly reason: JoinFailure | undefined;
  /** The access point that nothing got through: another one is looked for. */
  readonly avoided: string | undefined;
  /** Led into a network whose name alone did not: tried first when that is joined again. */
  readonly favourite: (AccessPoint & { readonly ssid: string }) | undefined;
  readonly failureCount: number;
  /** In the network that is joined; empty: none, or no longer. */
  readonly address: string;
  /** Of the access point that is joined, where it is known. */
  readonly bssid: string | undefined;
  /** Since when it is joined, ms since boot. */
  readonly joinedAtMs: number;
  /** How often in a row it was lost soon after it was joined. */
  readonly shortCount: number;
  readonly portalOpen: boolean;
  /** Its access point is not there, and is tried again. */
  readonly portalFailed: boolean;
  readonly clientCount: number;
  /** When a phone last came to the setup network or asked for a page there, ms since boot. */
  readonly usedAtMs: number;
  /** Since when a join has been put off for such a phone. */
  readonly heldSinceMs: number | undefined;
  /** When the setup network closes at the latest, once another one is joined. */
  readonly lingerUntilMs: number;
  /** What was announced to the other machines last. While another network is tried, they stay online until that fails. */
  readonly online: boolean;
  /** By cable or by radio there is one network to be in, which needs neither name nor password, and is there or not. */
  readonly link: LinkKind;
}

export const initialWifi: WifiState = Object.freeze({
  phase: "unset",
  attempt: 0,
  preferences: undefined,
  hostName: "",
  setupSsid: "",
  submitted: undefined,
  submittedCount: 0,
  index: 0,
  point: undefined,
  others: Object.freeze([]),
  searching: false,
  looked: false,
  reason: undefined,
  avoided: undefined,
  favourite: undefined,
  failureCount: 0,
  address: "",
  bssid: undefined,
  joinedAtMs: 0,
  shortCount: 0,
  portalOpen: false,
  portalFailed: false,
  clientCount: 0,
  usedAtMs: 0,
  heldSinceMs: undefined,
  lingerUntilMs: 0,
  online: false,
  link: "wifi",
});

export type Step = readonly [WifiState, readonly (Effect | Raise)[]];

/** When an event came, and its random number. */
export interface Moment {
  readonly at: number;
  readonly random: number;
}

export const preceded = (effects: readonly (Effect | Raise)[], [state, after]: Step): Step => [
  state,
  [...effects, ...after],
];

/** The server of the owner's network takes the captive one's place without a break: only the name server ends. */
export const START_OWN_PAGES: Effect = Object.freeze({ type: "startServer", captive: false });
export const STOP_SERVER: Effect = Object.freeze({ type: "stopServer" });
export const OFFLINE: Raise = Object.freeze({ type: "raise", event: Object.freeze({ type: "offline" }) });
