// What networks and strangers may not do to a device: firmware/core/wifi, and the names that are its own.

import type { Mutation } from "./mutation.js";

const points = "firmware/core/wifi/access-points.ts";
const join = "firmware/core/wifi/join.ts";
const wifi = "firmware/core/wifi/wifi.ts";
const setup = "firmware/core/wifi/setup-network.ts";
const watch = "firmware/core/wifi/link-watch.ts";
const ownHost = "firmware/core/http/own-host.ts";
const presence = "firmware/core/local/presence.ts";

export const MUTATIONS: readonly Mutation[] = [
  {
    what: "a network that was saved with a password is joined openly",
    file: points,
    original: 'secured === (password !== "")',
    mutated: "secured || !secured",
  },
  {
    what: "an access point of another name is tried",
    file: points,
    original: "network.ssid === ssid",
    mutated: "network.ssid !== undefined",
  },
  {
    what: "only the first four of many access points are ever tried",
    file: points,
    original: "(round * MAX_OTHER_COUNT) %",
    mutated: "(0 * MAX_OTHER_COUNT) %",
  },
  {
    what: "an open network of the name is called not found",
    file: points,
    original: 'other.secured ? "needs-password" : "open"',
    mutated: 'other.secured ? "needs-password" : "not-found"',
  },
  {
    what: "the access point that worked is not tried first",
    file: join,
    original: "state.favourite?.ssid === network.ssid ? state.favourite : undefined",
    mutated: "undefined",
  },
  {
    what: "the result of a search that is over is used",
    file: wifi,
    original: 'state.phase === "looking" && event.attempt === -state.attempt',
    mutated: 'state.phase === "looking" || event.attempt < 0',
  },
  {
    what: "another address is dropped while the network stays joined",
    file: wifi,
    original: "event.address === state.address ? [state, []] : moved(state, event)",
    mutated: "[state, []]",
  },
  {
    what: "whoever submits networks takes a saved one's turn",
    file: wifi,
    original: "hasSaved && state.submittedCount >= MAX_SUBMITTED_COUNT",
    mutated: "false",
  },
  {
    what: "a phone that asks for nothing holds a join back",
    file: setup,
    original: "at - state.usedAtMs >= USE_MS",
    mutated: "false",
  },
  {
    what: "a busy phone holds a join back for ever",
    file: setup,
    original: "at - heldSinceMs >= MAX_HOLD_MS",
    mutated: "false",
  },
  {
    what: "a phone that comes and goes keeps the setup network open",
    file: setup,
    original: "Math.min(wantedMs, state.lingerUntilMs - at)",
    mutated: "wantedMs",
  },
  {
    what: "the chip is restarted although somebody was heard",
    file: watch,
    original: "cureCount >= 2 && at - heardAtMs >= HOUR_MS",
    mutated: "cureCount >= 2 && at >= HOUR_MS",
  },
  {
    what: "the chip is restarted every hour for ever",
    file: watch,
    original: "2 ** Math.min(restartCount, MAX_DOUBLINGS)",
    mutated: "1",
  },
  {
    what: "a network is joined anew while its owner uses the pages",
    file: watch,
    original: "occupation.isBusy || isUsed",
    mutated: "occupation.isBusy",
  },
  {
    what: "a trial is disturbed by joining anew",
    file: watch,
    original: "occupation.isBusy || isUsed",
    mutated: "isUsed",
  },
  {
    what: "a stranger's domain behind the device's name is accepted",
    file: ownHost,
    original: "HOME_DOMAINS.some((one) => isWithin(domain, one))",
    mutated: "true",
  },
  {
    what: "a domain that only ends like one of the home is accepted",
    file: ownHost,
    original: "domain.endsWith(`.",
    mutated: "domain.endsWith(`",
  },
  {
    what: "a name is announced while the setup network is open",
    file: presence,
    original: "if (!state.online || state.portalOpen) return",
    mutated: "if (!state.online) return",
  },
];
