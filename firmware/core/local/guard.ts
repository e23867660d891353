// Authorization of the device's own API. In the owner's network any web page can send requests to the device, by its address (cross-site
// request forgery) or by a foreign name that points to it (DNS rebinding), and so can any other client. So the Host and the Origin have to
// be the device's own, a change has to be JSON (for which a browser sends a preflight from another origin, and that is never allowed) and
// needs the owner's token. Only decides, never responds; does not look at the token.
//
//                          with the owner's token   without, and there is one   without, and there is none yet
//   read                   yes                      yes                         yes
//   change, private        yes                      no                          in the setup network, attended
//   first token            (another one: yes)       no                          attended
//   reset                  yes                      in the setup network,       in the setup network, attended
//                                                   attended
//   root                   yes                      in the setup network        in the setup network
//
// Attended: a person is assumed to be at the device. It was plugged in less than ten minutes ago or, in its setup network, has nothing
// stored that needs protection.

import type { Failure } from "../errors.js";
import type { PageRequest } from "../event.js";
import { isForeignOrigin, isOwnHost } from "../http/own-host.js";

/** What a request needs. `private`: to read what only the owner may see. `root`: to send a trust root, which proves itself. */
export type Right = "read" | "private" | "change" | "token" | "reset" | "root";

/** How long a device counts as attended after it was plugged in. */
export const ATTENDED_MS = 10 * 60_000;

/** The current state that decisions depend on. */
export interface Guarded {
  /** Its own names, without a domain. */
  readonly names: readonly string[];
  /** How it is reached: its name if it announces one, else its address. */
  readonly ownHost: string;
  /** Empty: the owner has set none. */
  readonly token: string;
  /** `setup`: the access point only, because the device is in no other network. */
  readonly place: "setup" | "house";
  /** It was started by power on or by its reset button. */
  readonly pluggedIn: boolean;
  /** Networks are saved. */
  readonly provisioned: boolean;
}

export interface Refusal extends Failure<string> {
  readonly status: number;
}

/** How long the device still counts as attended, ms; 0: it does not. */
export function attendedMs({ token, place, pluggedIn, provisioned }: Guarded, at: number): number {
  if (place === "setup" && !provisioned && token === "") return ATTENDED_MS;
  return pluggedIn ? Math.max(0, ATTENDED_MS - at) : 0;
}

/** Why a request is refused, if it is; 401: unless it comes from the owner, which owner-proof.ts finds out. */
export function refusalOf(request: PageRequest, right: Right, guarded: Guarded): Refusal | undefined {
  const { names, ownHost } = guarded;
  if (!isOwnHost(request.host, names))
    return refusal(403, "FOREIGN_HOST", `Use the device's own name or address: http://${ownHost}/`);
  if (request.method === "POST") {
    if (isForeignOrigin(request))
      return refusal(403, "FOREIGN_ORIGIN", "Only the device's own page may change it.");
    if (!isSafeWithoutType(request) && !/^application\/json *(;|$)/i.test(request.contentType ?? ""))
      return refusal(415, "CONTENT_TYPE", "Send content-type: application/json.");
  }
  if (right === "read" || (right === "root" && guarded.place === "setup")) return undefined;
  const attended = attendedMs(guarded, request.at) > 0;
  if (guarded.token === "") return attended ? unowned(right, guarded) : refusal(403, "NO_TOKEN", PLUG_IN);
  if (right === "reset" && guarded.place === "setup" && attended) return undefined;
  const needed = right === "reset" && guarded.place === "setup" ? TOKEN_OR_PLUG : TOKEN_NEEDED;
  return refusal(401, "TOKEN_MISSING", needed);
}

/** A command without a body that shows a token, as `curl -X POST -H "Authorization: …"` sends it: a page elsewhere cannot send that header. */
const isSafeWithoutType = ({ body, authorization }: PageRequest): boolean =>
  body === "" && authorization !== undefined;

const TOKEN_NEEDED = "This needs the owner's token: answer the challenge, or send Authorization: Bearer.";
const TOKEN_OR_PLUG =
  "This needs the owner's token. Without it: unplug the device, plug it in again, and come back within 10 minutes.";
const PLUG_IN =
  "This device has no token, so it cannot be changed. Unplug it, plug it in again, and set a token within 10 minutes.";

/** A device without an owner that is attended: in the owner's network that may be any client, so the token comes first there. */
const unowned = (right: Right, { place }: Guarded): Refusal | undefined =>
  right === "token" || place === "setup"
    ? undefined
    : refusal(403, "NO_TOKEN", "Set the owner's token first: without it this device cannot be changed.");

const refusal = (status: number, code: string, message: string): Refusal => ({ status, code, message });
