// The trust root: a document that names the keys whose signatures count, and the only one that may replace itself. Read here, and compared with
// the root before; who verifies the signatures is rotation.ts, by effects. Nothing of it may be trusted before that.
//
//   {"payload":"<base64url of RootPayload>","signatures":[{"protected":"…","signature":"…"}, …]}      RFC 7515, 7.2.1
//
// Root N + 1 is accepted by who holds N if the threshold of N *and* its own are reached, each by different keys (TUF 5.3.4). So an attacker with fewer
// keys than the threshold cannot replace it, and nobody can be led past a version that has revoked a key.

import { base64UrlDecode, utf8Decode } from "../bytes.js";
import { fail, type Result, succeed } from "../errors.js";
import type { FastForward, Root } from "../event.js";
import { asJsonObject, type JsonObject, type JsonValue, readJsonObject } from "../json.js";
import {
  type KeyPoint,
  MAX_FAST_FORWARD_COUNT,
  MAX_FRESHNESS_KEY_COUNT,
  MAX_RELEASE_KEY_COUNT,
  MAX_ROOT_KEY_COUNT,
  MAX_ROOT_LENGTH,
  MAX_ROOT_SIGNATURE_COUNT,
  MAX_ROOT_SIGNER_COUNT,
  ROOT_TYPE,
} from "../wire.js";

export type { FastForward, Root } from "../event.js";

/** One signature of a root, by a key of this root or of the one before. */
export interface RootSignature {
  /** The protected header as it was signed: what is signed are this, a dot and the payload. */
  readonly header: string;
  readonly key: number;
  readonly of: "new" | "old";
  /** r and s, 32 bytes each. */
  readonly signature: Uint8Array;
}

/** A root that nobody has verified yet. */
export interface SignedRoot {
  readonly root: Root;
  /** Where the payload is in the text. */
  readonly payloadStart: number;
  readonly payloadEnd: number;
  readonly signatures: readonly RootSignature[];
}

/** What a signature proves if it is good: whose it is, by the index of the key in the old root and in the new one; -1: it does not count there. */
export interface RootVote {
  readonly point: KeyPoint;
  readonly oldKey: number;
  readonly newKey: number;
}

/** Keys that have signed, one bit each by their indices, so that none counts twice. */
export interface RootVotes {
  readonly old: number;
  readonly new: number;
}
export const NO_VOTES: RootVotes = Object.freeze({ old: 0, new: 0 });

const SIGNATURE_BYTES = 64;
const COORDINATE_BYTES = 32;
/** Year 2106, and any count of a manifest. */
const MAX_NUMBER = 0xffffffff;

/** Reads a root. Errors: ROOT_REFUSED, with a sentence. */
export function parseRoot(text: string): Result<SignedRoot, "ROOT_REFUSED"> {
  if (text.length > MAX_ROOT_LENGTH)
    return refused(`it is ${text.length} characters long, at most ${MAX_ROOT_LENGTH} are read`);
  const envelope = readJsonObject(text);
  const payload = envelope?.get("payload");
  const entries = envelope?.get("signatures");
  if (typeof payload !== "string" || !isList(entries))
    return refused("it is no JWS in General JSON Serialization");
  const payloadStart = text.indexOf(payload);
  if (payloadStart < 0) return refused("its payload is not base64url");
  if (entries.length === 0 || entries.length > MAX_ROOT_SIGNATURE_COUNT)
    return refused(`it has ${entries.length} signatures, 1 to ${MAX_ROOT_SIGNATURE_COUNT} are read`);
  const signatures: RootSignature[] = [];
  for (const entry of entries) {
    const signature = readSignature(asJsonObject(entry));
    if (!signature)
      return refused(
        `each signature needs a header of alg ES256, typ ${ROOT_TYPE}, key and of, and 64 bytes`,
      );
    signatures.push(signature);
  }
  const fields = readEncoded(payload);
  const root = fields ? readRoot(fields) : "its payload is not a JSON object";
  if (typeof root === "string") return refused(root);
  return succeed({ root, payloadStart, payloadEnd: payloadStart + payload.length, signatures });
}

/**
 * The first question to a root that would follow another: whether it may follow at all, whatever its signatures.
 * Errors: ROOT_REFUSED, with a sentence.
 */
export function checkSuccessor(held: Root, { root, signatures }: SignedRoot): Result<Root, "ROOT_REFUSED"> {
  if (root.version !== held.version + 1)
    return refused(`it is version ${root.version}, after version ${held.version} comes ${held.version + 1}`);
  if (root.minSecurityVersion < held.minSecurityVersion)
    return refused(
      `its least security version is ${root.minSecurityVersion}, that of the root before is ${held.minSecurityVersion}`,
    );
  let most: RootVotes = NO_VOTES;
  for (const signature of signatures) {
    const vote = voteOf(held, root, signature);
    if (vote) most = withVote(most, vote);
  }
  return isElected(held, root, most) ? succeed(root) : refused(votesMissing(held, root, most));
}

/** Whose signature this is said to be; `undefined`: of nobody who may sign a root, so that it need not be verified. */
export function voteOf(held: Root, root: Root, { of, key }: RootSignature): RootVote | undefined {
  const point = (of === "new" ? root : held).keys[key];
  if (!point) return undefined;
  const oldKey = signerIndex(held, point);
  const newKey = signerIndex(root, point);
  const isSigner = (of === "new" ? newKey : oldKey) >= 0;
  return isSigner ? { point, oldKey, newKey } : undefined;
}

/** One more good signature. */
export const withVote = (votes: RootVotes, { oldKey, newKey }: RootVote): RootVotes => ({
  old: votes.old | (oldKey < 0 ? 0 : 1 << oldKey),
  new: votes.new | (newKey < 0 ? 0 : 1 << newKey),
});

/** Whether both thresholds are reached. */
export const isElected = (held: Root, root: Root, votes: RootVotes): boolean =>
  bitCount(votes.old) >= held.threshold && bitCount(votes.new) >= root.threshold;

/** Why not. */
export const votesMissing = (held: Root, root: Root, votes: RootVotes): string =>
  `it is signed by ${bitCount(votes.old)} keys of version ${held.version}, which asks for ${held.threshold}, and by ${bitCount(votes.new)} of its own, of which it asks for ${root.threshold}`;

export const refused = (message: string) => fail("ROOT_REFUSED", `trust root: ${message}`);

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest >>= 1) count += rest & 1;
  return count;
}

/** The index of a key that may sign roots; -1: it is none of these. */
function signerIndex({ keys, root }: Root, { x, y }: KeyPoint): number {
  for (const index of root) {
    const key = keys[index];
    if (key?.x === x && key.y === y) return index;
  }
  return -1;
}

function readSignature(entry: JsonObject | undefined): RootSignature | undefined {
  const header = entry?.get("protected");
  const encoded = entry?.get("signature");
  if (typeof header !== "string" || typeof encoded !== "string") return undefined;
  const fields = readEncoded(header);
  const signature = base64UrlDecode(encoded);
  if (!fields || signature?.length !== SIGNATURE_BYTES) return undefined;
  // what is critical (RFC 7515, 4.1.11) is not known here
  if (fields.get("alg") !== "ES256" || fields.get("typ") !== ROOT_TYPE || fields.has("crit"))
    return undefined;
  const key = fields.get("key");
  const of = fields.get("of");
  if (!isNumber(key, 0, MAX_ROOT_KEY_COUNT - 1) || (of !== "new" && of !== "old")) return undefined;
  return { header, key, of, signature };
}

/** The payload, or a sentence that says what is wrong. */
function readRoot(fields: JsonObject): Root | string {
  const version = fields.get("version");
  const expires = fields.get("expires");
  const threshold = fields.get("threshold");
  const releaseThreshold = fields.get("releaseThreshold");
  const minSecurityVersion = fields.get("minSecurityVersion");
  if (!isNumber(version, 1, MAX_NUMBER)) return "version is not a number of 1 or more";
  if (!isNumber(expires, 0, MAX_NUMBER)) return "expires is not a time in seconds";
  const keys = readKeys(fields.get("keys"));
  if (typeof keys === "string") return keys;
  const root = readRole(fields.get("root"), keys.length, MAX_ROOT_SIGNER_COUNT);
  const release = readRole(fields.get("release"), keys.length, MAX_RELEASE_KEY_COUNT);
  const freshness = readRole(fields.get("freshness"), keys.length, MAX_FRESHNESS_KEY_COUNT);
  if (!root || !release || !freshness)
    return `root, release and freshness are different indices of keys, at most ${MAX_ROOT_SIGNER_COUNT}, ${MAX_RELEASE_KEY_COUNT} and ${MAX_FRESHNESS_KEY_COUNT}`;
  if (!isNumber(threshold, 1, root.length)) return `threshold is not a number of 1 to ${root.length}`;
  if (!isNumber(releaseThreshold, 1, Math.min(2, release.length)))
    return `releaseThreshold is not a number of 1 to ${Math.min(2, release.length)}`;
  if (!isNumber(minSecurityVersion, 0, MAX_NUMBER)) return "minSecurityVersion is not a number";
  const fastForward = readFastForward(fields);
  if (!fastForward) return `fastForward is not a sequence of at most ${MAX_FAST_FORWARD_COUNT} types`;
  const isTwo = releaseThreshold === 2;
  return {
    version,
    expires,
    threshold,
    keys,
    root,
    release,
    freshness,
    releaseThreshold: isTwo ? 2 : 1,
    minSecurityVersion,
    fastForward,
  };
}

function readKeys(value: JsonValue | undefined): readonly KeyPoint[] | string {
  if (!isList(value) || value.length > MAX_ROOT_KEY_COUNT)
    return `keys is not a list of at most ${MAX_ROOT_KEY_COUNT}`;
  const keys: KeyPoint[] = [];
  for (const one of value) {
    const fields = asJsonObject(one);
    const x = fields?.get("x");
    const y = fields?.get("y");
    if (!isCoordinate(x) || !isCoordinate(y)) return `key ${keys.length} is not a point of P-256`;
    if (keys.some((key) => key.x === x && key.y === y)) return `key ${keys.length} is there twice`;
    keys.push({ x, y });
  }
  return keys;
}

const isCoordinate = (value: JsonValue | undefined): value is string =>
  typeof value === "string" && base64UrlDecode(value)?.length === COORDINATE_BYTES;

function readRole(
  value: JsonValue | undefined,
  keyCount: number,
  maxCount: number,
): readonly number[] | undefined {
  if (!isList(value) || value.length > maxCount) return undefined;
  const indices: number[] = [];
  for (const index of value) {
    if (!isNumber(index, 0, keyCount - 1) || indices.includes(index)) return undefined;
    indices.push(index);
  }
  return indices;
}

function readFastForward(fields: JsonObject): readonly FastForward[] | undefined {
  if (!fields.has("fastForward")) return NO_FAST_FORWARD;
  const value = asJsonObject(fields.get("fastForward"));
  if (!value || value.size > MAX_FAST_FORWARD_COUNT) return undefined;
  const all: FastForward[] = [];
  for (const [type, sequence] of value) {
    if (!/^[\w.-]{1,64}$/.test(type) || !isNumber(sequence, 1, MAX_NUMBER)) return undefined;
    all.push({ type, sequence });
  }
  return all;
}
const NO_FAST_FORWARD: readonly FastForward[] = Object.freeze([]);

const isNumber = (value: JsonValue | undefined, minimum: number, maximum: number): value is number =>
  Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum;

const isList = (value: JsonValue | undefined): value is readonly JsonValue[] => Array.isArray(value);

function readEncoded(text: string): JsonObject | undefined {
  const bytes = base64UrlDecode(text);
  const json = bytes && utf8Decode(bytes);
  return json === undefined ? undefined : readJsonObject(json);
}
