// Announces the device's host name and its two services by multicast DNS while it is online. The name is the device id or, where another
// device has that, the id with a number; which one it became is an event for all who tell it. Never resolves a name and never speaks mDNS
// itself. A build that cannot announce does nothing here.
//
//   online, and the setup network closed ─► announce id ── nameClaimed ─► announced
//                                              ▲   └── nameRefused ─► some seconds ─► announce id-2, id-3 …, and after id-9 a pause
//
// With the setup network open the SDK has no address to announce (`Net.get("IP")` knows it of one interface only): it would send empty
// records, and a rival's probe would restart the device.

import type { Announced, Effect } from "../effect.js";
import type { Raise, Stamped } from "../event.js";
import { PUSH_PORT } from "./push.js";

const WEB_PORT = 80;
/** Names that are tried: the device id, and with `-2` to `-9`. */
const MAX_NAME_COUNT = 9;
/** Two SDK devices that probe for one name at a time both lose it: after a power cut they must not go on in step. */
const NEXT_NAME_MS = 10_000;
const AGAIN_MS = 10 * 60_000;

export interface PresenceState {
  /** Such as `base-a1b2c3`, without `.local`. */
  readonly hostName: string;
  /** Which of its names is announced, from 1. */
  readonly number: number;
  readonly services: readonly Announced[];
  readonly canAnnounce: boolean;
  readonly announced: boolean;
  readonly online: boolean;
  readonly portalOpen: boolean;
}

export const initialPresence: PresenceState = Object.freeze({
  hostName: "",
  number: 1,
  services: Object.freeze([]),
  canAnnounce: true,
  announced: false,
  online: false,
  portalOpen: false,
});

type Step = readonly [PresenceState, readonly (Effect | Raise)[]];

export function presenceStep(state: PresenceState, event: Stamped): Step {
  if (event.type === "booted") return booted(event);
  if (!state.canAnnounce) return [state, []];
  switch (event.type) {
    case "online":
      // joined elsewhere, or with another address: what was announced before is no longer valid
      return announceFirst({ ...state, online: true });
    case "offline":
      return withdraw({ ...state, online: false });
    case "portalOpened":
      return withdraw({ ...state, portalOpen: true });
    case "portalClosed":
      return announceFirst({ ...state, portalOpen: false });
    case "nameRefused":
      return event.hostName === nameOf(state) ? nextName(state, event.random) : [state, []];
    case "timerFired":
      return event.timer === "announce" && state.announced ? [state, [announce(state)]] : [state, []];
    default:
      return [state, []];
  }
}

function booted(event: Extract<Stamped, { readonly type: "booted" }>): Step {
  const text = { version: event.image.version, type: event.identity.type };
  const services = [
    { serviceType: "_http._tcp", port: WEB_PORT, text },
    { serviceType: "_ota._tcp", port: PUSH_PORT, text },
  ];
  const hostName = event.identity.deviceId.toLowerCase();
  return [{ ...initialPresence, hostName, services, canAnnounce: event.isAnnounced !== false }, []];
}

function announceFirst(state: PresenceState): Step {
  if (!state.online || state.portalOpen) return [state, []];
  const next = { ...state, number: 1, announced: true };
  return [next, [announce(next)]];
}

function withdraw(state: PresenceState): Step {
  if (!state.announced) return [state, []];
  return [
    { ...state, announced: false },
    [{ type: "withdraw" }, { type: "clearTimer", timer: "announce" }, NAMELESS],
  ];
}

/** Another device has the name. */
function nextName(state: PresenceState, random: number): Step {
  const isLast = state.number >= MAX_NAME_COUNT;
  const number = isLast ? 1 : state.number + 1;
  const delayMs = Math.round((isLast ? AGAIN_MS : 0) + random * NEXT_NAME_MS);
  return [
    { ...state, number },
    [
      { type: "log", level: "warn", message: `another device is called ${nameOf(state)}.local` },
      { type: "setTimer", timer: "announce", delayMs },
      NAMELESS,
    ],
  ];
}

const nameOf = ({ hostName, number }: PresenceState): string =>
  number === 1 ? hostName : `${hostName}-${number}`;

const announce = (state: PresenceState): Effect => ({
  type: "announce",
  hostName: nameOf(state),
  services: state.services,
});

/** What was claimed before is no longer the device's name. */
const NAMELESS: Raise = Object.freeze({
  type: "raise",
  event: Object.freeze({ type: "nameClaimed", hostName: "" }),
});
