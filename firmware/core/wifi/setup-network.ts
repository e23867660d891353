// The device's own setup network: opened when nothing else helps, closed some time after another network is joined. A phone in it holds the
// device back from trying its networks, which moves the radio to other channels, but only while somebody uses the phone, and not for ever:
// strangers may attach, stay, ask and leave as they like.

import type { Moment, Step, WifiState } from "./wifi-state.js";
import { START_OWN_PAGES } from "./wifi-state.js";

/**
 * How long the portal stays after joining, so that the phone sees the result and the new address. Joining moves the access point to
 * the router's channel: a phone drops off and needs some seconds to come back.
 */
const LINGER_MS = 60_000;
const EMPTY_LINGER_MS = 20_000;
/** A person who does not ask for a page in this time is not setting the device up. */
const USE_MS = 3 * 60_000;
/** A join is put off for this time at most, however busy the phones are. */
const MAX_HOLD_MS = 10 * 60_000;
/** Then the phones are looked at again. */
const GRACE_MS = 30_000;
const REOPEN_MS = 30_000;

export function openPortal(state: WifiState): Step {
  return [
    { ...state, portalOpen: true, portalFailed: false, clientCount: 0 },
    [
      { type: "startAccessPoint", ssid: state.setupSsid },
      { type: "startServer", captive: true },
      { type: "log", level: "info", message: `setup portal open, access point "${state.setupSsid}"` },
      { type: "raise", event: { type: "portalOpened" } },
    ],
  ];
}

export function closePortal(state: WifiState): Step {
  if (!state.portalOpen) return [state, []];
  return [
    { ...state, portalOpen: false, clientCount: 0 },
    [
      START_OWN_PAGES,
      { type: "stopAccessPoint" },
      { type: "log", level: "info", message: "setup portal closed" },
      { type: "raise", event: { type: "portalClosed" } },
    ],
  ];
}

/** It is needed still: without it nobody can set the device up. */
export const accessPointFailed = (state: WifiState): Step => [
  { ...state, portalFailed: true },
  [
    { type: "log", level: "error", message: `access point "${state.setupSsid}" could not be opened` },
    { type: "setTimer", timer: "portal", delayMs: REOPEN_MS },
  ],
];

export const reopenPortal = (state: WifiState): Step =>
  state.portalOpen && state.portalFailed
    ? [{ ...state, portalFailed: false }, [{ type: "startAccessPoint", ssid: state.setupSsid }]]
    : [state, []];

export const attached = (state: WifiState, { at }: Moment): WifiState => ({
  ...state,
  clientCount: state.clientCount + 1,
  usedAtMs: at,
});

/** The last phone has left: with the network joined, no one waits for the result any more. */
export function detached(state: WifiState, { at }: Moment): Step {
  const next = { ...state, clientCount: Math.max(0, state.clientCount - 1) };
  const isOver = next.portalOpen && next.phase === "joined" && next.clientCount === 0;
  return isOver ? linger(next, at) : [next, []];
}

/** Another network has been joined: from now on the setup network is on its way out. */
export const lingering = (state: WifiState, at: number): Step =>
  linger({ ...state, lingerUntilMs: at + LINGER_MS }, at);

function linger(state: WifiState, at: number): Step {
  const wantedMs = state.clientCount > 0 ? LINGER_MS : EMPTY_LINGER_MS;
  const delayMs = Math.max(0, Math.min(wantedMs, state.lingerUntilMs - at));
  return [state, [{ type: "setTimer", timer: "portal", delayMs }]];
}

/** Puts a join off where a phone is in use; nothing where it is time to join. */
export function heldBack(state: WifiState, { at }: Moment): Step | undefined {
  if (!state.portalOpen || state.clientCount === 0 || at - state.usedAtMs >= USE_MS) return undefined;
  const heldSinceMs = state.heldSinceMs ?? at;
  if (at - heldSinceMs >= MAX_HOLD_MS) return undefined;
  return [{ ...state, heldSinceMs }, [{ type: "setTimer", timer: "wifi", delayMs: GRACE_MS }]];
}
