// Whose signatures count: the one place that answers which keys may sign a release, how many of them it takes, and what else the trust root asks
// for. An image has either keys built in, or a root, which names the keys and can be replaced over the air (rotation.ts). Verifies nothing.
//
//   image without a root                     its own keys, one signature
//   image with a root, none or an older one stored      the image's
//   image with a root, the same or a newer one stored   the stored one: it descends from one of ours
//
// A device that is updated to an image with a root has migrated by that.

import { type Failure, fail, type Result, succeed } from "../errors.js";
import type { BuildSettings } from "../event.js";
import type { StoredValues } from "../stored.js";
import type { KeyPoint } from "../wire.js";
import { parseRoot, type Root } from "./root.js";
import { thumbprint } from "./thumbprint.js";

/** NVS key of the root. */
export const ROOT_KEY = "trust.root";

/** A key that is built into an image without a root. */
export interface BuiltInKey extends KeyPoint {
  readonly kid: string;
}

export interface Trust {
  /** Absent: the image has none. */
  readonly root: Root | undefined;
  /** Of an image without a root. */
  readonly keys: readonly BuiltInKey[];
}

export const NO_TRUST: Trust = Object.freeze({ root: undefined, keys: Object.freeze([]) });

/** What a boot finds, and what is wrong with it: a root that cannot be read counts as none. */
export function trustAtBoot(
  { keys, root: text }: Pick<BuildSettings, "keys" | "root">,
  stored: StoredValues,
): { readonly trust: Trust; readonly problem: Failure<"ROOT_REFUSED"> | undefined } {
  if (text === undefined || text === "") return { trust: { root: undefined, keys }, problem: undefined };
  const builtIn = parseRoot(text);
  if (!builtIn.ok) return { trust: { root: undefined, keys }, problem: builtIn.failure };
  const { root } = builtIn.value;
  const found = stored[ROOT_KEY];
  const kept = found === undefined ? undefined : parseRoot(found);
  const isKept = kept?.ok === true && kept.value.root.version >= root.version;
  return {
    trust: { root: isKept ? kept.value.root : root, keys: NO_KEYS },
    problem: kept?.ok === false ? kept.failure : undefined,
  };
}
const NO_KEYS: readonly BuiltInKey[] = Object.freeze([]);

/** The key with this id, if it may sign releases. */
export function releaseKey({ root, keys }: Trust, keyId: string): KeyPoint | undefined {
  if (!root) return keys.find(({ kid }) => kid === keyId);
  for (const index of root.release) {
    const key = root.keys[index];
    if (key && thumbprint(key) === keyId) return key;
  }
  return undefined;
}

/** How many keys have to have signed a release. */
export const releaseThreshold = ({ root }: Trust): number => root?.releaseThreshold ?? 1;

/** Ids of the keys that may sign releases. */
export const releaseKeyIds = ({ root, keys }: Trust): readonly string[] =>
  root
    ? root.release.flatMap((index) => (root.keys[index] ? [thumbprint(root.keys[index])] : []))
    : keys.map(({ kid }) => kid);

/**
 * Whether this root may still be relied on, and is new enough for a release. @param time seconds since 1970, as far as the device knows
 * Errors: ROOT_EXPIRED, ROOT_TOO_OLD.
 */
export function checkRoot(
  { root }: Trust,
  { minRoot = 0 }: { readonly minRoot?: number },
  time: number,
): Result<undefined> {
  const version = root?.version ?? 0;
  if (minRoot > version)
    return fail("ROOT_TOO_OLD", `release needs trust root ${minRoot}, this device has ${version || "none"}`);
  if (root && time > root.expires)
    return fail("ROOT_EXPIRED", `trust root ${version} expired ${time - root.expires} seconds ago`);
  return succeed(undefined);
}
