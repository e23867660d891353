// Access tokens: JSON Web Tokens (RFC 7519, RFC 9068) that name a session and live for minutes. What their holder may do is looked
// up with each request, so that a changed role or an ended session counts at once.

import { decodeProtectedHeader, jwtVerify, SignJWT } from "jose";
import { CLOCK_SKEW_MS } from "../store/clock.js";
import type { SigningKeys } from "./signing-keys.js";

export const ACCESS_VALID_MS = 15 * 60_000;
const ISSUER = "skyslot";
const ALGORITHM = "ES256";
const TYPE = "at+jwt";
const MAX_TOKEN_LENGTH = 1024;

export class AccessTokens {
  readonly #keys: SigningKeys;
  readonly #now: () => number;

  constructor(keys: SigningKeys, now: () => number) {
    this.#keys = keys;
    this.#now = now;
  }

  async issue(sessionId: string): Promise<string> {
    const { kid, privateKey } = await this.#keys.current();
    const nowSeconds = Math.floor(this.#now() / 1000);
    return new SignJWT({ sid: sessionId })
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid })
      .setIssuer(ISSUER)
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + ACCESS_VALID_MS / 1000)
      .sign(privateKey);
  }

  /** The session that a token names, or `undefined` if the token is not one of ours or has expired. */
  async verify(token: string): Promise<string | undefined> {
    const kid = token.length > MAX_TOKEN_LENGTH ? undefined : readKid(token);
    const key = kid === undefined ? undefined : await this.#keys.find(kid);
    if (!key) return undefined;
    try {
      const { payload } = await jwtVerify(token, key.publicKey, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        typ: TYPE,
        requiredClaims: ["sid", "exp", "iat"],
        currentDate: new Date(this.#now()),
      });
      // Issued while a clock was ahead: it would be good for as long as that. Its holder refreshes it.
      const isFromFuture = (payload.iat ?? 0) * 1000 > this.#now() + CLOCK_SKEW_MS;
      return isFromFuture ? undefined : String(payload.sid);
    } catch {
      return undefined;
    }
  }
}

function readKid(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid;
  } catch {
    return undefined;
  }
}
