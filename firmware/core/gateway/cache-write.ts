// Writes a piece of an image to a gateway's cache, and first erases its sector if the piece begins there: what it held is of another
// image, or wrong. The module that takes images keeps what is written in its own state; a piece never goes beyond a sector.

import { SECTOR_BYTES } from "../update/release.js";
import type { CacheEffect } from "./cache-vocabulary.js";

/** What a writer knows of its piece. */
export interface CacheWriter {
  readonly attempt: number;
  /** Of the piece, from the cache's start. */
  readonly offset: number;
  readonly pending: Uint8Array | undefined;
}

/** @param isErased the sector was erased for this piece. Nothing is done without a piece. */
export function writeCache<Writer extends CacheWriter>(
  state: Writer,
  isErased: boolean,
): readonly [Writer, readonly CacheEffect[]] {
  const { pending, offset } = state;
  if (!pending) return [state, []];
  const attempt = state.attempt + 1;
  const isFirst = offset % SECTOR_BYTES === 0 && !isErased;
  return [
    { ...state, attempt },
    [
      isFirst
        ? { type: "eraseCache", attempt, offset }
        : { type: "writeCache", attempt, offset, bytes: pending },
    ],
  ];
}
