// The tokens that authenticate this device at an update server. Each is stored with the address of the server that issued it, and sent to
// no other, so that pointing the device elsewhere reveals nothing. Answers are not signed: a token that comes with one may be worth nothing.
// So the one that worked is kept until the new one has worked, and after that as well, as the other one, for a server that was restored.
// A token is used only after it was stored, so that no power cut leaves the device with an older token than the server has seen.
//
//   proved ── an answer brings another ──► proved + new ── answered 200 with the new one ──► the new one is proved, + old
//      ▲                                        │ 401, then 200 with the proved one
//      └────────────────────────────────────────┘
//
//   proved + old ── 401, then 200 with the old one ──► the old one is proved again

import type { Effect } from "../effect.js";
import type { BuildSettings, ServerToken, ServerTokens } from "../event.js";
import { originOf } from "../http/address.js";

/** NVS keys: of the token that was proved last, and of the other one. Older firmware knows the first only. */
export const SERVER_TOKEN_KEY = "server.token";
export const OTHER_TOKEN_KEY = "token.other";
/** Visible ASCII: it is sent in a header. */
const MAX_LENGTH = 128;

export const NO_TOKENS: ServerTokens = Object.freeze({
  proved: undefined,
  other: undefined,
  isOtherNew: false,
  showsOther: false,
});

export type TokenStep = readonly [ServerTokens, readonly Effect[]];

/** The stored tokens, as far as they are valid. */
export function readServerTokens(stored: Readonly<Record<string, string>>): ServerTokens {
  const [kind = "", ...rest] = (stored[OTHER_TOKEN_KEY] ?? "").split(" ");
  const proved = readToken((stored[SERVER_TOKEN_KEY] ?? "").split(" "));
  const read = kind === "new" || kind === "old" ? readToken(rest) : undefined;
  const other = read && isSame(read, proved) ? undefined : read;
  const isOtherNew = other !== undefined && kind === "new";
  return { proved, other, isOtherNew, showsOther: isOtherNew };
}

function readToken([server = "", token = "", more]: readonly string[]): ServerToken | undefined {
  return server !== "" && more === undefined && isServerToken(token) ? { server, token } : undefined;
}

/** The token that this address is shown. */
export function shownAt({ proved, other, showsOther }: ServerTokens, url: string): ServerToken | undefined {
  // without a function for both: a gateway sends its requests from deep in XS's stack
  const origin = originOf(url);
  const known = proved && originOf(proved.server) === origin ? proved : undefined;
  const second = other && originOf(other.server) === origin ? other : undefined;
  return second && (showsOther || !known) ? second : known;
}

/** Before each check: a new token is tried first. */
export const atFirst = (tokens: ServerTokens): ServerTokens =>
  tokens.showsOther === tokens.isOtherNew ? tokens : { ...tokens, showsOther: tokens.isOtherNew };

/** The server has refused what it was shown. Nothing: there is no other, or it was refused before. */
export function otherwise(tokens: ServerTokens, server: string): ServerTokens | undefined {
  const { proved, other, isOtherNew, showsOther } = tokens;
  const areBothOfIt = proved && other && isOf(proved, server) && isOf(other, server);
  return areBothOfIt && showsOther === isOtherNew ? { ...tokens, showsOther: !showsOther } : undefined;
}

/** The server has given a token: it is tried from now on, and the one that was proved there is kept. */
export function takeToken(tokens: ServerTokens, given: ServerToken): TokenStep {
  const { proved, other, isOtherNew } = tokens;
  if (isSame(given, proved) || isSame(given, other)) return [tokens, NOTHING];
  const isKept = other && !isOtherNew && isOf(other, given.server) && !(proved && isOf(proved, given.server));
  const next = { proved: isKept ? other : proved, other: given, isOtherNew: true, showsOther: true };
  return [next, [...(isKept ? [storeProved(other)] : []), storeOther("new", given)]];
}

/** A check was answered, with what was shown: that is proved. A new token that was refused before it is dropped. */
export function proveShown(tokens: ServerTokens, server: string): TokenStep {
  const { proved, other, isOtherNew } = tokens;
  const shown = shownAt(tokens, server);
  if (!other || !shown) return [tokens, NOTHING];
  if (shown === other) {
    const next = { proved: other, other: proved, isOtherNew: false, showsOther: false };
    return [next, [saveProved(other, proved)]];
  }
  if (!isOtherNew || !isOf(other, server)) return [tokens, NOTHING];
  return [{ ...tokens, other: undefined, isOtherNew: false, showsOther: false }, [FORGET_OTHER]];
}

/** It could not be stored, so it is not shown: after a restart the device would not have it, and the server takes no other. */
export const dropUnstored = (tokens: ServerTokens): ServerTokens =>
  tokens.isOtherNew ? { ...tokens, other: undefined, isOtherNew: false, showsOther: false } : tokens;

const NOTHING: readonly Effect[] = Object.freeze([]);
const FORGET_OTHER: Effect = Object.freeze({ type: "forget", key: OTHER_TOKEN_KEY });

/** Both or none, in this order: a power cut in between leaves the proved one twice. */
const saveProved = (now: ServerToken, before: ServerToken | undefined): Effect => ({
  type: "save",
  purpose: "token",
  values: {
    [SERVER_TOKEN_KEY]: `${now.server} ${now.token}`,
    [OTHER_TOKEN_KEY]: before && `old ${before.server} ${before.token}`,
  },
});

const storeProved = ({ server, token }: ServerToken): Effect => ({
  type: "store",
  key: SERVER_TOKEN_KEY,
  value: `${server} ${token}`,
});

const storeOther = (kind: "new" | "old", { server, token }: ServerToken): Effect => ({
  type: "store",
  key: OTHER_TOKEN_KEY,
  value: `${kind} ${server} ${token}`,
});

const isOf = ({ server }: ServerToken, url: string): boolean => originOf(server) === originOf(url);

const isSame = (one: ServerToken, another: ServerToken | undefined): boolean =>
  another !== undefined && one.token === another.token && isOf(one, another.server);

export const isServerToken = (value: unknown): value is string =>
  typeof value === "string" && value.length <= MAX_LENGTH && /^[!-~]+$/.test(value);

/** The headers of a JSON request to a server. */
export const jsonHeaders = (
  server: string,
  known: ServerTokens,
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
  known: ServerTokens,
  build: BuildSettings | undefined,
): Record<string, string> {
  const origin = originOf(url);
  if (origin === undefined) return {};
  const enrolment = build && originOf(build.server) === origin ? build.enrolmentToken : undefined;
  const token = shownAt(known, url)?.token ?? enrolment;
  return token ? { authorization: `Bearer ${token}` } : {};
}
