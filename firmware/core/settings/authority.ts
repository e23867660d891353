// The owner's own certification authority, which signs the certificate of a server at home: one certificate, as its file has it (PEM), or DER in
// base64. Kept as base64, as a build's `authorities` are. Looks at its shape only: whether it is one, TLS says.

import { fail, type Result, succeed } from "../errors.js";

/** NVS key; nothing stored: the authorities of the build count. */
export const AUTHORITY_KEY = "tls.authority";
/** Characters of base64: what fits into a request to the device's pages. An RSA key of 4096 bits does, with a short name. */
export const MAX_AUTHORITY_LENGTH = 1_900;

const BEGIN = "-----BEGIN CERTIFICATE-----";
const END = "-----END CERTIFICATE-----";
/** DER of more than 255 bytes: SEQUENCE, and two bytes of length. */
const HEAD_BYTES = 4;

/** Among a build's authorities: the public ones. */
const PUBLIC = "public";

/**
 * The authorities that a build trusts, DER in base64.
 * @param named as the build's config has them: a list, or a text with commas, as mcconfig's command line gives it; "public" stands for the public ones,
 * and so does nothing
 */
export function buildAuthorities(
  named: string | readonly string[] | undefined,
  publicOnes: readonly string[],
): readonly string[] {
  const names = typeof named === "string" ? named.split(",") : (named ?? []);
  const given = names.filter((name) => name !== "");
  if (given.length === 0) return publicOnes;
  return given.flatMap((name) => (name === PUBLIC ? publicOnes : [name]));
}

/** As it is stored; an empty text stays one: back to the build's. */
export function readAuthority(text: string): Result<string, "AUTHORITY_INVALID"> {
  if (text === "") return succeed(text);
  const base64 = withoutFrame(text);
  if (base64 === undefined) return wrong("is not one certificate in PEM");
  if (base64.length > MAX_AUTHORITY_LENGTH)
    return wrong(`has ${base64.length} characters; ${MAX_AUTHORITY_LENGTH} are allowed`);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length % 4 !== 0) return wrong("is not base64");
  if (!isWhole(base64)) return wrong("is not one whole certificate (DER)");
  return isCertificate(base64) ? succeed(base64) : wrong("is no certificate; it may be a private key");
}

/** Without the lines around it, and without line ends. */
function withoutFrame(text: string): string | undefined {
  const start = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  const isPem = start >= 0 || end >= 0;
  if (isPem && (end < start || text.indexOf(BEGIN, start + 1) >= 0)) return undefined;
  const inner = isPem ? text.slice(start + BEGIN.length, end) : text;
  return inner.split(/[\r\n\t ]+/).join("");
}

/** Its head says how long it is. */
function isWhole(base64: string): boolean {
  const first =
    (valueAt(base64, 0) << 18) | (valueAt(base64, 1) << 12) | (valueAt(base64, 2) << 6) | valueAt(base64, 3);
  const fourth = (valueAt(base64, 4) << 2) | (valueAt(base64, 5) >> 4);
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  const length = (base64.length / 4) * 3 - padding;
  return first >> 8 === 0x3082 && HEAD_BYTES + (((first & 0xff) << 8) | fourth) === length;
}

/** Its first member is a SEQUENCE too; that of a private key is a number. */
const isCertificate = (base64: string): boolean =>
  (((valueAt(base64, 5) & 0xf) << 4) | (valueAt(base64, 6) >> 2)) === 0x30;

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const valueAt = (base64: string, at: number): number => Math.max(0, DIGITS.indexOf(base64.charAt(at)));

const wrong = (what: string): ReturnType<typeof fail<"AUTHORITY_INVALID">> =>
  fail("AUTHORITY_INVALID", `The authority ${what}.`);
