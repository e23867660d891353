// Reads multipart bodies, whatever clients make of them: broken or cut ones are the client's mistake, and none is waited for without
// end.

import type { Multipart } from "@fastify/multipart";
import type { FastifyError, FastifyRequest } from "fastify";
import { Refusal } from "../../shared/refusal.js";

/** How long the parser may take for what has been received already. */
const STALL_MS = 3_000;

/** The parts in their order. What is read of a file goes through `received` too. @throws Refusal BODY_MALFORMED */
export const partsOf = (request: FastifyRequest): AsyncGenerator<Multipart> => received(endingParts(request));

/**
 * The parser of multipart bodies waits forever for the end of a long part whose head is broken. When everything has been received,
 * and there still is no next part, there will be none.
 */
async function* endingParts(request: FastifyRequest): AsyncGenerator<Multipart> {
  const parts = request.parts();
  try {
    for (;;) {
      const { done, value } = await nextPart(parts.next(), request);
      if (done) return;
      yield value;
    }
  } finally {
    discardRest(request);
  }
}

/** Reads the rest of a request that is not needed: until then, a closed connection would go unnoticed. */
function discardRest({ raw }: FastifyRequest): void {
  raw.unpipe();
  raw.resume();
}

async function nextPart<Result>(next: Promise<Result>, { raw }: FastifyRequest): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const stall = new Promise<never>((_resolve, reject) => {
    timer = setInterval(() => {
      // Requests of `inject` are there as a whole, and do not say so.
      if (raw.complete !== false) reject(new Error("a part of it has no end"));
    }, STALL_MS);
  });
  try {
    return await Promise.race([next, stall]);
  } finally {
    clearInterval(timer);
  }
}

/** What a client sends: if that is broken, or ends early, it is the client's mistake. */
export async function* received<Item>(source: AsyncIterable<Item>): AsyncGenerator<Item> {
  try {
    yield* source;
  } catch (error) {
    if ((error as Partial<FastifyError>).statusCode !== undefined) throw error;
    throw new Refusal("BODY_MALFORMED", `the multipart body is broken: ${(error as Error).message}`);
  }
}
