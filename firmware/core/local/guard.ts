// Who may do what with the device's own API. In the owner's network every page of every site can send requests to the device, by its
// address (cross-site request forgery) or by a foreign name that was pointed at it (DNS rebinding), and anybody there can without a
// browser. So: a name has to be ours, an Origin has to be ours, a change has to be JSON (which another origin may not send without
// asking first, and is never allowed), and has to carry the owner's token. Never answers, it only judges.
//
//                          with the owner's token   without, and there is one   without, and there is none yet
//   read                   yes                      yes                         yes
//   change, private        yes                      no                          in the setup network, attended
//   first token            (another one: yes)       no                          attended
//   reset                  yes                      in the setup network,       in the setup network, attended
//                                                   attended
//
// Attended: somebody stands beside the device. It was plugged in less than ten minutes ago, or, in its setup network, nothing is saved
// in it that would have to be protected.

import { textsEqual } from "../bytes.js";
import type { Failure } from "../errors.js";
import type { PageRequest } from "../event.js";
import { isForeignOrigin, isOwnHost } from "../http/own-host.js";

/** What a request wants. `private`: to read what is nobody else's business. */
export type Right = "read" | "private" | "change" | "token" | "reset";

/** How long after it was plugged in a device believes that its owner stands beside it. */
export const ATTENDED_MS = 10 * 60_000;

/** What is guarded, as it is now. */
export interface Guarded {
  readonly deviceId: string;
  /** Where it is found: its name if it announces one, else its address. */
  readonly ownHost: string;
  /** Empty: the owner has set none. */
  readonly token: string;
  /** `setup`: the access point only, because the device is in no other network. */
  readonly place: "setup" | "house";
  /** It came up because somebody gave it power or pressed its reset button. */
  readonly pluggedIn: boolean;
  /** Networks are saved. */
  readonly provisioned: boolean;
}

export interface Refusal extends Failure<string> {
  readonly status: number;
}

/** How long somebody who stands beside the device is still believed to be its owner, ms; 0: not now. */
export function attendedMs({ token, place, pluggedIn, provisioned }: Guarded, at: number): number {
  if (place === "setup" && !provisioned && token === "") return ATTENDED_MS;
  return pluggedIn ? Math.max(0, ATTENDED_MS - at) : 0;
}

/** Why a request is refused, if it is. */
export function refusalOf(request: PageRequest, right: Right, guarded: Guarded): Refusal | undefined {
  const { deviceId, ownHost } = guarded;
  if (!isOwnHost(request.host, deviceId))
    return refusal(403, "FOREIGN_HOST", `Use the device's own name or address: http://${ownHost}/`);
  if (request.method === "POST") {
    if (isForeignOrigin(request))
      return refusal(403, "FOREIGN_ORIGIN", "Only the device's own page may change it.");
    if (!/^application\/json *(;|$)/i.test(request.contentType ?? ""))
      return refusal(415, "CONTENT_TYPE", "Send content-type: application/json.");
  }
  if (right === "read") return undefined;
  const attended = attendedMs(guarded, request.at) > 0;
  if (guarded.token === "") return attended ? unowned(right, guarded) : refusal(403, "NO_TOKEN", PLUG_IN);
  if (right === "reset" && guarded.place === "setup" && attended) return undefined;
  const needed = right === "reset" && guarded.place === "setup" ? TOKEN_OR_PLUG : TOKEN_NEEDED;
  return tokenRefusal(request.authorization, guarded.token, needed);
}

const TOKEN_NEEDED = "This needs the owner's token: Authorization: Bearer.";
const TOKEN_OR_PLUG =
  "This needs the owner's token. Without it: unplug the device, plug it in again, and come back within 10 minutes.";
const PLUG_IN =
  "Nobody has set this device's token, so nobody may change it. Unplug it, plug it in again, and set a token within 10 minutes.";

/** Nobody's device, and somebody beside it: in the house that may be anybody, so there all begins with the token. */
const unowned = (right: Right, { place }: Guarded): Refusal | undefined =>
  right === "token" || place === "setup"
    ? undefined
    : refusal(403, "NO_TOKEN", "Set the owner's token first: without it nobody may change this device.");

function tokenRefusal(authorization: string | undefined, token: string, needed: string): Refusal | undefined {
  const given = /^Bearer +(\S{1,256})$/i.exec(authorization ?? "")?.[1];
  if (given === undefined) return refusal(401, "TOKEN_MISSING", needed);
  return textsEqual(given, token) ? undefined : refusal(403, "TOKEN_WRONG", "This is not the owner's token.");
}

const refusal = (status: number, code: string, message: string): Refusal => ({ status, code, message });
