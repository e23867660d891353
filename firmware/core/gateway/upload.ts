// An image that a person has sent to the gateway for other devices, such as the transmitter of a pair: written to the cache as it comes, then
// read back and compared with the hashes in its signed manifest. Its digests are computed here, because no update server has them: nodes ask
// their gateway. After a restart the flash is read again: nothing else is recorded than the manifest. Takes unsigned images from nobody.
//
//   receiving ─ piece ─► erase, write ─► … the last one ─► proving ─ each chunk hashed, each page of digests right ─► stored
//                                                             └─ another hash ─► failed
//
// Memory: a piece of 4 KiB, and 32 bytes a chunk: 3 840 for the largest image that fits the cache.

import { bytesEqual } from "../bytes.js";
import { readDigits } from "../digits.js";
import type { Effect } from "../effect.js";
import type { Event } from "../event.js";
import { type ExchangeAnswer, type ExchangeRequest, problem } from "../radio/exchange-message.js";
import {
  CHUNKS_A_PAGE,
  chunkCountOf,
  chunkLength,
  DIGEST_BYTES,
  digestAt,
  pageBytes,
  pageOffset,
} from "../update/digests.js";
import { SECTOR_BYTES } from "../update/release.js";
import type { CacheEffect, CacheEvent } from "./cache-vocabulary.js";
import { writeCache } from "./cache-write.js";
import { type CachedImage, pathOf } from "./cached-image.js";

export interface UploadState {
  readonly image: CachedImage;
  readonly phase: "receiving" | "proving" | "stored";
  /** Of the effects on the flash; those of the cache and of the sender are others. */
  readonly attempt: number;
  /** Up to here it is written. */
  readonly offset: number;
  readonly pending: Uint8Array | undefined;
  /** The chunk that is hashed. */
  readonly index: number;
  /** Of all chunks, one behind the other; filled in place. */
  readonly digests: Uint8Array;
}

export type UploadOutput =
  | CacheEffect
  | Extract<Effect, { readonly type: "hashBytes" }>
  /** The next bytes of the file may come, at most so many. */
  | { readonly type: "uploadWants"; readonly maxBytes: number }
  /** It is in the cache, whole and as it was signed. */
  | { readonly type: "uploadStored" }
  | { readonly type: "uploadFailed"; readonly message: string };

/** Without a state: it is over. */
type Step = readonly [UploadState | undefined, readonly UploadOutput[]];

/** Its effects count up from here, so that none of the cache's own has the same number: those would need a thousand million. */
const FIRST_ATTEMPT = 1_000_000_000;

const fresh = (image: CachedImage, phase: UploadState["phase"], attempt: number): UploadState => ({
  image,
  phase,
  attempt,
  offset: 0,
  pending: undefined,
  index: 0,
  digests: new Uint8Array(chunkCountOf(image.release) * DIGEST_BYTES),
});

/** A file begins to come. What the cache held is lost. */
export function receiveUpload(image: CachedImage): Step {
  const state = fresh(image, "receiving", FIRST_ATTEMPT);
  return [state, [want(state)]];
}

/** After a restart, or when a device doubts it: whether the flash holds it still. */
export const proveUpload = (image: CachedImage, before?: UploadState): Step =>
  hashChunk(fresh(image, "proving", before?.attempt ?? FIRST_ATTEMPT));

/** Bytes of the file, at most as many as were wanted. */
export function uploadBytes(state: UploadState, bytes: Uint8Array): Step {
  if (state.phase !== "receiving" || state.pending || bytes.length === 0) return [state, []];
  if (bytes.length > wanted(state))
    return [undefined, [{ type: "uploadFailed", message: "more bytes came than were asked for" }]];
  return writeCache({ ...state, pending: bytes }, false);
}

/** An event of its own effects; others are ignored. */
export function uploadHeard(state: UploadState, event: CacheEvent | Event): Step {
  if (!("attempt" in event) || event.attempt !== state.attempt) return [state, []];
  switch (event.type) {
    case "cacheErased":
      return writeCache(state, true);
    case "cacheWritten":
      return written(state);
    case "cacheHashed":
      return state.phase === "proving" ? chunkHashed(state, event.digest) : [state, []];
    case "bytesHashed":
      return state.phase === "proving" ? pageHashed(state, event.digest) : [state, []];
    case "cacheFailed":
      return [undefined, [{ type: "uploadFailed", message: event.message }]];
    default:
      return [state, []];
  }
}

/** To the end of its sector, so that a write needs one erase at most. */
const wanted = ({ offset, image }: UploadState): number =>
  Math.min(SECTOR_BYTES - (offset % SECTOR_BYTES), image.release.size - offset);

const want = (state: UploadState): UploadOutput => ({ type: "uploadWants", maxBytes: wanted(state) });

function written(state: UploadState): Step {
  const { pending, image } = state;
  if (!pending) return [state, []];
  const next: UploadState = { ...state, offset: state.offset + pending.length, pending: undefined };
  return next.offset < image.release.size ? [next, [want(next)]] : hashChunk({ ...next, phase: "proving" });
}

function hashChunk(state: UploadState): Step {
  const { index, image } = state;
  const attempt = state.attempt + 1;
  const offset = index * image.release.chunkSize;
  return [
    { ...state, attempt },
    [{ type: "hashCache", attempt, offset, length: chunkLength(image.release, index) }],
  ];
}

/** Behind the last chunk of a page, the page is compared with its hash in the manifest. */
function chunkHashed(state: UploadState, digest: Uint8Array): Step {
  const { index, digests, image } = state;
  digests.set(digest, index * DIGEST_BYTES);
  const isPageFull = (index + 1) % CHUNKS_A_PAGE === 0 || index + 1 === chunkCountOf(image.release);
  if (!isPageFull) return hashChunk({ ...state, index: index + 1 });
  const page = Math.floor(index / CHUNKS_A_PAGE);
  const start = pageOffset(page);
  const attempt = state.attempt + 1;
  const bytes = digests.slice(start, start + pageBytes(image.release, page));
  return [{ ...state, attempt }, [{ type: "hashBytes", attempt, bytes }]];
}

function pageHashed(state: UploadState, digest: Uint8Array): Step {
  const { index, image } = state;
  const page = Math.floor(index / CHUNKS_A_PAGE);
  if (!bytesEqual(digest, digestAt(image.release.digests, page)))
    return [undefined, [{ type: "uploadFailed", message: "the file is not the one that was signed" }]];
  if (index + 1 < chunkCountOf(image.release)) return hashChunk({ ...state, index: index + 1 });
  return [{ ...state, phase: "stored" }, [{ type: "uploadStored" }]];
}

/** Digests for a node that asks for a part of them, or for all; `undefined`: it asks for something else. */
export function uploadDigests(
  state: UploadState,
  { method, target, headers }: ExchangeRequest,
): ExchangeAnswer | undefined {
  const { digests, image, phase } = state;
  if (method !== "GET" || pathOf(target) !== image.digestsTarget) return undefined;
  if (phase !== "stored") return problem(503, "the image is being checked", CHECK_SECONDS);
  const { range } = headers;
  if (range === undefined) return { status: 200, headers: {}, body: digests };
  const [start, last] = range
    .slice("bytes=".length)
    .split("-", 2)
    .map((number) => readDigits(number));
  if (start === undefined || last === undefined || last < start || last >= digests.length)
    return problem(416, "there is no such part of the digests");
  const contentRange = `bytes ${start}-${last}/${digests.length}`;
  return { status: 206, headers: { "content-range": contentRange }, body: digests.subarray(start, last + 1) };
}
const CHECK_SECONDS = 5;
