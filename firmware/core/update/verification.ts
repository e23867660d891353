// Verifies the signatures of a release or a system, one effect after the other, until as many different keys have signed it as the trust asks for. Signatures
// by keys that are not trusted do not count, and none counts twice. Decides nothing about the release itself.

import type { Effect } from "../effect.js";
import { fail, type Result, succeed } from "../errors.js";
import type { SignedText } from "../trust/jws.js";
import { releaseKey, releaseThreshold, type Trust } from "../trust/trust.js";
import type { KeyPoint } from "../wire.js";

export interface Verification {
  /** The first of these is being verified. */
  readonly left: readonly Counted[];
  /** How many more have to be good. */
  readonly needed: number;
  /** The manifest, while more than one is left; of one alone the effect has it. */
  readonly manifest: string;
}

interface Counted {
  readonly signed: SignedText;
  readonly key: KeyPoint;
}

/** @param what is signed, in a sentence. Errors: KEY_UNKNOWN, SIGNATURE_MISSING. */
export function beginVerification(
  trust: Trust,
  signatures: readonly SignedText[],
  manifest: string,
  what = "release",
): Result<Verification> {
  const left: Counted[] = [];
  for (const signed of signatures) {
    const key = releaseKey(trust, signed.keyId);
    if (key && !left.some((one) => one.signed.keyId === signed.keyId)) left.push({ signed, key });
  }
  const needed = releaseThreshold(trust);
  const [first] = signatures;
  if (left.length === 0)
    return fail(
      "KEY_UNKNOWN",
      `${what} is signed by key ${first?.keyId}, which this firmware does not trust`,
    );
  if (left.length < needed)
    return fail(
      "SIGNATURE_MISSING",
      `${what} is signed by ${left.length} trusted key, trust root ${trust.root?.version} asks for ${needed}`,
    );
  return succeed({ left, needed, manifest: left.length > 1 ? manifest : "" });
}

/** Verifies the first that is left. */
export function verifyFirst({ left }: Verification, attempt: number, manifest: string): readonly Effect[] {
  const [first] = left;
  if (!first) return [];
  const { keyId: _, ...signed } = first.signed;
  return [{ type: "verifySignature", attempt, key: first.key, manifest, ...signed }];
}

/** What the answer means: what is left to be verified, or that the release is signed, or the failure. Errors: SIGNATURE_INVALID. */
export function afterSignature(
  { left: [first, ...left], needed, manifest }: Verification,
  good: boolean,
): Result<Verification | "signed"> {
  const more = good ? needed - 1 : needed;
  if (more === 0) return succeed("signed");
  return left.length >= more
    ? succeed({ left, needed: more, manifest })
    : fail("SIGNATURE_INVALID", `signature by key ${first?.signed.keyId} does not match the release`);
}
