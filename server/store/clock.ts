// Corrects times that were stored while a clock was ahead. A reader believes a stored time: a lease, a wait or an expiry that was counted from
// a moment that is years away would hold for years.

/** Clocks of servers on one store may differ by this much, milliseconds. What is less far ahead is over by itself. */
export const CLOCK_SKEW_MS = 60_000;

export interface ClockStore {
  /**
   * Counts every stored time again as if what was stored in the future had been stored now: what has happened happened now at the
   * latest, and spans (until a session or an order expires, a lease ends, a delivery is due) are as long as they were. Times that a person
   * has chosen stay.
   * @param now milliseconds since 1970
   * @returns rows that were corrected
   */
  pullBackTimes(now: number): Promise<number>;
}
