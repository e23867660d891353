// The captive portal: keeps the list of networks and the result of joining; portal-requests.ts answers requests. Never joins by itself: it
// raises what the owner entered, and receives the result.
//
//   scan   idle ── POST /api/scan ──► waiting ── 300 ms: the answer gets out ──► running ── scanCompleted, or 15 s ──► idle
//            └──────────────── portalOpened: at once, no phone is there yet ────────▲
//   join   idle ── POST /api/join ──► joining ── online ──► joined        `online` without a submission: a saved network
//                                        └────── joinFailed ──► failed    was joined, whose name is not shown here

import type { Network, Stamped } from "../event.js";
import { JOIN_FAILURES } from "../join-failure.js";
import { answerPortal } from "./portal-requests.js";
import {
  hostName,
  type JoinReport,
  type PortalInfo,
  type PortalState,
  type PortalStep,
} from "./portal-state.js";

/** Longest list on the page, for the sake of memory. */
const MAX_NETWORK_COUNT = 20;
/** 13 channels at 120 ms each are 2 s; after this the scan counts as lost. */
const SCAN_TIMEOUT_MS = 15_000;

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

export function portalStep(state: PortalState, event: Stamped): PortalStep {
  switch (event.type) {
    case "requestReceived":
      return answerPortal(state, event);
    case "portalOpened":
      return startScan({ ...state, open: true });
    case "portalClosed":
      // the list is no longer needed, and its memory is
      return [{ ...state, open: false, scan: "idle", networks: [] }, [{ type: "clearTimer", timer: "scan" }]];
    case "scanCompleted":
      return scanCompleted(state, event);
    case "timerFired":
      return event.timer === "scan" ? scanTimer(state) : [state, []];
    case "online":
      return [{ ...state, join: joined(state, event.address) }, []];
    case "offline":
      return [state.join.phase === "joined" ? { ...state, join: forget(state.join) } : state, []];
    case "nameClaimed":
      return [named({ ...state, info: { ...state.info, claimedName: event.hostName } }), []];
    case "deviceNamed":
      return [{ ...state, info: { ...state.info, deviceName: event.deviceName } }, []];
    case "joinFailed":
      return [{ ...state, join: failed(state.join, event) }, []];
    default:
      return [state, []];
  }
}

// ── scanning

function startScan(state: PortalState): PortalStep {
  const attempt = state.scanAttempt + 1;
  return [
    { ...state, scan: "running", scanAttempt: attempt },
    [
      { type: "scanWifi", attempt },
      { type: "setTimer", timer: "scan", delayMs: SCAN_TIMEOUT_MS },
    ],
  ];
}

function scanTimer(state: PortalState): PortalStep {
  if (state.scan === "waiting") return startScan(state);
  return [{ ...state, scan: "idle" }, []];
}

function scanCompleted(state: PortalState, event: Extract<Stamped, { type: "scanCompleted" }>): PortalStep {
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
    ...(state.info.isAnnounced === false ? {} : { hostName: hostName(state) }),
  };
}

/** The result of joining tells the name that the device really has. */
const named = (state: PortalState): PortalState =>
  state.join.phase === "joined" && state.join.hostName !== undefined
    ? { ...state, join: { ...state.join, hostName: hostName(state) } }
    : state;

const forget = (join: JoinReport): JoinReport => ({ phase: "idle", attempt: join.attempt, ssid: "" });

/** A saved network that is tried in the background must not overwrite the result that the owner waits for. */
function failed(join: JoinReport, event: Extract<Stamped, { type: "joinFailed" }>): JoinReport {
  if (join.attempt > 0 && join.ssid !== event.ssid) return join;
  return {
    phase: "failed",
    attempt: join.attempt,
    ssid: event.ssid,
    reason: event.reason,
    message: JOIN_FAILURES[event.reason],
  };
}
