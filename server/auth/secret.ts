// Secrets that this server gives out: 256 random bits behind a prefix that says what they open, so that a leaked one is recognised.
// The server keeps only their SHA-256: they cannot be guessed, so nothing slower is needed.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

const PREFIXES = Object.freeze({
  apiToken: "ska_",
  refresh: "skr_",
  link: "skl_",
  device: "skd_",
  enrolment: "ske_",
  local: "skx_",
  browser: "skb_",
});
type SecretKind = keyof typeof PREFIXES;

const SECRET_BYTES = 32;

/** @returns such as `ska_` and 43 letters */
export const makeSecret = (kind: SecretKind): string =>
  PREFIXES[kind] + randomBytes(SECRET_BYTES).toString("base64url");

export const isSecret = (kind: SecretKind, text: string): boolean => text.startsWith(PREFIXES[kind]);

/** SHA-256, 64 hex digits: what is stored and looked up. */
export const hashSecret = (secret: string): string => createHash("sha256").update(secret).digest("hex");

/** Compares two hashes in constant time. */
export function isSameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
