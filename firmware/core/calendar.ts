// Days of the Gregorian calendar: core has no Date.

/** Days from 1970-01-01, `month` and `day` from 1; the year counts from March, so that a leap day is its last. */
export function daysUntil(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const days = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + days - 719_468;
}
