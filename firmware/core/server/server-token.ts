// The token that authenticates this device at an update server. It is stored with the address of the server that issued it, and sent to no
// other, so that pointing the device elsewhere reveals nothing. It is used only after it was stored, so that no power cut leaves the device
// with an older token than the server has seen.

import type { Effect } from "../effect.js";
import type { BuildSettings, ServerToken } from "../event.js";
import { originOf } from "../http/address.js";

/** One string: the server's address, a blank, the token. */
export const SERVER_TOKEN_KEY = "server.token";
/** Visible ASCII: it is sent in a header. */
const MAX_LENGTH = 128;

/** The stored token, if there is a valid one. */
export function readServerToken(stored: Readonly<Record<string, string>>): ServerToken | undefined {
  const [server = "", token = "", more] = (stored[SERVER_TOKEN_KEY] ?? "").split(" ");
  return server !== "" && more === undefined && isServerToken(token) ? { server, token } : undefined;
}

export const storeServerToken = ({ server, token }: ServerToken): Effect => ({
  type: "store",
  key: SERVER_TOKEN_KEY,
  value: `${server} ${token}`,
});

export const isServerToken = (value: unknown): value is string =>
  typeof value === "string" && value.length <= MAX_LENGTH && /^[!-~]+$/.test(value);

/** The headers of a JSON request to a server. */
export const jsonHeaders = (
  server: string,
  known: ServerToken | undefined,
  build: BuildSettings | undefined,
): Record<string, string> => ({
  "content-type": "application/json",
  ...authorizationAt(server, known, build),
});

/**
 * The authorization header: with the device's token, or with the build's enrolment token. Empty for an address at any other origin.
 */
export function authorizationAt(
  url: string,
  known: ServerToken | undefined,
  build: BuildSettings | undefined,
): Record<string, string> {
  const origin = originOf(url);
  if (origin === undefined) return {};
  const enrolment = build && originOf(build.server) === origin ? build.enrolmentToken : undefined;
  const token = known && originOf(known.server) === origin ? known.token : enrolment;
  return token ? { authorization: `Bearer ${token}` } : {};
}
