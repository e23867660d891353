// Makes roots, and the next one from one that is there: who is in which role, and how many of them have to sign. The result is a draft, which
// nobody has signed.

import { base64url, importJWK } from "jose";
import type { FastForward, Root } from "../firmware/core/trust/root.js";
import { type KeyPoint, MAX_ROOT_LENGTH, type RootPayload } from "../firmware/core/wire.js";
import { KeyError } from "./error.js";
import { jwkOf, keyIdOf, type RootFile, readRoot, refusal } from "./root.js";

export const ROLES = Object.freeze(["root", "release", "freshness"] as const);
export type Role = (typeof ROLES)[number];

/** What a root says, with its keys by their roles. */
export interface RootPlan
  extends Pick<RootPayload, "version" | "expires" | "threshold" | "releaseThreshold" | "minSecurityVersion">,
    Readonly<Record<Role, readonly KeyPoint[]>> {
  readonly fastForward: readonly FastForward[];
}

export const planOf = (root: Root): RootPlan => ({
  ...root,
  root: keysOf(root, "root"),
  release: keysOf(root, "release"),
  freshness: keysOf(root, "freshness"),
});

export const keysOf = (root: Root, role: Role): readonly KeyPoint[] =>
  root[role].map((index) => root.keys[index] as KeyPoint);

/** A signature in the text of a root, with what separates it from the next: characters, at least. */
const SIGNATURE_LENGTH = 190;

/**
 * @param previous the root before; absent: this is the first
 * @throws ReleaseError ROOT_REFUSED, KeyError for a key that is no point of P-256
 */
export async function draftRoot(plan: RootPlan, previous?: Root): Promise<RootFile> {
  const { version, expires, threshold, releaseThreshold, minSecurityVersion, fastForward } = plan;
  const keys: KeyPoint[] = [];
  const place = ({ x, y }: KeyPoint): number => {
    const known = keys.findIndex((key) => isSame(key, { x, y }));
    return known >= 0 ? known : keys.push({ x, y }) - 1;
  };
  const [root, release, freshness] = ROLES.map((role) => plan[role].map(place));
  for (const key of keys)
    await importJWK(jwkOf(key), "ES256").catch((cause) => {
      throw new KeyError(`the key with x ${key.x} is no point of P-256`, { cause });
    });
  const payload = {
    ...{ version, expires, threshold, keys, root, release, freshness, releaseThreshold, minSecurityVersion },
    ...(fastForward.length === 0
      ? {}
      : { fastForward: Object.fromEntries(fastForward.map(({ type, sequence }) => [type, sequence])) }),
  };
  const text = JSON.stringify({ payload: base64url.encode(JSON.stringify(payload)), signatures: [] });
  const draft = readRoot(text);
  const needed = previous === undefined ? threshold : Math.max(threshold, previous.threshold);
  const length = text.length + needed * SIGNATURE_LENGTH;
  if (length > MAX_ROOT_LENGTH)
    throw refusal(
      `with ${keys.length} keys and ${needed} signatures the root has ${length} characters, devices read ${MAX_ROOT_LENGTH}: it needs fewer keys, or a lower threshold`,
    );
  return draft;
}

/** Changes between a root and the next one. */
export interface RootChanges
  extends Partial<Pick<RootPlan, "threshold" | "releaseThreshold" | "minSecurityVersion">> {
  /** Seconds since 1970. */
  readonly expires: number;
  readonly add?: readonly (readonly [role: Role, key: KeyPoint])[];
  /** By the whole id of a key, or the first characters of it. */
  readonly remove?: readonly (readonly [role: Role, keyId: string])[];
  /** Joins those of the root before; for a type that is there it takes its place. */
  readonly fastForward?: readonly FastForward[];
}

/** The next root. @throws ReleaseError ROOT_REFUSED, KeyError */
export async function nextRoot(held: Root, changes: RootChanges): Promise<RootFile> {
  const { add = [], remove = [], fastForward = [], ...fields } = changes;
  const before = planOf(held);
  const roles = { root: before.root, release: before.release, freshness: before.freshness };
  for (const [role, keyId] of remove) {
    const gone = await findKey(roles[role], keyId, `${role} key of root ${held.version}`);
    roles[role] = roles[role].filter((key) => key !== gone);
  }
  for (const [role, key] of add) {
    if (roles[role].some((known) => isSame(known, key)))
      throw new KeyError(`key ${await keyIdOf(key)} is a ${role} key already`);
    roles[role] = [...roles[role], key];
  }
  const types = new Set(fastForward.map(({ type }) => type));
  const kept = before.fastForward.filter(({ type }) => !types.has(type));
  const plan = {
    ...before,
    ...fields,
    ...roles,
    version: held.version + 1,
    fastForward: [...kept, ...fastForward],
  };
  if (plan.minSecurityVersion < held.minSecurityVersion)
    throw refusal(`the least security version is ${held.minSecurityVersion}, and never falls`);
  return draftRoot(plan, held);
}

/** Shortest beginning of a key's id that names it. */
const MIN_PREFIX_LENGTH = 6;

/** @param what it should be, for the message @throws KeyError unless it is one of these */
export async function findKey(keys: readonly KeyPoint[], keyId: string, what: string): Promise<KeyPoint> {
  if (keyId.length < MIN_PREFIX_LENGTH)
    throw new KeyError(
      `"${keyId}" is too short: a key is named by ${MIN_PREFIX_LENGTH} or more characters of its id`,
    );
  const found: KeyPoint[] = [];
  for (const key of keys) if ((await keyIdOf(key)).startsWith(keyId)) found.push(key);
  const [key] = found;
  if (key === undefined) throw new KeyError(`${keyId} is no ${what}`);
  if (found.length > 1) throw new KeyError(`${keyId} is the beginning of several keys`);
  return key;
}

const isSame = (one: KeyPoint, other: KeyPoint): boolean => one.x === other.x && one.y === other.y;
