// Whether a gateway can pass an image on now, and what a node is told if not: something that makes it try later. One image has the cache at a
// time, for as long as somebody wants it. Pure.

import type { Sending } from "../radio/block-sender.js";
import { type ExchangeAnswer, problem } from "../radio/exchange-message.js";
import type { CacheState } from "./cache.js";
import { type CachedImage, isUploaded } from "./cached-image.js";
import type { Gathering } from "./gathering.js";
import type { UploadState } from "./upload.js";

/** An image that somebody has asked for so lately keeps the cache. */
const KEPT_MS = 90_000;
/** One that a person has sent may wait for that person. */
const KEPT_UPLOAD_MS = 3_600_000;
/** Somebody has to flash the gateway with another table of partitions first. */
const TOO_LARGE_SECONDS = 3_600;
/** What the update server has refused for no reason that it gave is asked for again after. */
export const REFUSED_MS = 30_000;

/** Of a gateway's state, what decides. */
interface Passing {
  readonly cache: CacheState;
  readonly sender: Sending | undefined;
  readonly gathering: Gathering | undefined;
  readonly upload: UploadState | undefined;
  readonly isTaken: boolean;
  readonly wantedMs: number;
  readonly refusal: { readonly status: number; readonly untilMs: number } | undefined;
}

/** What no cache of this length can hold. */
export function tooLarge({ release: { size } }: CachedImage, cacheBytes: number): ExchangeAnswer | undefined {
  if (size <= cacheBytes) return undefined;
  return problem(507, `the image has ${size} bytes, the gateway's cache ${cacheBytes}`, TOO_LARGE_SECONDS);
}

/** Whether an image can be passed on now; otherwise what its node is told, which makes it try later. */
export function imageAnswer(state: Passing, image: CachedImage, at: number): ExchangeAnswer | undefined {
  const { cache, refusal, isTaken } = state;
  if (isTaken || (cache.image && cache.image.id !== image.id && isWanted(state, at)))
    return problem(503, "the gateway passes on another image", KEPT_MS / 1_000);
  if (isUploaded(image) && (state.upload?.phase !== "stored" || state.upload.image.id !== image.id))
    return problem(503, "the gateway does not have the image, or is checking it", REFUSED_MS / 1_000);
  if (!refusal || at >= refusal.untilMs || cache.image?.id !== image.id) return undefined;
  const seconds = Math.ceil((refusal.untilMs - at) / 1_000);
  const status = refusal.status >= 400 ? refusal.status : 503;
  return problem(status, "the update server does not give the image", seconds);
}

const isWanted = ({ wantedMs, sender, upload, gathering }: Passing, at: number): boolean =>
  gathering !== undefined ||
  (wantedMs > 0 && at - wantedMs < (upload ? KEPT_UPLOAD_MS : KEPT_MS)) ||
  (sender !== undefined && sender.phase !== "idle");
