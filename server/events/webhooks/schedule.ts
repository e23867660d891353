// When a delivery that failed is tried again: twice as late each time, for about a day, and never all at the same moment.

const FIRST_DELAY_MS = 5_000;
const LONGEST_DELAY_MS = 6 * 60 * 60_000;
/** Attempts until a delivery is given up. */
export const MAX_ATTEMPT_COUNT = 16;

/** The pauses between attempts, milliseconds; each is up to a quarter shorter or longer. `random` gives numbers in [0, 1). */
export function* retryDelays(random: () => number): Generator<number, void> {
  for (let retryCount = 0; retryCount < MAX_ATTEMPT_COUNT - 1; retryCount++) {
    const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** retryCount);
    yield Math.round(delayMs * (0.75 + random() / 2));
  }
}

/** The pause behind an attempt, counted from 1. `undefined`: it was the last. */
export function delayAfter(attemptCount: number, random: () => number): number | undefined {
  let count = 0;
  for (const delayMs of retryDelays(random)) {
    count++;
    if (count === attemptCount) return delayMs;
  }
  return undefined;
}
