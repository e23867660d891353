// Takes trust roots into the store, and tells devices of them. A server cannot make one: it only keeps what devices verify, and refuses what
// they would refuse.

import type { Root } from "../../firmware/core/trust/root.js";
import { ROOTS_PATH } from "../../firmware/core/wire.js";
import { type RootFile, readRoot, refusal, verifyRoot } from "../../release/root.js";
import type { Journal } from "../events/journal.js";
import type { Store, StoredRoot } from "../store/store.js";

/** Before a root expires people are warned for so long: its holders have to meet. */
export const EXPIRY_WARNING_MS = 30 * 24 * 60 * 60_000;

export const expiresSoon = ({ expires }: Pick<Root, "expires">, now: number): boolean =>
  expires * 1000 - now < EXPIRY_WARNING_MS;

/**
 * The first one may have any version, that of the root in the images; each other one follows the newest.
 * @throws ReleaseError ROOT_REFUSED, AlreadyExists
 */
export async function publishRoot(journal: Journal, text: string): Promise<RootFile> {
  const newest = await journal.store.findNewestRoot();
  const held = newest && readRoot(newest.text).root;
  const file = await verifyRoot(text, held);
  const { root } = file;
  if (!held && root.expires * 1000 <= journal.time)
    throw refusal(`trust root: it expired at ${new Date(root.expires * 1000).toISOString()}`);
  await journal.store.addRoot({ version: root.version, text: file.text, createdAt: journal.time });
  await journal.log({
    kind: "root.published",
    message: `trust root ${root.version} published: ${describe(root)}`,
  });
  return file;
}

const describe = ({ threshold, root, release, releaseThreshold, expires }: Root): string =>
  `${threshold} of ${root.length} keys sign the next one, ${releaseThreshold} of ${release.length} a release; it expires on ${new Date(expires * 1000).toISOString().slice(0, 10)}`;

/**
 * Where a device finds the root after its own; `undefined`: there is none, or it did not say which it has.
 * @param version of the root that it has
 */
export async function findRootPath(
  store: Pick<Store, "findRoot">,
  version: number | undefined,
): Promise<string | undefined> {
  if (version === undefined) return undefined;
  const next = await store.findRoot(version + 1);
  return next && `${ROOTS_PATH}${next.version}`;
}

/** Of each root by its version; the root before one is the item after it. */
export const readRoots = (stored: readonly StoredRoot[]): readonly (StoredRoot & RootFile)[] =>
  stored.map((one) => ({ ...one, ...readRoot(one.text) }));
