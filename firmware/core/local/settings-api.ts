// The settings that a device's own pages show and change: its own, the app's section, the owner's token, the saved networks. The caller
// has checked the request (guard.ts). Some of them the server may push too. Never reveals a password or the token.

import type { Effect } from "../effect.js";
import type { Booted, PageRequest, Raise } from "../event.js";
import { json } from "../http/answer.js";
import { parseFlat } from "../http/flat-json.js";
import type { JsonObject } from "../json.js";
import type { Section, Values } from "../section.js";
import { done, refused } from "../server/orders.js";
import { applyMembers, changeValues, shownValues, writeValues } from "../settings/app-settings.js";
import {
  changeSettings,
  type Preferences,
  readChange,
  readSettings,
  readToken,
  type SettingsChange,
  type StoredChange,
  TOKEN_KEY,
} from "../settings/preferences.js";
import { MAX_ORDER_SETTINGS, OWNERS_SETTINGS } from "../wire.js";
import { abilitiesOf } from "./abilities.js";
import { guardedOf, type LocalApiState, nameOf, type Saving, type Step } from "./api-state.js";
import { attendedMs } from "./guard.js";

function settingsOf(state: LocalApiState, at: number): object {
  const { preferences, token, boot } = state;
  const guarded = guardedOf(state);
  return {
    server: preferences?.server ?? "",
    checkSeconds: preferences?.checkSeconds ?? 0,
    deviceName: preferences?.deviceName ?? "",
    acceptUnsigned: preferences?.acceptUnsigned ?? false,
    acceptBearer: preferences?.acceptBearer ?? true,
    hasAuthority: preferences?.hasAuthority ?? false,
    hasToken: token !== "",
    place: guarded.place,
    attendedSeconds: Math.ceil(attendedMs(guarded, at) / 1000),
    section: boot?.section?.name ?? null,
    defaults: { server: boot?.build.server ?? "", checkSeconds: boot?.build.checkSeconds ?? 0 },
  };
}

export function serveSettings(state: LocalApiState, request: PageRequest): Step {
  return [state, [json(request, 200, settingsOf(state, request.at))]];
}

export function saveSettings(state: LocalApiState, request: PageRequest): Step {
  const { boot, preferences } = state;
  const change = readSettings(request.body);
  if (!change.ok) return [state, [json(request, 400, change.failure)]];
  if (!boot || !preferences) return [state, []];
  const [changed, values] = changeSettings(preferences, change.value, boot.build);
  return save(state, values, {
    change: { preferences: changed },
    asked: announced(changed, change.value, boot),
    by: { connection: request.connection, shows: "settings" },
  });
}

// ── a change is in force once it is stored

function save(state: LocalApiState, values: StoredChange, saving: Saving): Step {
  if (state.saving)
    return [state, [refusal(saving, 503, "BUSY", "Another change is being stored. Try again.")]];
  return [{ ...state, saving }, [{ type: "save", purpose: "settings", values }]];
}

export function settingsSaved(state: LocalApiState, at: number): Step {
  const { saving } = state;
  if (!saving) return [state, []];
  const next: LocalApiState = { ...state, ...saving.change, saving: undefined };
  const { by } = saving;
  const asked = [...saving.asked, ...abilitiesOf(next)];
  if ("orderId" in by) return [next, [...asked, done(by.orderId)]];
  const { section = NO_SECTION } = next.boot ?? {};
  const shown = by.shows === "values" ? { values: shownValues(section, next.values) } : settingsOf(next, at);
  return [next, [json(by, 200, shown), ...asked]];
}

export function settingsNotSaved(state: LocalApiState, why: string): Step {
  const { saving } = state;
  if (!saving) return [state, []];
  const message = `It could not be stored, so nothing was changed: ${why}.`;
  return [{ ...state, saving: undefined }, [refusal(saving, 507, "STORE_FAILED", message)]];
}

const refusal = ({ by }: Saving, status: number, code: string, message: string): Effect | Raise =>
  "orderId" in by ? refused(by.orderId, message) : json(by, status, { code, message });

/** Events that tell the other machines of a change. */
function announced(preferences: Preferences, change: SettingsChange, boot: Booted): readonly Raise[] {
  const { server, checkSeconds, hasOwnPace, acceptUnsigned, acceptBearer } = preferences;
  const raises: Raise[] = [];
  if (change.server !== undefined || change.checkSeconds !== undefined)
    raises.push({ type: "raise", event: { type: "serverChosen", server, checkSeconds, hasOwnPace } });
  if (change.acceptUnsigned !== undefined)
    raises.push({ type: "raise", event: { type: "unsignedChosen", accept: acceptUnsigned } });
  if (change.acceptBearer !== undefined)
    raises.push({ type: "raise", event: { type: "bearerChosen", accept: acceptBearer } });
  if (change.deviceName !== undefined) {
    const deviceName = nameOf(preferences, boot.identity.deviceId);
    raises.push({ type: "raise", event: { type: "deviceNamed", deviceName } });
  }
  return raises;
}

// ── the owner's token

/**
 * Sets or changes the token. In the setup network it is kept until the device has joined a network, like the network's password: an owner
 * who mistypes that and starts over can choose another token too; an empty one withdraws it.
 */
export function saveToken(state: LocalApiState, request: PageRequest): Step {
  const isSetup = guardedOf(state).place === "setup";
  const token = readToken(request.body, isSetup && state.token === "");
  if (!token.ok) return [state, [json(request, 400, token.failure)]];
  if (isSetup) return [{ ...state, offeredToken: token.value }, [json(request, 202, { setWhen: "joined" })]];
  return save(
    state,
    { [TOKEN_KEY]: token.value },
    {
      change: { token: token.value, offeredToken: "" },
      asked: tokenSet(state, token.value),
      by: { connection: request.connection, shows: "settings" },
    },
  );
}

/** The one that was chosen in the setup network. */
export const setToken = (state: LocalApiState, token: string): Step => [
  { ...state, token, offeredToken: "" },
  [{ type: "store", key: TOKEN_KEY, value: token }, ...tokenSet(state, token)],
];

const tokenSet = (state: LocalApiState, token: string): readonly (Effect | Raise)[] => [
  {
    type: "log",
    level: "info",
    message: state.token === "" ? "the owner's token was set" : "the owner's token was changed",
  },
  { type: "raise", event: { type: "tokenChosen", token } },
];

// ── saved networks

export function serveSavedNetworks(state: LocalApiState, request: PageRequest): Step {
  const { ssids, address } = state;
  // the one that was joined is first
  const networks = ssids.map((ssid, index) => ({ ssid, inUse: index === 0 && address !== "" }));
  return [state, [json(request, 200, { networks })]];
}

export function forgetNetwork(state: LocalApiState, request: PageRequest): Step {
  const ssid = readSsid(request.body);
  const index = state.ssids.indexOf(ssid ?? "");
  if (ssid === undefined || index < 0)
    return [state, [json(request, 404, { code: "NOT_SAVED", message: "No such network is saved." })]];
  if (index === 0 && state.address !== "") {
    const message = "The device is in this network now. Give it another one first, or reset it.";
    return [state, [json(request, 409, { code: "IN_USE", message })]];
  }
  return [
    state,
    [json(request, 200, { ssid }), { type: "raise", event: { type: "networkForgotten", ssid } }],
  ];
}

function readSsid(body: string): string | undefined {
  const ssid = parseFlat(body)?.get("ssid");
  return typeof ssid === "string" ? ssid : undefined;
}

// ── the app's section

export function serveSection(state: LocalApiState, request: PageRequest): Step {
  const section = state.boot?.section;
  if (!section) return [state, []];
  const { name, title, fields } = section;
  const values = shownValues(section, state.values);
  return [state, [json(request, 200, { name, title, fields, values })]];
}

/** Changes the named fields. The app is notified as of every setting that is stored. */
export function saveSection(state: LocalApiState, request: PageRequest): Step {
  const section = state.boot?.section;
  if (!section) return [state, []];
  const changed = changeValues(section, state.values, request.body);
  if (!changed.ok) return [state, [json(request, 400, changed.failure)]];
  return save(state, changeOfValues(state, section, changed.value), {
    change: { values: changed.value },
    asked: [],
    by: { connection: request.connection, shows: "values" },
  });
}

/** Flash wears: an unchanged value is not written again. */
function changeOfValues(state: LocalApiState, section: Section, values: Values): StoredChange {
  const value = writeValues(section, values);
  return value === writeValues(section, state.values) ? {} : { [section.name]: value };
}

// ── settings that the server pushes

/** The device's own settings that cannot take it over or cut it off. An app's section marks its others as isOwners. */
const PUSHED_TOO: readonly string[] = Object.freeze(["checkSeconds", "deviceName"]);

/**
 * Applies settings from the server by the rules of the owner's page, except those that only the owner may change. All or nothing; the result
 * is raised as the order's.
 */
export function pushSettings(
  state: LocalApiState,
  { id, settings }: { readonly id: number; readonly settings: JsonObject },
): Step {
  const { boot, preferences } = state;
  if (!boot || !preferences) return [state, []];
  const refuse = (why: string): Step => [state, [refused(id, why)]];
  const all = [...settings];
  if (all.length === 0) return refuse("It names no setting.");
  if (all.length > MAX_ORDER_SETTINGS)
    return refuse(`It names ${all.length} settings; ${MAX_ORDER_SETTINGS} are allowed.`);
  const owners = all.find(([name]) => isOwners(name, boot.section));
  if (owners) return refuse(`${owners[0]} can only be changed on the device's own page.`);
  const own = all.filter(([name]) => PUSHED_TOO.includes(name));
  const ofApp = all.filter(([name]) => !PUSHED_TOO.includes(name));
  const change = readChange(new Map(own));
  if (!change.ok) return refuse(change.failure.message);
  const values = applyMembers(boot.section ?? NO_SECTION, state.values, new Map(ofApp));
  if (!values.ok) return refuse(values.failure.message);
  const [changed, ofDevice] = changeSettings(preferences, change.value, boot.build);
  const ofSection = boot.section ? changeOfValues(state, boot.section, values.value) : {};
  const names = all.map(([name]) => name).join(", ");
  const log: Effect = { type: "log", level: "info", message: `the server changed settings: ${names}` };
  return save(
    state,
    { ...ofDevice, ...ofSection },
    {
      change: { preferences: changed, ...(boot.section ? { values: values.value } : {}) },
      asked: [log, ...announced(changed, change.value, boot)],
      by: { orderId: id },
    },
  );
}

const isOwners = (name: string, section: Section | undefined): boolean =>
  OWNERS_SETTINGS.includes(name) ||
  section?.fields.some((field) => field.name === name && field.isOwners === true) === true;

/** Of an app without settings. */
const NO_SECTION: Section = Object.freeze({
  name: "",
  title: "",
  fields: Object.freeze([]),
  defaults: Object.freeze({}),
});
