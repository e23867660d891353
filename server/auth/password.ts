// Passwords under scrypt (RFC 7914). The parameters are in the hash (`$scrypt$ln=15,r=8,p=3$salt$hash`), so that they can be
// raised: a hash with other parameters still verifies, and is renewed when its owner signs in.

import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { findGuessable } from "./guessable.js";

export interface PasswordCost {
  /** Binary logarithm of N: memory is 128 · 2^ln · r bytes. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

/** 32 MiB and about 0.2 s: one of the settings that OWASP holds for equal. */
export const PASSWORD_COST: PasswordCost = Object.freeze({ ln: 15, r: 8, p: 3 });
export const MIN_PASSWORD_LENGTH = 10;
/** Characters: enough for any sentence, and a bound on what is hashed. */
export const MAX_PASSWORD_LENGTH = 256;

const SALT_BYTES = 16;
const HASH_BYTES = 32;
const FORMAT = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9_-]+)\$([A-Za-z0-9_-]+)$/;
/** A stored hash that asks for more than this was not made here. */
const MAX_LN = 20;

/** What is wrong with a password as a sentence, or `undefined`. */
export function checkPasswordRules(password: string, userName: string): string | undefined {
  const { length } = [...password];
  if (length < MIN_PASSWORD_LENGTH)
    return `the password has ${length} characters, ${MIN_PASSWORD_LENGTH} are needed`;
  if (password.length > MAX_PASSWORD_LENGTH)
    return `the password has ${password.length} characters, ${MAX_PASSWORD_LENGTH} are allowed`;
  if (new Set(password).size < 4) return "the password repeats too few characters";
  if (password.toLowerCase().includes(userName.toLowerCase())) return "the password contains the user's name";
  return findGuessable(password, userName);
}

export async function hashPassword(password: string, cost: PasswordCost = PASSWORD_COST): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, cost, HASH_BYTES);
  return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${salt.toString("base64url")}$${hash.toString("base64url")}`;
}

export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const parsed = parse(stored);
  if (!parsed || password.length > MAX_PASSWORD_LENGTH) return false;
  const hash = await derive(password, parsed.salt, parsed.cost, parsed.hash.length);
  return timingSafeEqual(hash, parsed.hash);
}

/** Whether a stored hash has other parameters than new ones get. */
export function isOutdated(stored: string, cost: PasswordCost = PASSWORD_COST): boolean {
  const known = parse(stored)?.cost;
  return known?.ln !== cost.ln || known.r !== cost.r || known.p !== cost.p;
}

function parse(stored: string) {
  const [, ln, r, p, salt = "", hash = ""] = FORMAT.exec(stored) ?? [];
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  if (hash === "" || cost.ln < 1 || cost.ln > MAX_LN || cost.r < 1 || cost.p < 1) return undefined;
  return { cost, salt: Buffer.from(salt, "base64url"), hash: Buffer.from(hash, "base64url") };
}

/** The same password typed on two keyboards may differ in bytes: NFKC makes it one. */
function derive(password: string, salt: Buffer, { ln, r, p }: PasswordCost, length: number): Promise<Buffer> {
  const N = 2 ** ln;
  return new Promise((resolve, reject) =>
    scrypt(
      password.normalize("NFKC"),
      salt,
      length,
      { N, r, p, maxmem: 160 * N * r + 1024 * r * p },
      (error, hash) => (error ? reject(error) : resolve(hash)),
    ),
  );
}
