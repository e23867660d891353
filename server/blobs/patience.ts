// How long a blob store on the network may be silent: one that accepts connections and never answers must not hold requests for ever.

import type { Readable } from "node:stream";
import { BlobsUnavailable } from "./blobs.js";

/** It was waited for long enough: another try would take as long. */
export class BlobsSilent extends BlobsUnavailable {}

export interface Patience {
  /** Until a connection is there. */
  readonly connectMs: number;
  /** Until an answer begins, all attempts of the library included; of an upload, since its last piece. */
  readonly answerMs: number;
  /** Between two pieces of a body. */
  readonly pauseMs: number;
}

export const DEFAULT_PATIENCE: Patience = Object.freeze({
  connectMs: 3_000,
  answerMs: 10_000,
  pauseMs: 10_000,
});

/** What a call is given: it ends when the signal says so, and calls `goOn` when something has moved. */
export type PatientCall<Result> = (signal: AbortSignal, goOn: () => void) => Promise<Result>;

/** @throws BlobsSilent if nothing moved for so long */
export async function within<Result>(limitMs: number, call: PatientCall<Result>): Promise<Result> {
  const ended = new AbortController();
  const timer = setTimeout(() => ended.abort(), limitMs);
  try {
    return await call(ended.signal, () => timer.refresh());
  } catch (cause) {
    if (!ended.signal.aborted) throw cause;
    throw new BlobsSilent(`the blob store did not answer within ${limitMs} ms`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** A body, piece by piece. A reader that takes its time is none of the store's. @throws BlobsSilent */
export async function* paced(body: Readable, pauseMs: number): AsyncGenerator<Uint8Array> {
  const pieces: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
  const giveUp = () => body.destroy(new BlobsSilent(`the blob store sent nothing for ${pauseMs} ms`));
  try {
    for (;;) {
      const timer = setTimeout(giveUp, pauseMs);
      const { done, value } = await pieces.next().finally(() => clearTimeout(timer));
      if (done) return;
      yield value;
    }
  } finally {
    body.destroy();
  }
}
