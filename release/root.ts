// The trust root in files: read, verified and signed, with the reader of devices (firmware/core/trust/root.ts) and jose's verification. A file
// may also be a draft, which too few or none have signed yet. Never asks for a key: who holds one signs with it (signer.ts).

import { base64url, calculateJwkThumbprint, flattenedVerify, importJWK } from "jose";
import {
  isElected,
  NO_VOTES,
  parseRoot,
  type Root,
  type RootSignature,
  type RootVotes,
  type SignedRoot,
  voteOf,
  votesMissing,
  withVote,
} from "../firmware/core/trust/root.js";
import {
  type GeneralJws,
  type KeyPoint,
  MAX_ROOT_LENGTH,
  MAX_ROOT_SIGNATURE_COUNT,
  ROOT_TYPE,
} from "../firmware/core/wire.js";
import { KeyError, ReleaseError } from "./error.js";
import { publicKeyOf, type SigningKey, signMember } from "./signer.js";

/** A root as it is in a file; nothing of it is verified. */
export interface RootFile extends Pick<SignedRoot, "root"> {
  /** As devices hold it: without spaces around it. */
  readonly text: string;
  /** base64url. */
  readonly payload: string;
  readonly signatures: readonly RootSignature[];
}

/** @throws ReleaseError ROOT_REFUSED */
export function readRoot(text: string): RootFile {
  const trimmed = text.trim();
  const isDraft = /,"signatures":\[\]\}$/.test(trimmed);
  const parsed = parseRoot(isDraft ? trimmed.replace(/\[\]\}$/, `[${NOBODYS}]}`) : trimmed);
  if (!parsed.ok) throw refusal(parsed.failure.message);
  const { root, signatures, payloadStart, payloadEnd } = parsed.value;
  const payload = (JSON.parse(trimmed) as GeneralJws).payload;
  if (!isDraft && trimmed.slice(payloadStart, payloadEnd) !== payload)
    throw refusal("trust root: its payload is there twice");
  return { text: trimmed, payload, root, signatures: isDraft ? [] : signatures };
}

/** Devices read no root without a signature, and their reader is the only one: a draft gets one of nobody while it is read. */
const NOBODYS = JSON.stringify({
  protected: base64url.encode(JSON.stringify({ alg: "ES256", typ: ROOT_TYPE, key: 0, of: "new" })),
  signature: "A".repeat(86),
});

export const refusal = (message: string, cause?: unknown): ReleaseError =>
  new ReleaseError("ROOT_REFUSED", message, { cause });

/**
 * The root that somebody who holds another one takes next. @param held the root before; without one this is the first, which its own keys
 * sign @throws ReleaseError ROOT_REFUSED as a device does
 */
export async function verifyRoot(text: string, held?: Root): Promise<RootFile> {
  const file = readRoot(text);
  const { root } = file;
  if (held && root.version !== held.version + 1)
    throw refusal(
      `trust root: it is version ${root.version}, after version ${held.version} comes ${held.version + 1}`,
    );
  if (held && root.minSecurityVersion < held.minSecurityVersion)
    throw refusal(
      `trust root: its least security version is ${root.minSecurityVersion}, that of the root before is ${held.minSecurityVersion}`,
    );
  const { votes, isWhole } = await countVotes(file, held ?? root);
  if (!isWhole) throw refusal("trust root: one of its signatures is wrong");
  if (!isElected(held ?? root, root, votes))
    throw refusal(
      held
        ? `trust root: ${votesMissing(held, root, votes)}`
        : `trust root: it is signed by ${bitsIn(votes.new)} of its own keys, it asks for ${root.threshold}`,
    );
  return file;
}

/** What the signatures of a root are worth. */
export interface CountedVotes {
  readonly votes: RootVotes;
  /** None that counts is wrong. */
  readonly isWhole: boolean;
  /** Who has signed, in order: `undefined` is nobody who may. */
  readonly signers: readonly (KeyPoint | undefined)[];
}

/** @param held the root before, or this one itself */
export async function countVotes(file: RootFile, held: Root): Promise<CountedVotes> {
  let votes = NO_VOTES;
  let isWhole = true;
  const signers: (KeyPoint | undefined)[] = [];
  for (const signature of file.signatures) {
    const vote = voteOf(held, file.root, signature);
    const isRight = vote !== undefined && (await isSignedBy(file.payload, signature, vote.point));
    if (vote && !isRight) isWhole = false;
    if (isRight) votes = withVote(votes, vote);
    signers.push(isRight ? vote.point : undefined);
  }
  return { votes, isWhole, signers };
}

async function isSignedBy(
  payload: string,
  { header, signature }: RootSignature,
  point: KeyPoint,
): Promise<boolean> {
  const member = { payload, protected: header, signature: base64url.encode(signature) };
  try {
    await flattenedVerify(member, await importJWK(jwkOf(point), "ES256"), { algorithms: ["ES256"] });
    return true;
  } catch {
    return false;
  }
}

/**
 * Adds a signature; one by the same key is replaced. Nobody's signature but the new one is looked at.
 * @param previous the root before, for a key that is in that one only
 * @throws KeyError if the key may not sign this root, ReleaseError ROOT_REFUSED if it would be too long
 */
export async function signRoot(file: RootFile, key: SigningKey, previous?: Root): Promise<RootFile> {
  const { root, payload, text } = file;
  const { x = "", y = "" } = publicKeyOf(key);
  const ofNew = signerIndex(root, { x, y });
  const ofOld = previous && ofNew < 0 ? signerIndex(previous, { x, y }) : -1;
  if (ofNew < 0 && ofOld < 0)
    throw new KeyError(
      `key ${await keyIdOf({ x, y })} may not sign root ${root.version}: it is no root key of it${root.version === 1 ? "" : previous ? ` or of root ${previous.version}` : ", and the root before is not given"}`,
    );
  const header = {
    typ: ROOT_TYPE,
    key: Math.max(ofNew, ofOld),
    of: ofNew >= 0 ? ("new" as const) : ("old" as const),
  };
  const member = await signMember(header, payload, key);
  const others = (JSON.parse(text) as GeneralJws).signatures.filter(
    (_, index) => file.signatures[index]?.header !== member.protected,
  );
  if (others.length >= MAX_ROOT_SIGNATURE_COUNT)
    throw refusal(`a root has at most ${MAX_ROOT_SIGNATURE_COUNT} signatures`);
  const signed = JSON.stringify({ payload, signatures: [...others, member] });
  if (signed.length > MAX_ROOT_LENGTH)
    throw refusal(
      `with this signature the root has ${signed.length} characters, devices read ${MAX_ROOT_LENGTH}: it needs fewer keys, or a lower threshold`,
    );
  return readRoot(signed);
}

/** The place of a key that may sign this root among its keys; -1: it may not. */
const signerIndex = ({ keys, root }: Root, { x, y }: KeyPoint): number =>
  root.find((index) => keys[index]?.x === x && keys[index].y === y) ?? -1;

export const jwkOf = ({ x, y }: KeyPoint) => ({ kty: "EC", crv: "P-256", x, y });

/** Its thumbprint (RFC 7638), as in the manifests that it signs. */
export const keyIdOf = (point: KeyPoint): Promise<string> => calculateJwkThumbprint(jwkOf(point));

export const bitsIn = (bits: number): number => bits.toString(2).replaceAll("0", "").length;
