// Whether a text is a manifest that enough release keys have signed, decided a second time from firmware/core/wire.ts, with JSON.parse and jose. Shares no
// code with the device's. What the manifest asks of a device is not judged here.

import { calculateJwkThumbprint, flattenedVerify, importJWK, type JWK } from "jose";
import { bytesIn, decode, isCount, isObject, parse } from "./reading.js";

interface Part {
  readonly protected: string;
  readonly signature: string;
}

/** @param threshold signatures by different keys that it needs */
export async function isSigned(text: string, keys: readonly JWK[], threshold: number): Promise<boolean> {
  const isGeneral = text.startsWith("{");
  const whole = isGeneral ? generalParts(text) : compactParts(text);
  if (!whole) return false;
  const fields = parse(decode(whole.payload));
  if (!isObject(fields) || isGeneral !== (fields.format === 3)) return false;
  if (text.length > (fields.format === 1 ? 6144 : 1536) || !isManifest(fields)) return false;
  const good = new Set<string>();
  const seen = new Set<string>();
  for (const part of whole.parts) {
    const header = parse(decode(part.protected));
    if (!isObject(header) || header.alg !== "ES256" || header.typ !== "skyslot-release" || "crit" in header)
      return false;
    const { kid } = header;
    if (typeof kid !== "string" || kid.length > 64 || bytesIn(part.signature) !== 64) return false;
    // a key counts by its first signature
    if (seen.has(kid)) continue;
    seen.add(kid);
    for (const key of keys)
      if ((await calculateJwkThumbprint(key)) === kid && (await isGood(whole.payload, part, key)))
        good.add(kid);
  }
  return good.size >= threshold;
}

function compactParts(text: string) {
  const [header = "", payload = "", signature = "", ...more] = text.split(".");
  if (more.length > 0 || header === "" || payload === "" || signature === "") return undefined;
  return { payload, parts: [{ protected: header, signature }] };
}

function generalParts(
  text: string,
): { readonly payload: string; readonly parts: readonly Part[] } | undefined {
  const envelope = parse(text);
  if (!isObject(envelope) || typeof envelope.payload !== "string" || !Array.isArray(envelope.signatures))
    return undefined;
  const parts: unknown[] = envelope.signatures;
  if (parts.length < 1 || parts.length > 2 || !parts.every(isPart)) return undefined;
  return { payload: envelope.payload, parts: parts as Part[] };
}

const isPart = (part: unknown): boolean =>
  isObject(part) && typeof part.protected === "string" && typeof part.signature === "string";

async function isGood(payload: string, part: Part, key: JWK): Promise<boolean> {
  try {
    await flattenedVerify({ payload, ...part }, await importJWK(key, "ES256"), { algorithms: ["ES256"] });
    return true;
  } catch {
    return false;
  }
}

type Rule = (value: unknown) => boolean;
const text =
  (pattern: RegExp): Rule =>
  (value) =>
    typeof value === "string" && pattern.test(value);
const count =
  (least: number, most: number): Rule =>
  (value) =>
    isCount(value, least) && value <= most;
const NAME = text(/^[A-Za-z0-9_.-]{1,64}$/);
const HEX = text(/^[0-9a-f]{64}$/);
/** Semantic Versioning 2.0.0, a `v` allowed. */
const SEMVER =
  /^v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-((0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*))?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/;
const version =
  (pattern: RegExp): Rule =>
  (value) =>
    text(pattern)(value) && SEMVER.test(value as string);
const TIME = count(0, 0xffffffff);

const RULES: Readonly<Record<string, Rule>> = {
  type: NAME,
  hardware: NAME,
  chip: NAME,
  version: version(/^[A-Za-z0-9_.-]{1,32}$/),
  build: count(0, 999_999_999),
  size: count(1, 16 * 1024 * 1024),
  sha256: HEX,
  imageSha256: HEX,
  chunkSize: (value) => count(1, 1024 * 1024)(value) && (value as number) % 4096 === 0,
  securityVersion: TIME,
  protocolVersion: count(0, 255),
  created: TIME,
};
const OPTIONAL: Readonly<Record<string, Rule>> = {
  nvs: NAME,
  expires: TIME,
  minCurrentVersion: version(/^[A-Za-z0-9_.+-]{1,48}$/),
  minCompatible: version(/^[A-Za-z0-9_.+-]{1,32}$/),
  sequence: count(1, 0xffffffff),
  minRoot: count(1, 0xffffffff),
};

function isManifest(fields: Record<string, unknown>): boolean {
  if (![1, 2, 3].includes(fields.format as number)) return false;
  for (const [name, rule] of Object.entries(RULES)) if (!rule(fields[name])) return false;
  for (const [name, rule] of Object.entries(OPTIONAL))
    if (name in fields && !rule(fields[name])) return false;
  const chunks = Math.ceil((fields.size as number) / (fields.chunkSize as number));
  const [digests, amount, most] =
    fields.format === 1 ? [fields.chunks, chunks, 1024] : [fields.pages, Math.ceil(chunks / 64), 8];
  return amount <= most && typeof digests === "string" && bytesIn(digests) === amount * 32;
}
