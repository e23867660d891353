// Until when a release may be installed, as people write it.

const DAY_SECONDS = 86_400;

/**
 * The last second, since 1970: of a day such as `2030-01-31` (in UTC), a time in ISO 8601, or a number of days from now such as `90d`;
 * `undefined` if it is none of these. @param now seconds since 1970
 */
export function readExpiry(text: string, now: number): number | undefined {
  const [, days] = /^(\d{1,5})d$/.exec(text) ?? [];
  if (days !== undefined) return now + Number(days) * DAY_SECONDS;
  const seconds = Math.floor(Date.parse(text) / 1000);
  if (Number.isNaN(seconds)) return undefined;
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? seconds + DAY_SECONDS - 1 : seconds;
}
