// Waiting for something outside: a device that starts, a report that arrives.

const LOOK_EVERY_MS = 100;

/** The expected event did not happen in time. */
class TooLate extends Error {
  override readonly name = "TooLate";
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Polls until there is something to return. An error that `look` throws counts as "not yet": a device that restarts
 * refuses connections.
 * @param what what is waited for, for the message: "no check after 60 s"
 * @throws TooLate
 */
export async function until<Value>(
  what: string,
  limitMs: number,
  look: () => Value | undefined | Promise<Value | undefined>,
): Promise<Value> {
  const end = Date.now() + limitMs;
  for (;;) {
    const found = await Promise.resolve()
      .then(look)
      .catch(() => undefined);
    if (found !== undefined) return found;
    if (Date.now() >= end) throw new TooLate(`${what}: not within ${Math.round(limitMs / 1000)} s`);
    await pause(LOOK_EVERY_MS);
  }
}
