// What is held back for some time, a day unless the caller names another. The time is counted twice, and is over when either count says so:
// by the server's time, which goes on while the device is off but may be wrong, and since the boot. So no clock can make it longer than that
// time of running. Keeps nothing, decides what is held nowhere.

import { DAY_SECONDS } from "../clock.js";

export interface Hold {
  /** Until this server time, seconds since 1970; 0: the time was not known yet. */
  readonly until: number;
  /** When it began in this boot, ms; 0: it was there when the boot began. */
  readonly sinceMs: number;
}

/** @param time the server's, if it is known */
export const isHeld = (
  { until, sinceMs }: Hold,
  time: number | undefined,
  at: number,
  seconds = DAY_SECONDS,
): boolean => at - sinceMs < seconds * 1000 && (until === 0 || time === undefined || time < until);

/** The same with its end by the server's time. An end that is further away was set by a clock that was wrong. */
export const dated = <Held extends Hold>(
  hold: Held,
  time: number | undefined,
  seconds = DAY_SECONDS,
): Held =>
  time !== undefined && (hold.until === 0 || hold.until > time + seconds)
    ? { ...hold, until: time + seconds }
    : hold;
