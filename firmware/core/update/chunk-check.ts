// The check of a chunk: it is read back from the flash, hashed, and compared with the digest that the release promises. A transfer checks
// each chunk when its last byte has been written (transfer.ts); an update that resumes checks what the slot holds already (install.ts).
//
//   hashChunk ─► slotHashed ─ isChunkRight ─► the next chunk
//                   └──────── otherwise ────► transfer: fetched again after a pause; resume: the download begins here

import { bytesEqual } from "../bytes.js";
import type { Effect } from "../effect.js";
import { CHUNKS_A_PAGE, chunkLength, digestAt, pageCountOf } from "./digests.js";
import type { Job } from "./job.js";

/** Whether chunks are checked one by one as they arrive. Otherwise only the whole image is, before it is armed. */
export function checksChunks({ release, source, wholeOnly }: Job): boolean {
  if (release.digestsOf !== "pages") return release.digestsOf === "chunks";
  if (source.kind !== "server" || source.digestsUrl === undefined) return false;
  // a server that ignores ranges could only send all pages at once
  return !wholeOnly || pageCountOf(release) === 1;
}

/** Number of the first chunk that is not verified yet. */
export const chunkIndex = ({ verifiedBytes, release }: Job): number =>
  Math.floor(verifiedBytes / release.chunkSize);

/** Reads this chunk back from the flash, not from memory. */
export const hashChunk = (job: Job, attempt: number): Effect => ({
  type: "hashSlot",
  attempt,
  offset: job.verifiedBytes,
  length: chunkLength(job.release, chunkIndex(job)),
});

/** Whether this chunk has the digest that the release promises. Its page of digests has to be there (digest-fetch.ts). */
export const isChunkRight = (job: Job, digest: Uint8Array): boolean =>
  bytesEqual(digest, promisedDigest(job, chunkIndex(job)));

const promisedDigest = ({ release, page }: Job, index: number): Uint8Array =>
  page ? digestAt(page.digests, index % CHUNKS_A_PAGE) : digestAt(release.digests, index);
