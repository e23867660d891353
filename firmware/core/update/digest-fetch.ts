// Fetches the page of digests for the next chunk (digests.ts): one short answer, compared with its hash in the release. Only one page is
// kept at a time. Writes nothing to the slot.
//
//   fetchPage ─► fetching ─ answer started, collected, hashed ─ as in the release ─► continues with the image
//                    └──── anything else ─► another try, as with a chunk (retry.ts)

import { bytesEqual } from "../bytes.js";
import type { Effect } from "../effect.js";
import type { Stamped } from "../event.js";
import { judgePart, type Part, rangeHeader } from "../http/part.js";
import { authorizationAt } from "../server/server-token.js";
import { checksChunks } from "./chunk-check.js";
import { chunkCountOf, DIGEST_BYTES, digestAt, pageAt, pageBytes, pageOffset } from "./digests.js";
import type { Job } from "./job.js";
import { bodyTruncated, rejectPart, retryLater } from "./retry.js";
import { enter, type Installing, nextAttempt, STALL_MS, type Step, type UpdateState } from "./state.js";

/** Whether the page of the next chunk has to be fetched before the chunk can be checked. */
export const lacksPage = (job: Job): boolean =>
  job.release.digestsOf === "pages" &&
  checksChunks(job) &&
  job.page?.index !== pageAt(job.release, job.verifiedBytes);

export function fetchPage(state: UpdateState, job: Job): Step {
  const { source } = job;
  if (source.kind !== "server" || source.digestsUrl === undefined) return [state, []]; // see checksChunks
  const url = source.digestsUrl;
  const attempt = nextAttempt(state);
  const headers = {
    ...authorizationAt(url, state.serverTokens, state.boot?.build),
    ...rangeHeader(partOf(job)),
  };
  return [
    // the page before is dropped first: there is never more than one
    enter(state, { phase: "fetching", attempt, job: { ...job, page: undefined } }),
    [
      { type: "startRequest", attempt, request: { method: "GET", url, headers } },
      { type: "setTimer", timer: "transfer", delayMs: STALL_MS },
    ],
  ];
}

/** Position of the page in the file of all digests. */
function partOf({ release, verifiedBytes }: Job): Part {
  const page = pageAt(release, verifiedBytes);
  const start = pageOffset(page);
  return { start, end: start + pageBytes(release, page), totalBytes: chunkCountOf(release) * DIGEST_BYTES };
}

/** @param checkNextChunk what comes next when the page is there */
export function fetchingStep(
  state: Installing,
  event: Stamped,
  checkNextChunk: (state: UpdateState, job: Job) => Step,
): Step {
  const { job } = state;
  switch (event.type) {
    case "responseStarted": {
      const part = partOf(job);
      const maxBytes = part.end - part.start;
      const verdict = judgePart(part, event, maxBytes);
      if (!verdict.isTaken) return rejectPart(state, job, verdict, event);
      return [state, [{ type: "collectResponse", attempt: state.attempt, maxBytes, as: "bytes" }]];
    }
    case "bytesCollected":
      if (event.bytes.length < partOf(job).end - partOf(job).start)
        return retryLater(state, job, bodyTruncated(job), event.random);
      return [state, [...close(state), { type: "hashBytes", attempt: state.attempt, bytes: event.bytes }]];
    case "bytesHashed":
      return pageHashed(state, job, event, checkNextChunk);
    case "responseEnded":
      return retryLater(state, job, bodyTruncated(job), event.random);
    default:
      return [state, []];
  }
}

const close = ({ attempt }: UpdateState): readonly Effect[] => [
  { type: "clearTimer", timer: "transfer" },
  { type: "closeRequest", attempt },
];

function pageHashed(
  state: UpdateState,
  job: Job,
  { bytes, digest, random }: Stamped & { readonly bytes: Uint8Array; readonly digest: Uint8Array },
  checkNextChunk: (state: UpdateState, job: Job) => Step,
): Step {
  const index = pageAt(job.release, job.verifiedBytes);
  if (!bytesEqual(digest, digestAt(job.release.digests, index))) {
    const message = `page ${index} of the digests does not have the hash in the release`;
    return retryLater(state, job, { code: "DIGESTS_MISMATCH", message }, random);
  }
  return checkNextChunk(state, { ...job, page: { index, digests: bytes } });
}
