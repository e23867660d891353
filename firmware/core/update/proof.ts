// The proof of an installation: the whole slot is hashed once more, from flash, before it may be armed.

import { toHex } from "../bytes.js";
import { SHA256_BYTES } from "./image-match.js";
import { enter, type Job, nextAttempt, type Step, type UpdateState } from "./state.js";

export function prove(state: UpdateState, job: Job): Step {
  const { algorithm, length } = proofOf(job);
  const attempt = nextAttempt(state);
  return [
    enter(state, { phase: "proving", attempt, job }),
    [
      { type: "clearTimer", timer: "transfer" },
      {
        type: "hashSlot",
        attempt,
        offset: 0,
        length,
        ...(algorithm === "MD5" ? { algorithm } : {}),
      },
    ],
  ];
}

/** What the slot must hash to in the end. An unsigned image has promised its own SHA-256, or espota its MD5. */
export function proofOf(job: Job): {
  readonly algorithm: "SHA256" | "MD5";
  readonly length: number;
  readonly digest: string;
} {
  const { size, sha256 } = job.release;
  if (job.signed) return { algorithm: "SHA256", length: size, digest: sha256 };
  if (job.md5 !== undefined) return { algorithm: "MD5", length: size, digest: job.md5 };
  return { algorithm: "SHA256", length: size - SHA256_BYTES, digest: toHex(job.tail) };
}
