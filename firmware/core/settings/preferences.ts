// The settings that survive a restart: their keys in NVS, limits, defaults, and the migration from older layouts.
// What belongs together is one string under one key: a power cut leaves one key old or new, but two keys mixed.
// Strings and not blobs: overwriting a blob inside one NVS page is not power-safe (measured on ESP-IDF v6.0).

import { utf8Length } from "../bytes.js";
import { readDigits } from "../digits.js";
import type { Effect } from "../effect.js";
import { fail, type Result, succeed } from "../errors.js";
import type { BuildSettings, Problem } from "../event.js";
import { parseFlat } from "../http/flat-json.js";
import { type JsonObject, readJson } from "../json.js";
import { AUTHORITY_KEY, readAuthority } from "./authority.js";
import { readServerAddress } from "./server-address.js";

const MAX_NETWORK_COUNT = 4;
const MAX_SSID_BYTES = 32;
const MAX_PASSWORD_BYTES = 64;
export const MIN_CHECK_SECONDS = 10;
export const MAX_CHECK_SECONDS = 86_400;
/** Characters; it is also in the title of a page. */
export const MAX_NAME_LENGTH = 40;
/** The owner's token: long enough not to be guessed over Wi-Fi. */
const MIN_TOKEN_LENGTH = 8;
const MAX_TOKEN_LENGTH = 64;

/** NVS key of the token that local changes and pushed updates need; nothing stored: the build's; without that, no one may. */
export const TOKEN_KEY = "push.token";
/** NVS key, "1" when the owner accepts images without a signature. */
export const UNSIGNED_KEY = "push.unsigned";
/** NVS key, "0" when the owner's token is not accepted as it is, only an answer to a challenge. */
export const BEARER_KEY = "push.bearer";

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
  /** Whether it was chosen for this device: then a server's default does not replace it. */
  readonly hasOwnPace: boolean;
  /** For people, such as `Kitchen light`; empty: the owner gave none. */
  readonly deviceName: string;
  /** Whether a client with the token may push unsigned images. */
  readonly acceptUnsigned: boolean;
  /** Whether the token is accepted as it is; if not, only an answer to a challenge is (local/challenge.ts). */
  readonly acceptBearer: boolean;
  /** Whether the owner has given the device an authority of their own (authority.ts). */
  readonly hasAuthority: boolean;
}

/** Settings as stored, with the build's values where nothing is stored, and the effects that bring an older layout up to date. */
export function readPreferences(
  stored: Readonly<Record<string, string>>,
  build: BuildSettings,
): {
  readonly preferences: Preferences;
  readonly effects: readonly Effect[];
  readonly problems: readonly Problem[];
} {
  const layout = Number(stored.layout ?? 0);
  const migrated = layout < 1 ? fromSeparateKeys(stored) : undefined;
  const networks = migrated?.networks ?? readNetworks(stored.networks);
  const server = stored.server === undefined ? undefined : readServerAddress(stored.server);
  const preferences = {
    networks,
    server: server?.ok ? server.value : build.server,
    checkSeconds: readSeconds(stored["check.seconds"]) ?? build.checkSeconds,
    hasOwnPace: readSeconds(stored["check.seconds"]) !== undefined,
    deviceName: readName(stored["device.name"]) ?? "",
    acceptUnsigned: stored[UNSIGNED_KEY] === "1",
    acceptBearer: stored[BEARER_KEY] !== "0",
    hasAuthority: (stored[AUTHORITY_KEY] ?? "") !== "",
  };
  const values = { ...migrated?.values, layout: `${LAYOUT}` };
  const effects: readonly Effect[] = layout < LAYOUT ? [{ type: "save", purpose: "layout", values }] : [];
  return {
    preferences,
    effects,
    problems: server?.ok === false ? [serverProblem(server.failure.message)] : [],
  };
}

const serverProblem = (why: string): Problem => ({
  code: "SERVER_INVALID",
  message: `The stored update server cannot be used, the build's is. ${why}`,
});

/** Puts a network first in the list of saved ones; the oldest beyond the fourth is dropped. */
export function saveNetwork(preferences: Preferences, network: SavedNetwork): readonly [Preferences, Effect] {
  const others = preferences.networks.filter((known) => known.ssid !== network.ssid);
  const networks = [network, ...others].slice(0, MAX_NETWORK_COUNT);
  return [{ ...preferences, networks }, storeNetworks(networks)];
}

/** Removes a network from the saved ones. */
export function forgetNetwork(preferences: Preferences, ssid: string): readonly [Preferences, Effect] {
  const networks = preferences.networks.filter((known) => known.ssid !== ssid);
  return [{ ...preferences, networks }, storeNetworks(networks)];
}

const storeNetworks = (networks: readonly SavedNetwork[]): Effect => ({
  type: "store",
  key: "networks",
  value: writeNetworks(networks),
});

const writeNetworks = (networks: readonly SavedNetwork[]): string =>
  JSON.stringify(networks.map(({ ssid, password }) => [ssid, password]));

/** An unreadable list counts as empty: the portal opens, and the owner enters the network again. */
function readNetworks(text: string | undefined): readonly SavedNetwork[] {
  const list = readJson(text ?? "[]");
  if (!Array.isArray(list)) return [];
  return list
    .filter(isPair)
    .map(([ssid, password]) => ({ ssid, password }))
    .slice(0, MAX_NETWORK_COUNT);
}

/** The SDK throws at longer ones. */
const isPair = (value: unknown): value is readonly [string, string] =>
  Array.isArray(value) &&
  typeof value[0] === "string" &&
  value[0] !== "" &&
  utf8Length(value[0]) <= MAX_SSID_BYTES &&
  typeof value[1] === "string" &&
  utf8Length(value[1]) <= MAX_PASSWORD_BYTES;

/** Layout 0 kept one network under the keys `ssid` and `password`. */
function fromSeparateKeys(
  stored: Readonly<Record<string, string>>,
): { readonly networks: readonly SavedNetwork[]; readonly values: StoredChange } | undefined {
  const ssid = stored.ssid;
  if (!ssid) return undefined;
  const pair: unknown = [ssid, stored.password ?? ""];
  const networks = isPair(pair) ? [{ ssid: pair[0], password: pair[1] }] : [];
  // the new key first: a power cut before the old ones are gone only repeats this
  return { networks, values: { networks: writeNetworks(networks), ssid: undefined, password: undefined } };
}

function readSeconds(text = ""): number | undefined {
  const seconds = readDigits(text, 6) ?? 0;
  return seconds >= MIN_CHECK_SECONDS && seconds <= MAX_CHECK_SECONDS ? seconds : undefined;
}

/** No control characters: the name is written to logs and headers too. */
function readName(text: string | undefined): string | undefined {
  const name = text?.trim();
  if (name === undefined || name === "" || name.length > MAX_NAME_LENGTH) return undefined;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return undefined;
  }
  return name;
}

/** The owner's changes. `undefined`: unchanged; an empty text: back to the build's value. */
export interface SettingsChange {
  readonly server: string | undefined;
  /** 0: back to the value of the build or the server. */
  readonly checkSeconds: number | undefined;
  readonly deviceName: string | undefined;
  readonly acceptUnsigned: boolean | undefined;
  readonly acceptBearer: boolean | undefined;
  /** Base64. */
  readonly authority: string | undefined;
}

/** Reads the JSON of `POST /api/settings`; everything is checked before anything is changed. */
export function readSettings(body: string): Result<SettingsChange, "SETTINGS_INVALID"> {
  const value = parseFlat(body);
  return value
    ? readChange(value)
    : fail("SETTINGS_INVALID", "The body has to be a JSON object of texts, numbers, true and false.");
}

/** Of members that have been read; others than those of a change are ignored. */
export function readChange(value: JsonObject): Result<SettingsChange, "SETTINGS_INVALID"> {
  const server = value.get("server");
  const checkSeconds = value.get("checkSeconds");
  const deviceName = value.get("deviceName");
  const acceptUnsigned = value.get("acceptUnsigned");
  const acceptBearer = value.get("acceptBearer");
  const given = value.get("authority");
  if (server !== undefined && typeof server !== "string")
    return fail("SETTINGS_INVALID", "The server has to be a text.");
  const address = server === undefined || server === "" ? undefined : readServerAddress(server);
  if (address?.ok === false) return fail("SETTINGS_INVALID", `Server: ${address.failure.message}`);
  if (
    checkSeconds !== undefined &&
    checkSeconds !== 0 &&
    (typeof checkSeconds !== "number" || readSeconds(`${checkSeconds}`) === undefined)
  )
    return fail(
      "SETTINGS_INVALID",
      `The check interval has to be a whole number of ${MIN_CHECK_SECONDS} to ${MAX_CHECK_SECONDS} seconds, or 0 for the default.`,
    );
  if (
    deviceName !== undefined &&
    deviceName !== "" &&
    !(typeof deviceName === "string" && readName(deviceName))
  )
    return fail("SETTINGS_INVALID", `The name has to be a text of at most ${MAX_NAME_LENGTH} characters.`);
  if (acceptUnsigned !== undefined && typeof acceptUnsigned !== "boolean")
    return fail("SETTINGS_INVALID", "acceptUnsigned has to be true or false.");
  if (acceptBearer !== undefined && typeof acceptBearer !== "boolean")
    return fail("SETTINGS_INVALID", "acceptBearer has to be true or false.");
  if (given !== undefined && typeof given !== "string")
    return fail("SETTINGS_INVALID", "The authority has to be a text.");
  const authority = given === undefined ? undefined : readAuthority(given);
  if (authority?.ok === false) return fail("SETTINGS_INVALID", authority.failure.message);
  return succeed({
    server: address?.ok ? address.value : server,
    checkSeconds: checkSeconds as number | undefined,
    deviceName: typeof deviceName === "string" ? (readName(deviceName) ?? "") : undefined,
    acceptUnsigned,
    acceptBearer,
    authority: authority?.value,
  });
}

/** Reads the JSON of `POST /api/token`. An empty one only where it may be withdrawn. */
export function readToken(body: string, mayBeEmpty: boolean): Result<string, "TOKEN_INVALID"> {
  const token = parseFlat(body)?.get("token");
  return typeof token === "string" && (isToken(token) || (mayBeEmpty && token === ""))
    ? succeed(token)
    : fail(
        "TOKEN_INVALID",
        `The token has to be ${MIN_TOKEN_LENGTH} to ${MAX_TOKEN_LENGTH} letters, digits or signs, without spaces.`,
      );
}

/** Visible ASCII: it is sent in a header. */
const isToken = (text: string): boolean =>
  text.length >= MIN_TOKEN_LENGTH && text.length <= MAX_TOKEN_LENGTH && /^[!-~]+$/.test(text);

/** Values to be stored by their keys; undefined: to be forgotten. */
export type StoredChange = Readonly<Record<string, string | undefined>>;

/** The preferences after a change, and what is stored of it. */
export function changeSettings(
  preferences: Preferences,
  change: SettingsChange,
  build: BuildSettings,
): readonly [Preferences, StoredChange] {
  const values: Record<string, string | undefined> = {};
  const keep = (key: string, value: string | undefined) => {
    if (value !== undefined) values[key] = value || undefined;
  };
  keep(AUTHORITY_KEY, change.authority); // before the server that it is for
  keep("server", change.server);
  keep("check.seconds", change.checkSeconds === 0 ? "" : change.checkSeconds?.toString());
  keep("device.name", change.deviceName);
  keep(UNSIGNED_KEY, change.acceptUnsigned === undefined ? undefined : change.acceptUnsigned ? "1" : "");
  keep(BEARER_KEY, change.acceptBearer === undefined ? undefined : change.acceptBearer ? "" : "0");
  return [
    {
      ...preferences,
      server: change.server === undefined ? preferences.server : change.server || build.server,
      checkSeconds:
        change.checkSeconds === 0 ? build.checkSeconds : (change.checkSeconds ?? preferences.checkSeconds),
      hasOwnPace: change.checkSeconds === undefined ? preferences.hasOwnPace : change.checkSeconds !== 0,
      deviceName: change.deviceName ?? preferences.deviceName,
      acceptUnsigned: change.acceptUnsigned ?? preferences.acceptUnsigned,
      acceptBearer: change.acceptBearer ?? preferences.acceptBearer,
      hasAuthority: change.authority === undefined ? preferences.hasAuthority : change.authority !== "",
    },
    values,
  ];
}
