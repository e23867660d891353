// Random statements of freshness: most are almost right. Of each, what a device decides is compared with the reference.

import { sign } from "node:crypto";
import type { JWK } from "jose";
import { parseRoot, type Root } from "../../../firmware/core/trust/root.js";
import { checkStatement, parseStatement } from "../../../firmware/core/trust/statement.js";
import { thumbprint } from "../../../firmware/core/trust/thumbprint.js";
import { makeHolder, signRoot } from "../../journey/ceremony.js";
import { isGood, scratched } from "./roots.js";
import { answers } from "./statement-reference.js";

/** The first may sign statements, the second, too; the third signs releases. Their keys are new in each run. */
const HOLDERS = [makeHolder(), makeHolder(), makeHolder(), makeHolder()] as const;
const ROOT = rootOf();

function rootOf(): Root {
  const text = signRoot(
    {
      version: 1,
      expires: 4_000_000_000,
      threshold: 1,
      keys: HOLDERS.slice(0, 3).map(({ point }) => point),
      root: [2],
      release: [2],
      freshness: [0, 1],
      releaseThreshold: 1,
      minSecurityVersion: 0,
    },
    [{ holder: HOLDERS[2], key: 2 }],
  );
  const parsed = parseRoot(text);
  if (!parsed.ok) throw new Error(parsed.failure.message);
  return parsed.value.root;
}

const KEYS: readonly JWK[] = HOLDERS.slice(0, 2).map(({ point }) => ({ kty: "EC", crv: "P-256", ...point }));
const QUESTION = { nonce: "0123456789abcdef0123456789abcdef", type: "base" };

const WRONG = [
  0,
  -1,
  1.5,
  4_294_967_296,
  "",
  "1",
  null,
  [],
  {},
  ["0"],
  undefined,
  true,
  "base ",
  ["a".repeat(16), 1],
];
const FIELDS = ["nonce", "type", "time", "expires", "newest", "withdrawn"] as const;
const HEADER_FIELDS = ["alg", "typ", "kid", "crit"] as const;

export function makeStatement(random: () => number): string {
  const pick = (count: number) => Math.floor(random() * count);
  const time = pick(0xffffffff);
  const payload: Record<string, unknown> = {
    ...QUESTION,
    time,
    expires: time + 1 + pick(1000),
    newest: pick(3) === 0 ? pick(0xffffffff) : 0,
    withdrawn: Array.from({ length: pick(20) === 0 ? 17 : pick(17) }, () => hex(16, pick)),
    ...(pick(10) === 0 ? { more: { a: [1, 2, 3] } } : {}),
  };
  const holder = HOLDERS[pick(4) === 0 ? pick(HOLDERS.length) : pick(2)]!;
  const named = pick(12) === 0 ? HOLDERS[pick(HOLDERS.length)]! : holder;
  const header: Record<string, unknown> = {
    alg: "ES256",
    typ: "skyslot-freshness",
    kid: thumbprint(named.point),
    ...(pick(10) === 0 ? { jku: "https://example.com" } : {}),
  };
  if (pick(5) === 0) payload[FIELDS[pick(FIELDS.length)]!] = WRONG[pick(WRONG.length)];
  if (pick(12) === 0) payload.nonce = hex(32, pick);
  if (pick(10) === 0) header[HEADER_FIELDS[pick(HEADER_FIELDS.length)]!] = WRONG[pick(WRONG.length)];
  const signed = `${encode(header)}.${encode(payload)}`;
  const signature = sign("sha256", Buffer.from(signed), {
    key: holder.privateKey,
    dsaEncoding: "ieee-p1363",
  });
  const text = `${signed}.${signature.toString("base64url")}`;
  return pick(6) === 0 ? scratched(text, pick) : text;
}

const hex = (length: number, pick: (count: number) => number): string =>
  Array.from({ length }, () => pick(16).toString(16)).join("");

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

export async function judgeStatement(
  text: string,
): Promise<{ readonly device: boolean; readonly reference: boolean }> {
  return { device: isTaken(text), reference: await answers(text, { ...QUESTION, keys: KEYS }) };
}

/** As a device does, with Node's crypto for its effect. */
function isTaken(text: string): boolean {
  const parsed = parseStatement(text);
  if (!parsed.ok) return false;
  const key = checkStatement(ROOT, parsed.value, QUESTION);
  const { signedLength, signature } = parsed.value.signed;
  return key.ok && isGood(Buffer.from(text.slice(0, signedLength)), key.value, signature);
}
