// Fetches the page of digests that the next chunk needs (digests.ts): one short answer, compared with the hash that the release
// promises of it, and kept alone until another page is needed. Writes nothing to the slot.
//
//   fetchPage ─► fetching ─ answer started, collected, hashed ─ as promised ─► goes on with the image
//                    └──── anything else ─► another try, as with a chunk (update/failure.ts)

import { bytesEqual } from "../bytes.js";
import type { Effect } from "../effect.js";
import type { Stamped } from "../event.js";
import { type Part, partFailure, rangeHeader } from "../http/answer-head.js";
import { authorizationAt } from "../server/server-token.js";
import { comparesChunks } from "./chunk-check.js";
import { chunkCountOf, DIGEST_BYTES, digestAt, pageAt, pageBytes, pageOffset } from "./digests.js";
import { partRefused, retryLater, truncated } from "./failure.js";
import {
  enter,
  type Installing,
  type Job,
  nextAttempt,
  STALL_MS,
  type Step,
  type UpdateState,
} from "./state.js";

/** Whether the page of the chunk that comes next has to be fetched before it can be compared. */
export const lacksPage = (job: Job): boolean =>
  job.release.digestsOf === "pages" &&
  comparesChunks(job) &&
  job.page?.index !== pageAt(job.release, job.verifiedBytes);

export function fetchPage(state: UpdateState, job: Job): Step {
  const { source } = job;
  if (source.kind !== "server" || source.digestsUrl === undefined) return [state, []]; // see comparesChunks
  const url = source.digestsUrl;
  const attempt = nextAttempt(state);
  const headers = {
    ...authorizationAt(url, state.serverToken, state.boot?.build),
    ...rangeHeader(partOf(job)),
  };
  return [
    // the page before goes first: there is never more than one
    enter(state, { phase: "fetching", attempt, job: { ...job, page: undefined } }),
    [
      { type: "startRequest", attempt, request: { method: "GET", url, headers } },
      { type: "setTimer", timer: "transfer", delayMs: STALL_MS },
    ],
  ];
}

/** Where the page lies in the file of all digests. */
function partOf({ release, verifiedBytes }: Job): Part {
  const page = pageAt(release, verifiedBytes);
  const start = pageOffset(page);
  return { start, end: start + pageBytes(release, page), totalBytes: chunkCountOf(release) * DIGEST_BYTES };
}

/** @param goOn what comes next when the page is there */
export function fetchingStep(
  state: Installing,
  event: Stamped,
  goOn: (state: UpdateState, job: Job) => Step,
): Step {
  const { job } = state;
  switch (event.type) {
    case "responseStarted": {
      const part = partOf(job);
      const failure = partFailure(part, event);
      if (failure) return partRefused(state, job, failure, event);
      const sizeBytes = part.end - part.start;
      return [state, [{ type: "collectResponse", attempt: state.attempt, sizeBytes, as: "bytes" }]];
    }
    case "bytesCollected":
      return [state, [...close(state), { type: "hashBytes", attempt: state.attempt, bytes: event.bytes }]];
    case "bytesHashed":
      return pageHashed(state, job, event, goOn);
    case "responseEnded":
      return retryLater(state, job, truncated(job), event.random);
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
  goOn: (state: UpdateState, job: Job) => Step,
): Step {
  const index = pageAt(job.release, job.verifiedBytes);
  if (!bytesEqual(digest, digestAt(job.release.digests, index))) {
    const message = `page ${index} of the digests does not have the hash that the release promises`;
    return retryLater(state, job, { code: "DIGESTS_MISMATCH", message }, random);
  }
  return goOn(state, { ...job, page: { index, digests: bytes } });
}
