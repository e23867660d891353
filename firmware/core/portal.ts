// The captive portal and the setup page's API: answers each request of a phone, keeps the list of networks, and tells how joining
// went. Never joins by itself (it raises what the owner entered, and hears the result) and never sends a password back.
//
//   scan   idle ── POST /api/scan ──► waiting ── 300 ms: the answer gets out ──► running ── scanCompleted, or 15 s ──► idle
//            └──────────────── portalOpened: at once, no phone is there yet ────────▲
//   join   idle ── POST /api/join ──► joining ── online ──► joined        `online` without a submission: a saved network
//                                        └────── joinFailed ──► failed    was joined, whose name is not told here

import { utf8Encode } from "./bytes.js";
import type { Effect, HttpResponse } from "./effect.js";
import { fail, type Result, succeed } from "./errors.js";
import type { JoinFailure, Network, Raise, Stamped } from "./event.js";
import { parseForm } from "./form.js";
import { isForeignOrigin } from "./local-guard.js";

/** Where every captured request is sent: the access point's own address. */
export const PORTAL_ADDRESS = "192.168.4.1";
export const MAX_NETWORK_COUNT = 20;
/** IEEE 802.11-2020, 9.4.2.2. */
const MAX_SSID_BYTES = 32;
/** A WPA passphrase (IEEE 802.11-2020, J.4); 64 hex digits are the key itself. */
const MIN_PASSWORD_BYTES = 8;
const MAX_PASSWORD_BYTES = 63;
const KEY_DIGIT_COUNT = 64;
/** While the radio visits other channels, phones are not heard: the answer has to be out before. */
const SCAN_DELAY_MS = 300;
/** 13 channels at 120 ms each are 2 s; after this the scan is taken for lost. */
const SCAN_TIMEOUT_MS = 15_000;

export interface PortalInfo {
  /** For people, such as `Kitchen light`. */
  readonly deviceName: string;
  readonly type: string;
  readonly version: string;
  /** Also the mDNS host name. */
  readonly deviceId: string;
  /** HTML of `GET /`. Handed in, because core imports core only. */
  readonly page: string;
}

export type JoinPhase = "idle" | "joining" | "joined" | "failed";

export interface JoinReport {
  readonly phase: JoinPhase;
  /** Counts submissions, so that a page whose answer was lost can tell whether its own arrived. */
  readonly attempt: number;
  /** Empty: nothing was submitted, or a saved network was joined. */
  readonly ssid: string;
  readonly reason?: JoinFailure;
  readonly message?: string;
  readonly address?: string;
  /** Such as `base-a1b2c3.local`. */
  readonly hostName?: string;
}

export interface PortalState {
  readonly info: PortalInfo;
  readonly open: boolean;
  readonly scan: "idle" | "waiting" | "running";
  readonly scanAttempt: number;
  /** One entry for each SSID, strongest first, at most 20. */
  readonly networks: readonly Network[];
  readonly join: JoinReport;
}

type Step = readonly [PortalState, readonly (Effect | Raise)[]];
type Request = Extract<Stamped, { readonly type: "requestReceived" }>;

/** The portal before anything happened: closed, no networks known. */
export const initialPortal = (info: PortalInfo): PortalState => ({
  info,
  open: false,
  scan: "idle",
  scanAttempt: 0,
  networks: NO_NETWORKS,
  join: NOT_JOINED,
});

const NO_NETWORKS: readonly Network[] = Object.freeze([]);
const NOT_JOINED: JoinReport = Object.freeze({ phase: "idle", attempt: 0, ssid: "" });

export function portalStep(state: PortalState, event: Stamped): Step {
  switch (event.type) {
    case "requestReceived":
      return answer(state, event);
    case "portalOpened":
      return startScan({ ...state, open: true });
    case "portalClosed":
      // the list is of no more use, and its memory is
      return [{ ...state, open: false, scan: "idle", networks: [] }, [{ type: "clearTimer", timer: "scan" }]];
    case "scanCompleted":
      return scanCompleted(state, event);
    case "timerFired":
      return event.timer === "scan" ? scanTimer(state) : [state, []];
    case "online":
      return [{ ...state, join: joined(state, event.address) }, []];
    case "offline":
      return [state.join.phase === "joined" ? { ...state, join: forget(state.join) } : state, []];
    case "deviceNamed":
      return [{ ...state, info: { ...state.info, deviceName: event.deviceName } }, []];
    case "joinFailed":
      return [{ ...state, join: failed(state.join, event) }, []];
    default:
      return [state, []];
  }
}

// ── scanning

function startScan(state: PortalState): Step {
  const attempt = state.scanAttempt + 1;
  return [
    { ...state, scan: "running", scanAttempt: attempt },
    [
      { type: "scanWifi", attempt },
      { type: "setTimer", timer: "scan", delayMs: SCAN_TIMEOUT_MS },
    ],
  ];
}

function scanTimer(state: PortalState): Step {
  if (state.scan === "waiting") return startScan(state);
  return [{ ...state, scan: "idle" }, []];
}

function scanCompleted(state: PortalState, event: Extract<Stamped, { type: "scanCompleted" }>): Step {
  if (state.scan !== "running" || event.attempt !== state.scanAttempt) return [state, []];
  const networks = strongest(event.networks);
  return [{ ...state, scan: "idle", networks }, [{ type: "clearTimer", timer: "scan" }]];
}

/** One entry for each name: a house with three access points is one network to choose. Hidden ones have no name to show. */
function strongest(found: readonly Network[]): readonly Network[] {
  const best = new Map<string, Network>();
  for (const network of found) {
    const known = best.get(network.ssid);
    if (network.ssid !== "" && (!known || network.rssi > known.rssi)) best.set(network.ssid, network);
  }
  return [...best.values()]
    .sort((a, b) => b.rssi - a.rssi || (a.ssid < b.ssid ? -1 : 1))
    .slice(0, MAX_NETWORK_COUNT);
}

// ── joining

function joined(state: PortalState, address: string): JoinReport {
  const { join } = state;
  return {
    phase: "joined",
    attempt: join.attempt,
    ssid: join.phase === "joining" || join.phase === "joined" ? join.ssid : "",
    address,
    hostName: hostName(state),
  };
}

const forget = (join: JoinReport): JoinReport => ({ phase: "idle", attempt: join.attempt, ssid: "" });

/** A saved network that is tried in the background must not overwrite the result that the owner waits for. */
function failed(join: JoinReport, event: Extract<Stamped, { type: "joinFailed" }>): JoinReport {
  if (join.attempt > 0 && join.ssid !== event.ssid) return join;
  return {
    phase: "failed",
    attempt: join.attempt,
    ssid: event.ssid,
    reason: event.reason,
    message: FAILURES[event.reason],
  };
}

const FAILURES: Readonly<Record<JoinFailure, string>> = Object.freeze({
  "wrong-password": "The network did not accept the password.",
  "not-found": "The network was not found. It has to be in range and on 2.4 GHz.",
  "no-address": "The network accepted the password but did not give the device an address (DHCP).",
  lost: "The connection broke off.",
});

interface Credentials {
  readonly ssid: string;
  readonly password: string;
}

type CredentialsErrorCode = "BODY_INVALID" | "SSID_INVALID" | "PASSWORD_INVALID";

function readCredentials(body: string): Result<Credentials, CredentialsErrorCode> {
  const fields = body.trimStart().startsWith("{") ? readJson(body) : readForm(body);
  if (!fields.ok) return fields;
  const { ssid, password } = fields.value;
  const ssidBytes = utf8Encode(ssid).length;
  if (ssidBytes < 1 || ssidBytes > MAX_SSID_BYTES || ssid.includes("\0")) {
    return fail(
      "SSID_INVALID",
      `The network name is ${ssidBytes} bytes long; 1 to ${MAX_SSID_BYTES} are allowed.`,
    );
  }
  const passwordBytes = utf8Encode(password).length;
  if (!isPassword(password, passwordBytes)) {
    return fail(
      "PASSWORD_INVALID",
      `The password is ${passwordBytes} bytes long; ${MIN_PASSWORD_BYTES} to ${MAX_PASSWORD_BYTES} are allowed, or none for an open network.`,
    );
  }
  return fields;
}

function readForm(body: string): Result<Credentials, CredentialsErrorCode> {
  const form = parseForm(body);
  if (!form.ok) return fail("BODY_INVALID", form.failure.message);
  return succeed({ ssid: form.value.get("ssid") ?? "", password: form.value.get("password") ?? "" });
}

function readJson(body: string): Result<Credentials, CredentialsErrorCode> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return fail("BODY_INVALID", "The body is not valid JSON.");
  }
  const { ssid, password = "" } = value as { readonly ssid?: unknown; readonly password?: unknown };
  if (typeof ssid !== "string" || typeof password !== "string") {
    return fail("BODY_INVALID", 'The body has to be {"ssid": text, "password": text}.');
  }
  return succeed({ ssid, password });
}

function isPassword(password: string, byteCount: number): boolean {
  if (byteCount === 0) return true;
  if (password.includes("\0")) return false; // the Wi-Fi driver takes C strings
  if (byteCount === KEY_DIGIT_COUNT) return /^[0-9a-fA-F]+$/.test(password);
  return byteCount >= MIN_PASSWORD_BYTES && byteCount <= MAX_PASSWORD_BYTES;
}

// ── requests

type Method = "GET" | "POST";

/** What is served, by path and method. */
const ROUTES: Readonly<
  Record<string, Readonly<Partial<Record<Method, (state: PortalState, request: Request) => Step>>>>
> = Object.freeze({
  "/": Object.freeze({ GET: servePage }),
  "/api/networks": Object.freeze({ GET: serveNetworks }),
  "/api/scan": Object.freeze({ POST: serveScan }),
  "/api/join": Object.freeze({ GET: serveJoin, POST: submit }),
  "/api/device": Object.freeze({ GET: serveDevice }),
});

/** Paths at which operating systems look whether a network leads to the internet; most come with a foreign host as well. */
const PROBE_PATHS: readonly string[] = Object.freeze([
  "/hotspot-detect.html",
  "/library/test/success.html",
  "/generate_204",
  "/gen_204",
  "/connecttest.txt",
  "/redirect",
  "/ncsi.txt",
  "/canonical.html",
  "/success.txt",
  "/check_network_status.txt",
]);

function answer(state: PortalState, request: Request): Step {
  const path = pathOf(request.path);
  const { method } = request;
  if (isCaptured(state, request.host, path) && (method === "GET" || method === "HEAD")) {
    return [state, [respond(request, 302, "", { location: `http://${PORTAL_ADDRESS}/` })]];
  }
  if (method !== "GET" && method !== "POST")
    return refuse(state, request, 405, "METHOD_NOT_ALLOWED", "Use GET or POST.");
  const route = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;
  if (!route) return refuse(state, request, 404, "NOT_FOUND", "There is no such page.");
  const serve = route[method];
  if (!serve) return refuse(state, request, 405, "METHOD_NOT_ALLOWED", `${method} is not possible here.`);
  const message = method === "POST" ? whyClosed(state, request) : undefined;
  return message === undefined
    ? serve(state, request)
    : refuse(state, request, 403, "PORTAL_CLOSED", message);
}

/**
 * Why a device takes no network now. Only who is in its own network may give it one, so not after it has joined another: whoever is
 * there reaches it as well. And no page of another site may, from a phone that has a second way into the internet.
 */
function whyClosed(state: PortalState, request: Request): string | undefined {
  if (!state.open || !isOwnHost(state, request.host) || state.join.phase === "joined")
    return "The device takes a network only in its own setup network.";
  return isForeignOrigin(request) ? "Only the device's own page may do this." : undefined;
}

/** Whether a request was meant for the internet. A 204 would tell the phone that it got there, a page that it may stop asking. */
const isCaptured = (state: PortalState, host: string, path: string): boolean =>
  state.open && (PROBE_PATHS.includes(path) || !isOwnHost(state, host));

function isOwnHost(state: PortalState, host: string): boolean {
  const name = host.toLowerCase();
  return (
    name === "" ||
    name === PORTAL_ADDRESS ||
    name === state.join.address ||
    name === hostName(state) ||
    name === state.info.deviceId.toLowerCase()
  );
}

const hostName = (state: PortalState): string => `${state.info.deviceId.toLowerCase()}.local`;

function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query < 0 ? target : target.slice(0, query);
}

function servePage(state: PortalState, request: Request): Step {
  return [state, [respond(request, 200, state.info.page, PAGE_HEADERS)]];
}

/** The page loads nothing, so it may not: a network's name that got into the markup could not reach anywhere. */
const PAGE_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  "content-type": "text/html; charset=utf-8",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
});

function serveNetworks(state: PortalState, request: Request): Step {
  const networks = state.networks.map(({ ssid, rssi, secured }) => ({ ssid, rssi, secured }));
  return [state, [json(request, 200, { scanning: state.scan !== "idle", networks })]];
}

function serveScan(state: PortalState, request: Request): Step {
  if (state.join.phase === "joining") {
    return refuse(
      state,
      request,
      409,
      "JOINING",
      "The device is joining a network; it cannot scan meanwhile.",
    );
  }
  const accepted = json(request, 202, { scanning: true });
  if (state.scan !== "idle") return [state, [accepted]];
  return [
    { ...state, scan: "waiting" },
    [accepted, { type: "setTimer", timer: "scan", delayMs: SCAN_DELAY_MS }],
  ];
}

function serveJoin(state: PortalState, request: Request): Step {
  return [state, [json(request, 200, state.join)]];
}

function submit(state: PortalState, request: Request): Step {
  const credentials = readCredentials(request.body);
  if (!credentials.ok)
    return refuse(state, request, 400, credentials.failure.code, credentials.failure.message);
  const { ssid, password } = credentials.value;
  const join: JoinReport = { phase: "joining", attempt: state.join.attempt + 1, ssid };
  const next: PortalState = { ...state, join, scan: state.scan === "waiting" ? "idle" : state.scan };
  return [
    next,
    [
      json(request, 202, join),
      ...(state.scan === "waiting" ? [{ type: "clearTimer", timer: "scan" } as const] : []),
      { type: "raise", event: { type: "credentialsSubmitted", ssid, password } },
    ],
  ];
}

function serveDevice(state: PortalState, request: Request): Step {
  const { deviceName, type, version, deviceId } = state.info;
  return [state, [json(request, 200, { name: deviceName, type, version, deviceId })]];
}

function refuse(state: PortalState, request: Request, status: number, code: string, message: string): Step {
  // an answer to HEAD has no body
  return [
    state,
    [request.method === "HEAD" ? respond(request, status, "", {}) : json(request, status, { code, message })],
  ];
}

const json = (request: Request, status: number, value: object): Effect =>
  respond(request, status, JSON.stringify(value), JSON_HEADERS);

const JSON_HEADERS: Readonly<Record<string, string>> = Object.freeze({ "content-type": "application/json" });

function respond(request: Request, status: number, body: string, headers: HttpResponse["headers"]): Effect {
  const response = { status, headers: { ...headers, "cache-control": "no-store" }, body };
  return { type: "respond", connection: request.connection, response };
}
