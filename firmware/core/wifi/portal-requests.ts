// What the captive portal answers: the setup page and its API, by path and method. A request that was meant for the internet is
// redirected there (captive-probes.ts). Never joins or scans by itself, and never sends a password back.

import type { HttpResponse } from "../effect.js";
import type { PageRequest } from "../event.js";
import { allowed, json, respond } from "../http/answer.js";
import { isForeignOrigin } from "../http/own-host.js";
import { isCaptured, isPortalHost, redirectToPortal } from "./captive-probes.js";
import { readCredentials } from "./portal-credentials.js";
import type { JoinReport, PortalState, PortalStep } from "./portal-state.js";

/** While the radio scans other channels it cannot reach phones: the response has to be out before. */
const SCAN_DELAY_MS = 300;

type Method = "GET" | "POST";

type Routes = Readonly<Partial<Record<Method, (state: PortalState, request: PageRequest) => PortalStep>>>;

const pathWith = (path: string, routes: Routes) => Object.freeze([path, Object.freeze(routes)] as const);

/** What is served, by path and method. A list for the same reason as in local/api.ts. */
const ROUTES: readonly (readonly [path: string, routes: Routes])[] = Object.freeze([
  pathWith("/", { GET: servePage }),
  pathWith("/api/networks", { GET: serveNetworks }),
  pathWith("/api/scan", { POST: serveScan }),
  pathWith("/api/join", { GET: serveJoin, POST: submit }),
  pathWith("/api/device", { GET: serveDevice }),
]);

/** Of `OPTIONS *`: what there is at all. */
const ANY_PATH: readonly [path: string, allows: Routes] = Object.freeze(["*", Object.freeze({})]);

/** Answers a phone, or another device of the network that was joined. */
export function answerPortal(state: PortalState, request: PageRequest): PortalStep {
  const path = pathOf(request.path);
  const { method } = request;
  if (isCaptured(state, request.host, path) && method === "GET") return [state, [redirectToPortal(request)]];
  const found = ROUTES.find(([one]) => one === path) ?? (path === "*" ? ANY_PATH : undefined);
  if (!found) return refuse(state, request, 404, "NOT_FOUND", "There is no such page.");
  const routes = found[1];
  const serve = method === "GET" || method === "POST" ? routes[method] : undefined;
  if (!serve)
    return refuse(
      state,
      request,
      405,
      "METHOD_NOT_ALLOWED",
      `${method} is not possible here.`,
      allowed(routes),
    );
  const message = method === "POST" ? whyClosed(state, request) : undefined;
  return message === undefined
    ? serve(state, request)
    : refuse(state, request, 403, "PORTAL_CLOSED", message);
}

/**
 * Why the device accepts no network now. Only a client in its setup network may give it one, so not after it has joined another network,
 * from which it can be reached too. Nor may a page of another site, on a phone that is also online by other means.
 */
function whyClosed(state: PortalState, request: PageRequest): string | undefined {
  if (!state.open || !isPortalHost(state, request.host) || state.join.phase === "joined")
    return "The device takes a network only in its own setup network.";
  return isForeignOrigin(request) ? "Only the device's own page may do this." : undefined;
}

function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query < 0 ? target : target.slice(0, query);
}

function servePage(state: PortalState, request: PageRequest): PortalStep {
  return [state, [respond(request, 200, state.info.page, PAGE_HEADERS)]];
}

/** The page loads nothing, so it may not: a network's name that got into the markup could not reach anywhere. */
const PAGE_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  "content-type": "text/html; charset=utf-8",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
});

function serveNetworks(state: PortalState, request: PageRequest): PortalStep {
  const networks = state.networks.map(({ ssid, rssi, secured }) => ({ ssid, rssi, secured }));
  return [state, [json(request, 200, { scanning: state.scan !== "idle", networks })]];
}

function serveScan(state: PortalState, request: PageRequest): PortalStep {
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

function serveJoin(state: PortalState, request: PageRequest): PortalStep {
  return [state, [json(request, 200, state.join)]];
}

function submit(state: PortalState, request: PageRequest): PortalStep {
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

function serveDevice(state: PortalState, request: PageRequest): PortalStep {
  const { deviceName, type, version, deviceId } = state.info;
  return [state, [json(request, 200, { name: deviceName, type, version, deviceId })]];
}

function refuse(
  state: PortalState,
  request: PageRequest,
  status: number,
  code: string,
  message: string,
  headers: HttpResponse["headers"] = {},
): PortalStep {
  return [state, [json(request, status, { code, message }, headers)]];
}
