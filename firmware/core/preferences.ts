// The settings that survive a restart: their keys in NVS, limits, defaults, and how an older layout becomes this one.
// Each setting that belongs together is one string under one key, because a power cut leaves one key old or new, but two keys mixed.
// Strings and not blobs: overwriting a blob inside one NVS page is not power-safe (measured on ESP-IDF v6.0).

import type { Effect } from "./effect.js";
import type { BuildSettings } from "./event.js";

/** Longest key that NVS takes (nvs.h, NVS_KEY_NAME_MAX_SIZE less the NUL). */
export const MAX_KEY_LENGTH = 15;
/** SSID and WPA2 passphrase, bytes (IEEE 802.11-2020, 9.4.2.2 and J.4). */
export const MAX_SSID_BYTES = 32;
export const MAX_PASSWORD_BYTES = 64;
export const MAX_NETWORK_COUNT = 4;

const LAYOUT = 1;

export interface SavedNetwork {
  readonly ssid: string;
  /** Empty for an open network. */
  readonly password: string;
}

export interface Preferences {
  /** Most recently used first; at most 4. */
  readonly networks: readonly SavedNetwork[];
  readonly server: string;
  readonly checkSeconds: number;
}

/** Settings as stored, with the build's values where nothing is stored, and the effects that bring an older layout up to date. */
export function readPreferences(
  stored: Readonly<Record<string, string>>,
  build: BuildSettings,
): { readonly preferences: Preferences; readonly effects: readonly Effect[] } {
  const layout = Number(stored.layout ?? 0);
  const migrated = layout < 1 ? fromSeparateKeys(stored) : undefined;
  const networks = migrated?.networks ?? readNetworks(stored.networks);
  const preferences = {
    networks,
    server: readServer(stored.server) ?? build.server,
    checkSeconds: readSeconds(stored["check.seconds"]) ?? build.checkSeconds,
  };
  const effects: Effect[] =
    layout < LAYOUT
      ? [...(migrated?.effects ?? []), { type: "store", key: "layout", value: `${LAYOUT}` }]
      : [];
  return { preferences, effects };
}

/** Puts a network first in the list of saved ones; the oldest beyond the fourth is dropped. */
export function saveNetwork(preferences: Preferences, network: SavedNetwork): readonly [Preferences, Effect] {
  const others = preferences.networks.filter((known) => known.ssid !== network.ssid);
  const networks = [network, ...others].slice(0, MAX_NETWORK_COUNT);
  return [{ ...preferences, networks }, storeNetworks(networks)];
}

const storeNetworks = (networks: readonly SavedNetwork[]): Effect => ({
  type: "store",
  key: "networks",
  value: JSON.stringify(networks.map(({ ssid, password }) => [ssid, password])),
});

/** A stored list that cannot be read counts as none: the portal opens, and the owner enters it anew. */
function readNetworks(text: string | undefined): readonly SavedNetwork[] {
  try {
    const list: unknown = JSON.parse(text ?? "[]");
    if (!Array.isArray(list)) return [];
    return list
      .filter(isPair)
      .map(([ssid, password]) => ({ ssid, password }))
      .slice(0, MAX_NETWORK_COUNT);
  } catch {
    return [];
  }
}

const isPair = (value: unknown): value is readonly [string, string] =>
  Array.isArray(value) && typeof value[0] === "string" && value[0] !== "" && typeof value[1] === "string";

/** Layout 0 kept one network under the keys `ssid` and `password`. */
function fromSeparateKeys(
  stored: Readonly<Record<string, string>>,
): { readonly networks: readonly SavedNetwork[]; readonly effects: readonly Effect[] } | undefined {
  const ssid = stored.ssid;
  if (!ssid) return undefined;
  const networks = [{ ssid, password: stored.password ?? "" }];
  // the new key first: a power cut before the old ones are gone only repeats this
  const effects: Effect[] = [
    storeNetworks(networks),
    { type: "forget", key: "ssid" },
    { type: "forget", key: "password" },
  ];
  return { networks, effects };
}

/** Absolute http(s) URL without a trailing slash, at most 200 characters. */
function readServer(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 200) return undefined;
  return /^https?:\/\/[^\s/]+(\/[^\s]*)?$/.test(text) ? text.replace(/\/+$/, "") : undefined;
}

function readSeconds(text: string | undefined): number | undefined {
  const seconds = Number(text);
  return text !== undefined && Number.isInteger(seconds) && seconds >= 10 && seconds <= 86_400
    ? seconds
    : undefined;
}
