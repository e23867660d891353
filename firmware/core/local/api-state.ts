// What the device's own API knows: the boot, the settings, the network, the last error. No behaviour.

import type { Effect } from "../effect.js";
import type { Booted, PageRequest, PeerFacts, Problem, Raise, Root, StagedImage, Stamped } from "../event.js";
import { announcedName } from "../identity.js";
import type { Values } from "../section.js";
import type { Preferences } from "../settings/preferences.js";
import type { Guarded } from "./guard.js";
import { noOwnerProof, type Owner, type OwnerProof, ownerSince } from "./owner-proof.js";

export interface LastError {
  readonly code: string;
  readonly message: string;
  /** Seconds since the boot. */
  readonly atSeconds: number;
}

/** An update that did not stay. */
export interface LastRollBack {
  readonly version: string;
  readonly code: string;
  readonly reason: string;
}

/** A change of settings that is being stored. */
export interface Saving {
  /** In force once it is stored. */
  readonly change: Partial<Pick<LocalApiState, "preferences" | "token" | "offeredToken" | "values">>;
  readonly asked: readonly (Effect | Raise)[];
  /** The request that is answered then, with all settings or those of the app; or the order. */
  readonly by:
    | { readonly connection: number; readonly shows: "settings" | "values" }
    | { readonly orderId: number };
}

export interface LocalApiState {
  readonly boot: Stamped<Booted> | undefined;
  readonly preferences: Preferences | undefined;
  /** Empty: the owner has set none. */
  readonly token: string;
  readonly proof: OwnerProof<PageRequest>;
  /** Chosen in the setup network; it becomes the token once the device has joined. */
  readonly offeredToken: string;
  /** Names of the saved networks, the most recently used first. */
  readonly ssids: readonly string[];
  /** Of the app's section. */
  readonly values: Values;
  readonly address: string;
  /** The name that it was given by multicast DNS; empty: none yet. */
  readonly claimedName: string;
  readonly rssi: number;
  readonly portalOpen: boolean;
  readonly serverReached: boolean;
  /** Why the last check has failed, if that was TLS. */
  readonly tlsFailure: Problem | undefined;
  /** Unhealthy boots before a start in safe mode; 0: not in safe mode. */
  readonly safeModeAfter: number;
  readonly lastError: LastError | undefined;
  /** Until a good update came; over restarts until the server has read it. */
  readonly lastRollBack: LastRollBack | undefined;
  /** Found at the boot or since, one of a kind, at most MAX_PROBLEM_COUNT. */
  readonly problems: readonly Problem[];
  /** The other device of a pair; `undefined`: there is none. */
  readonly peer: PeerFacts | undefined;
  /** By MQTT, of an app that publishes. */
  readonly isBrokerConnected: boolean;
  readonly saving: Saving | undefined;
  /** Whose signatures count; `undefined`: the image's keys. */
  readonly root: Root | undefined;
  /** Since when there is no newer statement of freshness; `undefined`: none is asked for. */
  readonly freshness: { readonly since: number; readonly isFrozen: boolean } | undefined;
  /** Waits in the other slot. */
  readonly staged: StagedImage | undefined;
  /** The connection that is answered when it is armed, or cannot be. */
  readonly installing: number | undefined;
  /** What happens after the response is out. */
  readonly leaving: "no" | "restart" | "reset" | "rollBack";
}

export const initialLocalApi: LocalApiState = Object.freeze({
  boot: undefined,
  preferences: undefined,
  token: "",
  proof: noOwnerProof,
  offeredToken: "",
  ssids: Object.freeze([]),
  values: Object.freeze({}),
  address: "",
  claimedName: "",
  rssi: 0,
  portalOpen: false,
  serverReached: false,
  tlsFailure: undefined,
  safeModeAfter: 0,
  lastError: undefined,
  lastRollBack: undefined,
  problems: Object.freeze([]),
  peer: undefined,
  isBrokerConnected: false,
  saving: undefined,
  root: undefined,
  freshness: undefined,
  staged: undefined,
  installing: undefined,
  leaving: "no",
});

export type Step = readonly [LocalApiState, readonly (Effect | Raise)[]];

/** What the guard decides by. */
export const guardedOf = ({ boot, token, ssids, ...state }: LocalApiState): Guarded => ({
  names: ownNames({ boot, claimedName: state.claimedName }),
  ownHost: (boot && announcedName(boot, state.claimedName)) ?? state.address,
  token,
  place: state.portalOpen && state.address === "" ? "setup" : "house",
  pluggedIn: boot?.resetReason === "power-on" || boot?.resetReason === "external",
  provisioned: ssids.length > 0,
});

/** Whom the requests for a change have to come from. */
export const ownerOf = ({ boot, preferences, token }: LocalApiState): Owner =>
  ownerSince(boot, token, preferences?.acceptBearer ?? true);

/** The names that a request may be addressed to, without a domain. */
export const ownNames = ({
  boot,
  claimedName,
}: Pick<LocalApiState, "boot" | "claimedName">): readonly string[] => [
  boot?.identity.deviceId.toLowerCase() ?? "",
  ...(claimedName === "" ? [] : [claimedName]),
];

export const nameOf = (preferences: Preferences | undefined, deviceId: string): string =>
  preferences?.deviceName || `Skyslot ${deviceId}`;
