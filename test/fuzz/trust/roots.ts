// Random roots that would follow another one: most are almost right. Of each, what a device decides is compared with the reference.

import { createPublicKey, verify } from "node:crypto";
import { parseRoot, type Root } from "../../../firmware/core/trust/root.js";
import { afterVote, nominate, verifyVote } from "../../../firmware/core/trust/rotation.js";
import type { RootPayload } from "../../../firmware/core/wire.js";
import { makeHolder, type RootSigner, signRoot } from "../../journey/ceremony.js";
import { follows, readReference } from "./reference.js";

/** Their keys are new in each run; everything else follows from the seed. */
const HOLDERS = Array.from({ length: 7 }, makeHolder);

export interface RootInput {
  readonly held: string;
  readonly next: string;
}

/** 0 to 1, from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function makeInput(random: () => number): RootInput {
  const pick = (count: number) => Math.floor(random() * count);
  const held = payloadOf(random, 1 + pick(3));
  const before = signRoot(held.payload, [{ holder: HOLDERS[held.holders[0] ?? 0]!, key: 0 }]);
  const base =
    pick(3) === 0 ? payloadOf(random, held.payload.version + 1) : { ...held, payload: { ...held.payload } };
  const payload = {
    ...base.payload,
    version: held.payload.version + (pick(12) === 0 ? pick(4) - 1 : 1),
  } as Record<string, unknown>;
  if (pick(4) === 0) spoil(payload, pick);
  const signers: RootSigner[] = Array.from({ length: 1 + pick(4) }, () => {
    const isOld = pick(3) === 0;
    const holders = isOld ? held.holders : base.holders;
    const key = pick(holders.length);
    // now and then somebody else's
    const holder = HOLDERS[pick(8) === 0 ? pick(HOLDERS.length) : (holders[key] ?? 0)]!;
    return { holder, key, of: isOld ? "old" : "new" };
  });
  const text = signRoot(payload as unknown as RootPayload, signers);
  return { held: before, next: pick(6) === 0 ? scratched(text, pick) : text };
}

/** With one to four keys of its own, in any roles. */
function payloadOf(random: () => number, version: number) {
  const pick = (count: number) => Math.floor(random() * count);
  const first = pick(HOLDERS.length);
  const holders = Array.from({ length: 2 + pick(3) }, (_, i) => (first + i) % HOLDERS.length);
  const root = holders.map((_, i) => i).slice(0, 1 + pick(holders.length));
  const payload: RootPayload = {
    version,
    expires: pick(0xffffffff),
    threshold: 1 + pick(Math.min(3, root.length)),
    keys: holders.map((index) => HOLDERS[index]!.point),
    root,
    release: [pick(holders.length)],
    freshness: [],
    releaseThreshold: 1,
    minSecurityVersion: pick(3),
    ...(pick(4) === 0 ? { fastForward: { base: 1 + pick(1000) } } : {}),
  };
  return { holders, payload };
}

const WRONG = [
  0,
  -1,
  1.5,
  3,
  4_294_967_296,
  "1",
  null,
  [],
  {},
  [0, 0],
  [9],
  [0, 1, 2, 3, 4, 5],
  undefined,
  { base: 0 },
  true,
];
const FIELDS = [
  "version",
  "expires",
  "threshold",
  "keys",
  "root",
  "release",
  "freshness",
  "releaseThreshold",
  "minSecurityVersion",
  "fastForward",
];

function spoil(payload: Record<string, unknown>, pick: (count: number) => number): void {
  const keys = payload.keys as readonly object[];
  const field = FIELDS[pick(FIELDS.length)]!;
  payload[field] =
    field === "keys" && pick(2) === 0 ? [...keys, keys[pick(keys.length)]] : WRONG[pick(WRONG.length)];
}

/** One character of the text changed, doubled or gone. */
export function scratched(text: string, pick: (count: number) => number): string {
  const at = pick(text.length);
  const other = 'AZaz09-_+=."{}[],: '[pick(19)] ?? "";
  return text.slice(0, at) + [other, "", text.charAt(at) + other][pick(3)] + text.slice(at + 1);
}

export interface Verdict {
  readonly device: boolean;
  readonly reference: boolean;
  /** How many signatures the device verified. */
  readonly verifications: number;
}

export async function judge({ held: before, next }: RootInput): Promise<Verdict | undefined> {
  const held = parseRoot(before);
  const known = readReference(before);
  if (!held.ok || !known) return undefined;
  const { accepted, verifications } = decide(held.value.root, next);
  return { device: accepted, reference: await follows(known, next), verifications };
}

/** What a device does, with Node's crypto for its effects. */
function decide(held: Root, text: string): { readonly accepted: boolean; readonly verifications: number } {
  const nominated = nominate(held, text);
  if (!nominated.ok) return { accepted: false, verifications: 0 };
  let candidate = nominated.value;
  for (let verifications = 1; ; verifications++) {
    const [effect] = verifyVote(held, candidate, 0);
    if (effect?.type !== "verifySignature") throw new Error("no signature to verify, and no verdict");
    const { key, head = "", manifest, signedStart = 0, signedLength, signature } = effect;
    const signed = Buffer.from(head + manifest.slice(signedStart, signedStart + signedLength));
    const after = afterVote(held, candidate, isGood(signed, key, signature));
    if (!after.ok) return { accepted: false, verifications };
    if (!("signed" in after.value)) return { accepted: true, verifications };
    candidate = after.value;
  }
}

export function isGood(
  signed: Buffer,
  point: { readonly x: string; readonly y: string },
  signature: Uint8Array,
): boolean {
  try {
    const key = createPublicKey({ key: { kty: "EC", crv: "P-256", ...point }, format: "jwk" });
    return verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, signature);
  } catch {
    return false;
  }
}
