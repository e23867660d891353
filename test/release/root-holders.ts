// People who hold keys, for tests of trust roots: real keys, made once.

import type { KeyPoint } from "../../firmware/core/wire.js";
import { type KeyPair, makeReleaseKeys } from "../../release/keys.js";
import { type RootFile, signRoot } from "../../release/root.js";
import { draftRoot, type RootPlan } from "../../release/root-draft.js";

export type Holder = "ann" | "ben" | "cleo" | "dora" | "release" | "release2" | "online";

const made = new Map<Holder, Promise<KeyPair>>();

export function keysOfHolder(name: Holder): Promise<KeyPair> {
  const known = made.get(name) ?? makeReleaseKeys();
  made.set(name, known);
  return known;
}

export async function pointOf(name: Holder): Promise<KeyPoint> {
  const { x = "", y = "" } = (await keysOfHolder(name)).publicKey;
  return { x, y };
}

export const EXPIRES = 1_900_000_000;

/** Two of ann, ben and cleo sign roots; one release key, one freshness key. */
export async function planOfThree(changes: Partial<RootPlan> = {}): Promise<RootPlan> {
  return {
    version: 1,
    expires: EXPIRES,
    threshold: 2,
    releaseThreshold: 1,
    minSecurityVersion: 0,
    fastForward: [],
    root: await Promise.all((["ann", "ben", "cleo"] as const).map(pointOf)),
    release: [await pointOf("release")],
    freshness: [await pointOf("online")],
    ...changes,
  };
}

/** @param previous with its keys a holder may sign, too */
export async function signedBy(
  draft: RootFile,
  names: readonly Holder[],
  previous?: RootFile["root"],
): Promise<RootFile> {
  let file = draft;
  for (const name of names) file = await signRoot(file, (await keysOfHolder(name)).privateKey, previous);
  return file;
}

/** The first root, signed by ann and ben. */
export const firstRoot = async (changes: Partial<RootPlan> = {}): Promise<RootFile> =>
  signedBy(await draftRoot(await planOfThree(changes)), ["ann", "ben"]);
