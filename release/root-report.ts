// What a root says and who has signed it, for people and programs: the command line, the API and the pages show the same.

import type { FastForward, Root } from "../firmware/core/trust/root.js";
import type { KeyPoint } from "../firmware/core/wire.js";
import { bitsIn, countVotes, keyIdOf, type RootFile } from "./root.js";
import { keysOf, ROLES, type Role } from "./root-draft.js";

export interface RootReport {
  readonly version: number;
  /** ISO 8601. */
  readonly expires_at: string;
  /** Signatures by different root keys that the next root needs. */
  readonly threshold: number;
  /** Likewise by release keys, of a release. */
  readonly release_threshold: number;
  readonly min_security_version: number;
  readonly fast_forward: readonly FastForward[];
  readonly keys: readonly KeyReport[];
  /** Good signatures by root keys of the root before that are none of this one. */
  readonly signed_by_others: readonly string[];
  /** Signatures that are wrong, by nobody who may sign, or by a key of a root that is not known here. */
  readonly unknown_signatures: number;
  /** By its own root keys. */
  readonly missing: number;
  /** By the root keys of the root before; `null`: that one is not known here. */
  readonly missing_of_previous: number | null;
}

export interface KeyReport {
  readonly kid: string;
  readonly roles: readonly Role[];
  /** This root. */
  readonly has_signed: boolean;
}

/** @param previous the root before, if it is known */
export async function describeRoot(file: RootFile, previous?: Root): Promise<RootReport> {
  const { root } = file;
  const { votes, signers } = await countVotes(file, previous ?? root);
  const signed = new Set(await Promise.all(signers.filter((one) => one !== undefined).map(keyIdOf)));
  const keys = await Promise.all(root.keys.map((key) => describeKey(root, key, signed)));
  const own = new Set(keys.filter(({ roles }) => roles.includes("root")).map(({ kid }) => kid));
  return {
    version: root.version,
    expires_at: new Date(root.expires * 1000).toISOString(),
    threshold: root.threshold,
    release_threshold: root.releaseThreshold,
    min_security_version: root.minSecurityVersion,
    fast_forward: root.fastForward,
    keys,
    signed_by_others: [...signed].filter((kid) => !own.has(kid)),
    unknown_signatures: signers.filter((signer) => signer === undefined).length,
    missing: Math.max(0, root.threshold - bitsIn(votes.new)),
    missing_of_previous: missingOfPrevious(root, previous, votes.old),
  };
}

function missingOfPrevious(root: Root, previous: Root | undefined, votes: number): number | null {
  if (previous) return Math.max(0, previous.threshold - bitsIn(votes));
  return root.version === 1 ? 0 : null;
}

async function describeKey(root: Root, key: KeyPoint, signed: ReadonlySet<string>): Promise<KeyReport> {
  const kid = await keyIdOf(key);
  const roles = ROLES.filter((role) => keysOf(root, role).includes(key));
  return { kid, roles, has_signed: signed.has(kid) };
}

/** What still has to be done before a device takes it; empty: nothing. */
export function describeMissing({ version, missing, missing_of_previous }: RootReport): string {
  const parts: string[] = [];
  if (missing > 0) parts.push(`${signatures(missing)} by its own root keys`);
  if (missing_of_previous === null)
    parts.push(`perhaps some by keys of root ${version - 1}, which is not known here`);
  else if (missing_of_previous > 0)
    parts.push(`${signatures(missing_of_previous)} by root keys of root ${version - 1}`);
  return parts.join(", and ");
}

const signatures = (count: number): string => `${count} signature${count === 1 ? "" : "s"}`;
