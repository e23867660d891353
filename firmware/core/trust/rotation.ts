// One root after the other: what is known of a root that would follow the one that is held, while its signatures are verified one by one. Pure;
// where it comes from and what happens to it is update/root-update.ts.
//
//   text ─ can be read, may follow ─► candidate ─ a vote, good or not ─► candidate … ─► elected: both thresholds are reached
//                                                                            └─ none is left ─► refused

import type { Effect } from "../effect.js";
import { type Result, succeed } from "../errors.js";
import {
  checkSuccessor,
  isElected,
  NO_VOTES,
  parseRoot,
  type Root,
  type RootVotes,
  refused,
  type SignedRoot,
  voteOf,
  votesMissing,
  withVote,
} from "./root.js";

export interface Candidate {
  readonly text: string;
  readonly signed: SignedRoot;
  readonly votes: RootVotes;
  /** The index of the signature that is verified now. */
  readonly index: number;
}

/** Errors: ROOT_REFUSED. */
export function nominate(held: Root, text: string): Result<Candidate, "ROOT_REFUSED"> {
  const parsed = parseRoot(text);
  if (!parsed.ok) return parsed;
  const checked = checkSuccessor(held, parsed.value);
  if (!checked.ok) return checked;
  return succeed({ text, signed: parsed.value, votes: NO_VOTES, index: nextVote(held, parsed.value, 0) });
}

/** Verifies the signature at its index; none: there is no such one. */
export function verifyVote(
  held: Root,
  { text, signed, index }: Candidate,
  attempt: number,
): readonly Effect[] {
  const one = signed.signatures[index];
  const vote = one && voteOf(held, signed.root, one);
  if (!one || !vote) return [];
  const { payloadStart, payloadEnd } = signed;
  return [
    {
      type: "verifySignature",
      attempt,
      key: vote.point,
      head: `${one.header}.`,
      manifest: text,
      signedStart: payloadStart,
      signedLength: payloadEnd - payloadStart,
      signature: one.signature,
    },
  ];
}

/** After its answer: the candidate with the next signature to verify, or the root, elected. Errors: ROOT_REFUSED. */
export function afterVote(
  held: Root,
  candidate: Candidate,
  good: boolean,
): Result<Candidate | Root, "ROOT_REFUSED"> {
  const { signed, index } = candidate;
  const { root, signatures } = signed;
  const one = signatures[index];
  const vote = one && good ? voteOf(held, root, one) : undefined;
  const votes = vote ? withVote(candidate.votes, vote) : candidate.votes;
  if (isElected(held, root, votes)) return succeed(root);
  const next = nextVote(held, signed, index + 1);
  return next < signatures.length
    ? succeed({ ...candidate, votes, index: next })
    : refused(votesMissing(held, root, votes));
}

/** Signatures of those who may not sign are passed over. */
function nextVote(held: Root, { root, signatures }: SignedRoot, from: number): number {
  for (let index = from; index < signatures.length; index++) {
    const one = signatures[index];
    if (one && voteOf(held, root, one)) return index;
  }
  return signatures.length;
}
