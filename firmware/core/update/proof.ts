// The final check of an installation: the whole image is hashed again, from flash, before its slot is armed.

import { toHex } from "../bytes.js";
import type { Effect } from "../effect.js";
import { SHA256_BYTES } from "./image-match.js";
import type { Job, Proof } from "./job.js";
import { enter, nextAttempt, type Step, type UpdateState } from "./state.js";

export function prove(state: UpdateState, job: Job): Step {
  const attempt = nextAttempt(state);
  return [
    enter(state, { phase: "proving", attempt, job }),
    [{ type: "clearTimer", timer: "transfer" }, hashForProof(proofOf(job), attempt)],
  ];
}

export const hashForProof = ({ algorithm, length }: Proof, attempt: number): Effect => ({
  type: "hashSlot",
  attempt,
  offset: 0,
  length,
  ...(algorithm === "MD5" ? { algorithm } : {}),
});

/**
 * The digest that the slot must have: the signed one, or for an unsigned image the one that the owner has agreed to, espota's MD5, or the SHA-256 at
 * the image's end.
 */
export function proofOf(job: Job): Proof {
  const { size, sha256 } = job.release;
  if (job.signed || sha256 !== "") return { algorithm: "SHA256", length: size, digest: sha256 };
  if (job.md5 !== undefined) return { algorithm: "MD5", length: size, digest: job.md5 };
  const { lengthBytes = size } = job.reader;
  return { algorithm: "SHA256", length: lengthBytes - SHA256_BYTES, digest: toHex(job.tail) };
}
