// The mesh's common clock: microseconds as u32, adopted from a neighbour by the algorithm of NTP. The node with the smaller part of the mesh
// behind it, and of equal parts the smaller id, follows the other. Pure arithmetic; which messages are sent is neighbours.ts.
//
//   t0  the question leaves      t1  it arrives there      t2  the answer leaves there      t3  it arrives here

/** An offset below this counts as in step, µs. */
const ACCURACY_US = 5_000;
/** A smaller offset than this is approached in quarters. */
const SMALL_US = 500;
/** An answer that was this many times longer on its way than at the other side proves nothing: nodes discard it. */
const MAX_TRIP_RATIO = 85;

/**
 * How long we say that an answer took, µs. Our clock counts milliseconds, so the true number would mostly be 0, and nodes discard such an
 * answer and ask again five times a second.
 */
export const ANSWER_US = 1_500;

/** The time of a node, µs as u32. @param at ms since the boot */
export const meshTime = (at: number, offsetUs: number): number => (Math.floor(at) * 1000 + offsetUs) >>> 0;

/** By how much the clock goes wrong, µs, signed; 0: this answer is of no use, or there is nothing to correct. */
export function clockError(t0: number, t1: number, t2: number, t3: number): number {
  if ((t3 - t0) >>> 0 > ((t2 - t1) >>> 0) * MAX_TRIP_RATIO) return 0;
  const error = (Math.trunc(((t1 - t0) | 0) / 2) + Math.trunc(((t2 - t3) | 0) / 2)) | 0;
  const size = Math.abs(error);
  return size < SMALL_US && size > 4 ? Math.trunc(error / 4) : error;
}

/** Whether a correction by so much ends the search. An answer that was discarded does not. */
export const isInStep = (errorUs: number): boolean => errorUs !== 0 && Math.abs(errorUs) < ACCURACY_US;

/** Whether we follow the neighbour's clock. Counts are of the nodes on each side, ourselves and the neighbour included. */
export const follows = (
  own: { readonly nodeId: number; readonly count: number },
  neighbour: { readonly nodeId: number; readonly count: number },
): boolean => own.count < neighbour.count || (own.count === neighbour.count && own.nodeId < neighbour.nodeId);
