// When an update may begin by itself: in a window of the day, and not before a date. Pure; in UTC, because the device knows no time zone.

import { DAY_SECONDS } from "../clock.js";

export interface Schedule {
  /** Minutes of the day, 0 to 1439, UTC. Equal: all day. An end before the start is on the next day. */
  readonly startMinute: number;
  readonly endMinute: number;
  /** Seconds since 1970; 0: at once. */
  readonly notBefore: number;
}

export const AT_ONCE: Schedule = Object.freeze({ startMinute: 0, endMinute: 0, notBefore: 0 });

/** No timer is longer; and a clock that was wrong is asked again. */
const LONGEST_WAIT_MS = 3_600_000;

/**
 * How long to wait until an update may begin; 0: not at all. Asked again after that, since no wait is longer than an hour.
 * @param time seconds since 1970; `undefined`: the device does not know it, so that only a schedule without any time lets it begin
 */
export function waitMs({ startMinute, endMinute, notBefore }: Schedule, time: number | undefined): number {
  const isAllDay = startMinute === endMinute;
  if (isAllDay && notBefore === 0) return 0;
  if (time === undefined) return LONGEST_WAIT_MS;
  if (time < notBefore) return bounded(notBefore - time);
  if (isAllDay) return 0;
  const second = time % DAY_SECONDS;
  const sinceStart = (second - startMinute * 60 + DAY_SECONDS) % DAY_SECONDS;
  const length = ((endMinute - startMinute) * 60 + DAY_SECONDS) % DAY_SECONDS;
  return sinceStart < length ? 0 : bounded(DAY_SECONDS - sinceStart);
}

const bounded = (seconds: number): number => Math.min(seconds * 1000, LONGEST_WAIT_MS);
