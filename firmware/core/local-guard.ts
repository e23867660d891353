// Who may use the device's own API. In the owner's network every page of every site can send requests to the device, by its
// address (cross-site request forgery) or by a foreign name that was pointed at it (DNS rebinding), and anybody there can without a
// browser. So: a name has to be ours, an Origin has to be ours, a change has to be JSON (which another origin may not send without
// asking first, and is never allowed), and has to carry the owner's token if one is set. Never answers, it only judges.

import { textsEqual } from "./bytes.js";
import type { Failure } from "./errors.js";
import type { Stamped } from "./event.js";

export type LocalRequest = Extract<Stamped, { readonly type: "requestReceived" }>;

export interface Refusal extends Failure<string> {
  readonly status: number;
}

/**
 * Whether a `host` header can only mean this device. A page that an attacker serves has a name in its Host, never a bare address,
 * so any address is taken: behind a forwarded port it is not the device's own.
 */
export const isOwnHost = (host: string, deviceId: string): boolean => {
  const name = host.toLowerCase();
  const id = deviceId.toLowerCase();
  return (
    /^\d{1,3}(\.\d{1,3}){3}$/.test(name) || name === "localhost" || name === id || name === `${id}.local`
  );
};

/** Why a request is refused, if it is. `token` empty: the owner has set none. */
export function refusalOf(request: LocalRequest, deviceId: string, token: string): Refusal | undefined {
  if (!isOwnHost(request.host, deviceId))
    return refusal(
      403,
      "FOREIGN_HOST",
      `Use http://${deviceId.toLowerCase()}.local/ or the device's address.`,
    );
  if (request.method !== "POST") return undefined;
  if (request.origin !== undefined && hostOf(request.origin) !== request.host)
    return refusal(403, "FOREIGN_ORIGIN", "Only the device's own page may change it.");
  if (!/^application\/json *(;|$)/i.test(request.contentType ?? ""))
    return refusal(415, "CONTENT_TYPE", "Send content-type: application/json.");
  return token === "" ? undefined : tokenRefusal(request.authorization, token);
}

function tokenRefusal(authorization: string | undefined, token: string): Refusal | undefined {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  if (given === undefined)
    return refusal(401, "TOKEN_MISSING", "This needs the owner's token: Authorization: Bearer.");
  return textsEqual(given, token) ? undefined : refusal(403, "TOKEN_WRONG", "This is not the owner's token.");
}

const refusal = (status: number, code: string, message: string): Refusal => ({ status, code, message });

/** Host of an origin, lower case, without its port; empty for `null` and what is none. */
const hostOf = (origin: string): string =>
  /^https?:\/\/([^/:]+)(:\d+)?$/i.exec(origin)?.[1]?.toLowerCase() ?? "";
