// Random manifests of all formats: most are almost right. Of each, what a device decides about its form and its signatures is compared with the reference.

import { sign } from "node:crypto";
import type { JWK } from "jose";
import { thumbprint } from "../../../firmware/core/trust/thumbprint.js";
import type { Trust } from "../../../firmware/core/trust/trust.js";
import { parseRelease } from "../../../firmware/core/update/release.js";
import {
  afterSignature,
  beginVerification,
  verifyFirst,
} from "../../../firmware/core/update/verification.js";
import { makeHolder } from "../../journey/ceremony.js";
import { isSigned } from "./manifest-reference.js";
import { isGood, scratched } from "./roots.js";

/** The first two sign releases. */
const HOLDERS = [makeHolder(), makeHolder(), makeHolder()] as const;
const KEYS: readonly JWK[] = HOLDERS.slice(0, 2).map(({ point }) => ({ kty: "EC", crv: "P-256", ...point }));

export interface ManifestInput {
  readonly text: string;
  readonly threshold: 1 | 2;
}

const WRONG = [
  0,
  -1,
  1.5,
  256,
  4097,
  4_294_967_296,
  "",
  "1",
  "1.2",
  "01.2.3",
  "a b",
  null,
  [],
  {},
  undefined,
  true,
  "é",
];
const OPTIONAL: readonly (readonly [string, unknown])[] = [
  ["nvs", "plain"],
  ["expires", 1_900_000_000],
  ["minCurrentVersion", "1.0.0+7"],
  ["minCompatible", "1.0.0"],
  ["sequence", 1_795_000_000],
  ["minRoot", 2],
];

export function makeManifest(random: () => number): ManifestInput {
  const pick = (count: number) => Math.floor(random() * count);
  const format = 1 + pick(3);
  const chunkSize = pick(4) === 0 ? 32_768 : 16_384;
  const size = 1 + pick(pick(3) === 0 ? 16 * 1024 * 1024 : 700_000);
  const chunks = Math.ceil(size / chunkSize);
  const amount = (format === 1 ? chunks : Math.ceil(chunks / 64)) + (pick(15) === 0 ? 1 : 0);
  const digests = Buffer.alloc(32 * amount, pick(256)).toString("base64url");
  const payload: Record<string, unknown> = {
    format,
    type: "base",
    hardware: "esp32",
    chip: "esp32",
    version: ["1.2.3", "0.0.1-rc.1", "v2.0.0", "10.20.30"][pick(4)],
    build: pick(3) === 0 ? pick(1e9) : 0,
    size,
    sha256: "b".repeat(64),
    imageSha256: "c".repeat(64),
    chunkSize,
    securityVersion: pick(3),
    protocolVersion: pick(256),
    created: 1_790_000_000,
    [format === 1 ? "chunks" : "pages"]: digests,
  };
  for (const [name, value] of OPTIONAL) if (pick(4) === 0) payload[name] = value;
  if (pick(4) === 0) {
    const names = [...Object.keys(payload), ...OPTIONAL.map(([name]) => name)];
    payload[names[pick(names.length)]!] = WRONG[pick(WRONG.length)];
  }
  const encoded = encode(payload);
  const isGeneral = pick(20) === 0 ? pick(2) === 0 : format === 3;
  const text = isGeneral
    ? JSON.stringify({
        payload: encoded,
        signatures: Array.from({ length: 1 + pick(pick(8) === 0 ? 3 : 2) }, () => member(encoded, pick)),
      })
    : compact(member(encoded, pick), encoded);
  return { text: pick(6) === 0 ? scratched(text, pick) : text, threshold: pick(3) === 0 ? 2 : 1 };
}

function member(payload: string, pick: (count: number) => number) {
  const holder = HOLDERS[pick(5) === 0 ? pick(HOLDERS.length) : pick(2)]!;
  const named = pick(12) === 0 ? HOLDERS[pick(HOLDERS.length)]! : holder;
  const header: Record<string, unknown> = {
    alg: "ES256",
    typ: "skyslot-release",
    kid: thumbprint(named.point),
  };
  if (pick(14) === 0) header[["alg", "typ", "kid", "crit"][pick(4)]!] = WRONG[pick(WRONG.length)];
  const encoded = encode(header);
  const signed = Buffer.from(`${encoded}.${payload}`);
  const signature = sign("sha256", signed, { key: holder.privateKey, dsaEncoding: "ieee-p1363" });
  return { protected: encoded, signature: signature.toString("base64url") };
}

const compact = ({ protected: header, signature }: ReturnType<typeof member>, payload: string): string =>
  `${header}.${payload}.${signature}`;

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

export async function judgeManifest({
  text,
  threshold,
}: ManifestInput): Promise<{ readonly device: boolean; readonly reference: boolean }> {
  return { device: isTaken(text, trustOf(threshold)), reference: await isSigned(text, KEYS, threshold) };
}

const trustOf = (releaseThreshold: 1 | 2): Trust => ({
  keys: [],
  root: {
    version: 1,
    expires: 4_000_000_000,
    threshold: 1,
    keys: HOLDERS.map(({ point }) => point),
    root: [2],
    release: [0, 1],
    freshness: [],
    releaseThreshold,
    minSecurityVersion: 0,
    fastForward: [],
  },
});

/** As a device does, with Node's crypto for its effects. */
function isTaken(text: string, trust: Trust): boolean {
  const parsed = parseRelease(text);
  if (!parsed.ok) return false;
  const begun = beginVerification(trust, parsed.value.signatures, text);
  if (!begun.ok) return false;
  for (let verification = begun.value; ; ) {
    const [effect] = verifyFirst(verification, 0, text);
    if (effect?.type !== "verifySignature") throw new Error("no signature to verify, and no verdict");
    const { key, head = "", signedStart = 0, signedLength, signature } = effect;
    const signed = Buffer.from(head + text.slice(signedStart, signedStart + signedLength));
    const after = afterSignature(verification, isGood(signed, key, signature));
    if (!after.ok) return false;
    if (after.value === "signed") return true;
    verification = after.value;
  }
}
