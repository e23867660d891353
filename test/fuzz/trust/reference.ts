// Which trust root may follow another one, decided a second time from its description in firmware/core/wire.ts, with JSON.parse and jose: what a
// device decides is compared with this. Shares no code with it.

import { flattenedVerify, importJWK, type JWK } from "jose";
import { bytesIn, decode, isCount, isObject, parse } from "./reading.js";

interface Point {
  readonly x: string;
  readonly y: string;
}
export interface ReferenceRoot {
  readonly version: number;
  readonly threshold: number;
  readonly keys: readonly Point[];
  readonly root: readonly number[];
  readonly minSecurityVersion: number;
}

/** The root, or undefined if it is none. */
export function readReference(text: string): (ReferenceRoot & { readonly envelope: Envelope }) | undefined {
  if (text.length > 1536) return undefined;
  const envelope = parse(text) as Envelope | undefined;
  if (!isObject(envelope) || typeof envelope.payload !== "string" || !Array.isArray(envelope.signatures))
    return undefined;
  if (envelope.signatures.length < 1 || envelope.signatures.length > 5) return undefined;
  const root = parse(decode(envelope.payload)) as ReferenceRoot & Record<string, unknown>;
  if (!isObject(root)) return undefined;
  const { version, expires, threshold, keys, release, freshness, releaseThreshold, minSecurityVersion } =
    root;
  if (!isCount(version, 1) || !isCount(expires, 0) || !isCount(minSecurityVersion, 0)) return undefined;
  if (!Array.isArray(keys) || keys.length > 10 || !keys.every(isPoint)) return undefined;
  if (new Set(keys.map(({ x, y }) => `${x} ${y}`)).size !== keys.length) return undefined;
  const roles = [root.root, release, freshness] as const;
  if (!roles.every((role, i) => isRole(role, keys.length, [5, 8, 3][i] ?? 0))) return undefined;
  if (!isCount(threshold, 1) || threshold > root.root.length) return undefined;
  const releases = (release as number[]).length;
  if ((releaseThreshold !== 1 && releaseThreshold !== 2) || releaseThreshold > releases) return undefined;
  if ("fastForward" in root && !isFastForward(root.fastForward)) return undefined;
  return { ...root, envelope };
}

interface Envelope {
  readonly payload: string;
  readonly signatures: readonly { readonly protected: string; readonly signature: string }[];
}

/** Whether `text` is the root after `held`. */
export async function follows(held: ReferenceRoot, text: string): Promise<boolean> {
  const next = readReference(text);
  if (!next) return false;
  const signers = { old: new Set<string>(), new: new Set<string>() };
  for (const entry of next.envelope.signatures) {
    const header =
      isObject(entry) && typeof entry.protected === "string" ? parse(decode(entry.protected)) : undefined;
    if (!isObject(header) || typeof entry.signature !== "string") return false;
    const { alg, typ, key, of, crit } = header as Record<string, unknown>;
    if (alg !== "ES256" || typ !== "skyslot-root" || crit !== undefined) return false;
    if (!isCount(key, 0) || key > 9 || (of !== "new" && of !== "old")) return false;
    if (bytesIn(entry.signature) !== 64) return false;
    const list = of === "new" ? next : held;
    const point = list.root.includes(key) ? list.keys[key] : undefined;
    if (!point || !(await isGood(next.envelope.payload, entry, point))) continue;
    const name = `${point.x} ${point.y}`;
    if (isSigner(held, name)) signers.old.add(name);
    if (isSigner(next, name)) signers.new.add(name);
  }
  return (
    next.version === held.version + 1 &&
    next.minSecurityVersion >= held.minSecurityVersion &&
    signers.old.size >= held.threshold &&
    signers.new.size >= next.threshold
  );
}

const isSigner = ({ keys, root }: ReferenceRoot, name: string): boolean =>
  root.some((index) => `${keys[index]?.x} ${keys[index]?.y}` === name);

async function isGood(
  payload: string,
  entry: Envelope["signatures"][number],
  { x, y }: Point,
): Promise<boolean> {
  try {
    const key = await importJWK({ kty: "EC", crv: "P-256", x, y } as JWK, "ES256");
    await flattenedVerify({ payload, protected: entry.protected, signature: entry.signature }, key, {
      algorithms: ["ES256"],
    });
    return true;
  } catch {
    return false;
  }
}

const isPoint = (value: unknown): value is Point =>
  isObject(value) && [value.x, value.y].every((one) => typeof one === "string" && bytesIn(one) === 32);
const isRole = (value: unknown, keyCount: number, most: number): boolean =>
  Array.isArray(value) &&
  value.length <= most &&
  new Set(value).size === value.length &&
  value.every((index) => isCount(index, 0) && index < keyCount);
const isFastForward = (value: unknown): boolean =>
  isObject(value) &&
  Object.keys(value).length <= 4 &&
  Object.entries(value).every(
    ([type, sequence]) => /^[A-Za-z0-9_.-]{1,64}$/.test(type) && isCount(sequence, 1),
  );
