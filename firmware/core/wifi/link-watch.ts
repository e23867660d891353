// Notices that a network is joined and nothing gets through: an access point that lost its own way out, a lease that ended without a word, a
// driver that hangs. After five requests in a row to the update server that brought not one byte the network is joined anew, then another of
// its access points or another saved network, and so on, ever more rarely: the server may simply be off. Where nothing at all was heard for
// an hour, not even from the name server or a visitor, the chip is restarted; each time without success that takes twice as long, up to 16 h.
// Nothing is done while an update or a trial runs, or while the device's pages are used. What counts:
//
//   any answer of the server, whatever its status ─► all is well, the counts begin anew
//   its host accepted a connection, a name was resolved, somebody asked for a page or pushed ─► no restart for an hour

import type { Effect } from "../effect.js";
import type { Raise, Stamped } from "../event.js";

const MISSES = 5;
/** Of what has to be missed before the next cure: 5, 5, 10, 20, 40. */
const MAX_MISSES = 40;
const HOUR_MS = 3_600_000;
const MAX_DOUBLINGS = 4;
/** After a request the device's pages count as used. */
const USE_MS = 5 * 60_000;
/** NVS key: restarts for this reason since the server answered last. */
export const LINK_RESTARTS_KEY = "link.restarts";

export interface LinkWatchState {
  readonly online: boolean;
  /** The server has answered since the last request that failed. */
  readonly answered: boolean;
  /** Requests in a row without a byte. */
  readonly missCount: number;
  readonly cureCount: number;
  /** When anybody was heard last, ms since boot. */
  readonly heardAtMs: number;
  /** When somebody asked for a page or pushed an image last. */
  readonly usedAtMs: number | undefined;
  readonly restartCount: number;
}

export const initialLinkWatch: LinkWatchState = Object.freeze({
  online: false,
  answered: false,
  missCount: 0,
  cureCount: 0,
  heardAtMs: 0,
  usedAtMs: undefined,
  restartCount: 0,
});

/** What the other machines do, before they hear the event. */
export interface Occupation {
  /** A request to the update server is under way. */
  readonly isAsking: boolean;
  /** Joining anew would interrupt something. */
  readonly isBusy: boolean;
  readonly isUpdating: boolean;
}

type Step = readonly [LinkWatchState, readonly (Effect | Raise)[]];

export function linkWatchStep(state: LinkWatchState, event: Stamped, occupation: Occupation): Step {
  switch (event.type) {
    case "booted":
      return [{ ...initialLinkWatch, restartCount: readCount(event.stored[LINK_RESTARTS_KEY]) }, []];
    case "online":
    case "offline":
      return [{ ...state, online: event.type === "online", missCount: 0 }, []];
    case "responseStarted":
      return answered(state, event.at);
    case "peerHeard":
    case "datagramReceived":
      return [{ ...state, heardAtMs: event.at }, []];
    case "requestReceived":
    case "pushRequested":
      return [{ ...state, heardAtMs: event.at, usedAtMs: event.at }, []];
    case "requestFailed":
      return occupation.isAsking ? missed(state, event.at, occupation) : [state, []];
    case "timerFired":
      return event.timer === "transfer" && occupation.isAsking
        ? missed(state, event.at, occupation)
        : [state, []];
    default:
      return [state, []];
  }
}

function answered(state: LinkWatchState, at: number): Step {
  const forgotten: readonly Effect[] =
    state.restartCount > 0 ? [{ type: "forget", key: LINK_RESTARTS_KEY }] : [];
  const well = { ...state, answered: true, missCount: 0, cureCount: 0, restartCount: 0, heardAtMs: at };
  return [well, forgotten];
}

function missed(state: LinkWatchState, at: number, occupation: Occupation): Step {
  if (state.answered || !state.online) return [{ ...state, answered: false, missCount: 0 }, []];
  const next = { ...state, missCount: state.missCount + 1 };
  const isUsed = state.usedAtMs !== undefined && at - state.usedAtMs < USE_MS;
  if (next.missCount < MISSES || occupation.isBusy || isUsed) return [next, []];
  if (isDeaf(next, at) && !occupation.isUpdating) return restart(next, at);
  return next.missCount < missesBefore(state.cureCount) ? [next, []] : cure(next);
}

const missesBefore = (cureCount: number): number =>
  Math.min(MISSES * 2 ** Math.max(0, cureCount - 1), MAX_MISSES);

/** Joining anew has not helped, and for a long time nobody was heard. */
const isDeaf = ({ cureCount, heardAtMs, restartCount }: LinkWatchState, at: number): boolean =>
  cureCount >= 2 && at - heardAtMs >= HOUR_MS * 2 ** Math.min(restartCount, MAX_DOUBLINGS);

function cure(state: LinkWatchState): Step {
  const { missCount, cureCount } = state;
  const isAnother = cureCount % 2 === 1;
  const what = isAnother ? "another access point or network" : "the network anew";
  const message = `no answer to ${missCount} requests in a row: joining ${what}`;
  return [
    { ...state, missCount: 0, cureCount: cureCount + 1 },
    [
      { type: "log", level: "warn", message },
      { type: "raise", event: { type: "linkDoubted", cure: isAnother ? "another" : "rejoin" } },
    ],
  ];
}

function restart(state: LinkWatchState, at: number): Step {
  const minutes = Math.floor((at - state.heardAtMs) / 60_000);
  return [
    state,
    [
      {
        type: "log",
        level: "error",
        message: `nothing was heard from anyone for ${minutes} minutes, joining anew did not help: restarting`,
      },
      { type: "store", key: LINK_RESTARTS_KEY, value: `${state.restartCount + 1}` },
      { type: "restart", reason: "network" },
    ],
  ];
}

function readCount(text: string | undefined): number {
  const count = Number(text ?? 0);
  return Number.isInteger(count) && count >= 0 ? count : 0;
}
