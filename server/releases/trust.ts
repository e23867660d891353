// Whose signatures count for what is uploaded: the release keys of the newest trust root, or, while there is none, the keys that the server was
// started with. What a device would refuse because of its root is refused here already.

import type { JWK } from "jose";
import type { Root } from "../../firmware/core/trust/root.js";
import type { Release } from "../../firmware/core/update/release.js";
import { jwkOf, readRoot } from "../../release/root.js";
import { keysOf } from "../../release/root-draft.js";
import { type ReadRelease, verifyReleaseSignature } from "../../release/signing.js";
import { Refusal } from "../shared/refusal.js";
import type { Store } from "../store/store.js";

export interface Trust {
  /** Empty: only devices check signatures. */
  readonly keys: readonly JWK[];
  /** Signatures by different keys that a release needs. */
  readonly threshold: 1 | 2;
  readonly root: Root | undefined;
}

/** @param configured keys that the server was started with */
export async function findTrust(
  store: Pick<Store, "findNewestRoot">,
  configured: readonly JWK[],
): Promise<Trust> {
  const stored = await store.findNewestRoot();
  if (!stored) return { keys: configured, threshold: 1, root: undefined };
  const { root } = readRoot(stored.text);
  return { keys: keysOf(root, "release").map(jwkOf), threshold: root.releaseThreshold, root };
}

/** @throws ReleaseError KEY_UNKNOWN, SIGNATURE_INVALID, SIGNATURE_MISSING, Refusal ROOT_TOO_OLD, SECURITY_VERSION_TOO_OLD */
export async function requireTrusted(
  { jws, release }: Pick<ReadRelease, "jws" | "release">,
  { keys, threshold, root }: Trust,
): Promise<void> {
  if (keys.length > 0) await verifyReleaseSignature({ jws }, keys, threshold);
  requireRoot(release, root);
  if (root && release.securityVersion < root.minSecurityVersion)
    throw new Refusal(
      "SECURITY_VERSION_TOO_OLD",
      `the release has security version ${release.securityVersion}, trust root ${root.version} asks for ${root.minSecurityVersion}`,
    );
}

function requireRoot({ minRoot }: Release, root: Root | undefined): void {
  if (minRoot === undefined || (root && root.version >= minRoot)) return;
  throw new Refusal(
    "ROOT_TOO_OLD",
    `the release needs trust root ${minRoot}, ${root ? `the newest one here is ${root.version}` : "there is none here"}: publish it first`,
  );
}
