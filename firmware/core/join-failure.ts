// Why a network could not be joined, for people: what is wrong, and what to do.

import type { JoinFailure } from "./event.js";

export const JOIN_FAILURES: Readonly<Record<JoinFailure, string>> = Object.freeze({
  "wrong-password": "The network did not accept the password. Check it, upper and lower case too.",
  "not-found":
    "The network was not found. It has to be in range and on 2.4 GHz; check its name, or move the device closer.",
  "no-address":
    "The network let the device in but did not give it an address (DHCP). Restart the router; if that does not help, look whether it has run out of addresses.",
  refused:
    "The network is in range but did not let the device in. Check the password (a network with WPA3 does not say that it is wrong). The network may also be full, admit known devices only, or use something other than WPA2 or WPA3 with a password.",
  open: "This network is open, so it takes no password, and the device does not join it with one: somebody else may have opened a network of this name. If it is yours, leave the password empty.",
  "needs-password": "This network needs a password.",
  busy: "The device first tries the network that it knows. Submit this one again in two minutes.",
  lost: "The connection broke off. Move the device closer to the router, or restart the router.",
});

/** What tells a person most comes first: of several access points, one that refused the password says more than one that was not heard. */
const TELLING: readonly JoinFailure[] = Object.freeze([
  "wrong-password",
  "no-address",
  "lost",
  "refused",
  "open",
  "needs-password",
  "not-found",
  "busy",
]);

export const moreTelling = (a: JoinFailure | undefined, b: JoinFailure): JoinFailure =>
  a !== undefined && TELLING.indexOf(a) < TELLING.indexOf(b) ? a : b;
