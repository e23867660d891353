// What the device knows of time. It has no clock of its own, and an answer of a server proves nothing: it may come from anyone, and a
// server's clock may be wrong. So two things are kept apart: the floor, which only moves forward and which no server can move, and what a
// server said last, which counts until the next answer. Reads no clock: `at` is the runner's count of milliseconds since the boot.
//
//   source                what it says                                                             moves the floor
//   the build             the firmware did not run before it was compiled                           yes
//   a signed release      the device did not verify it before it was made                           yes, and is stored
//   the count since boot  so much later than the boot began                                         yes, and is stored
//   a statement           the time, signed for this device's own question (trust/statement.ts)        yes, and is stored
//   a server              the time, if it is between the floor and the ceiling; else it is ignored   no
//
// Where statements are asked for, the floor alone is what dates are compared with: no server's word counts. What never happens has no time: no
// expiry is `undefined`.

import { daysUntil } from "./calendar.js";
import { readDigits } from "./digits.js";
import type { Effect } from "./effect.js";

/** NVS key of the floor, seconds since 1970. */
export const FLOOR_KEY = "clock.floor";

export const DAY_SECONDS = 86_400;
/** A server's clock may be this much behind the floor. */
const TOLERANCE_SECONDS = 300;
/** No device runs one firmware for longer, and no clock is right that says so. */
const LIFETIME_SECONDS = 30 * 365 * DAY_SECONDS;
/** Older than this file: the floor of a build that has no date (2025-01-01). */
const SOURCE_DATE = 1_735_689_600;
/** Year 2106: seconds since 1970 that fit 32 bits, as in a manifest. */
const LATEST = 0xffffffff;

export interface Clock {
  /** When this boot began, at the earliest: seconds since 1970. */
  readonly bootedAfter: number;
  /** No later time is believed. */
  readonly ceiling: number;
  /** The floor as the next boot will find it, by the build or in NVS. */
  readonly kept: number;
  /** The last time of a server that was believed, and when it came, ms since the boot. */
  readonly told: { readonly time: number; readonly at: number } | undefined;
  /** The last one was not believed, and that was logged. */
  readonly isDoubting: boolean;
}

export type ClockStep = readonly [Clock, readonly Effect[]];

export const initialClock: Clock = Object.freeze({
  bootedAfter: SOURCE_DATE,
  ceiling: LATEST,
  kept: SOURCE_DATE,
  told: undefined,
  isDoubting: false,
});

/** @param compileDate such as `Nov 21 2026`, as the image's description has it */
export function clockAtBoot(
  compileDate: string | undefined,
  stored: Readonly<Record<string, string>>,
): Clock {
  const built = Math.max(SOURCE_DATE, dateOf(compileDate ?? "") ?? 0);
  const ceiling = Math.min(LATEST, built + LIFETIME_SECONDS);
  const text = stored[FLOOR_KEY] ?? "";
  const floor = readDigits(text, 10) ?? 0;
  const bootedAfter = floor <= ceiling ? Math.max(built, floor) : built;
  return { ...initialClock, bootedAfter, ceiling, kept: bootedAfter };
}

/** It is not earlier than this. */
export const earliestAt = ({ bootedAfter }: Clock, at: number): number => bootedAfter + secondsOf(at);

/** The server's time, if one was believed since the boot. */
export const toldAt = ({ told }: Clock, at: number): number | undefined =>
  told && told.time + secondsOf(at - told.at);

/** What certificates are judged by: the floor says what has expired, and a server's time what is not valid yet. */
export const certificateTime = ({ bootedAfter, told }: Clock): Effect => ({
  type: "setTime",
  bootedAfter,
  toldBoot: told && told.time - secondsOf(told.at),
});

/** By a server's time a certificate was not valid yet: that time is wrong, or the certificate is. The next try is made without it. */
export const forgetTold = (clock: Clock): Clock => ({ ...clock, told: undefined });

/** What a date is compared with. */
export const timeAt = (clock: Clock, at: number): number =>
  Math.max(earliestAt(clock, at), toldAt(clock, at) ?? 0);

/** Whether a server's time may be right. */
const isLikely = (clock: Clock, time: number, at: number): boolean =>
  Number.isFinite(time) && time >= earliestAt(clock, at) - TOLERANCE_SECONDS && time <= clock.ceiling;

/** The server's time as it would be known after this answer. */
export const heardAt = (clock: Clock, time: number | undefined, at: number): number | undefined =>
  time !== undefined && isLikely(clock, time, at) ? Math.floor(time) : toldAt(clock, at);

/** A server has said what time it is: until the next one does. */
export function tell(clock: Clock, time: number, at: number): ClockStep {
  if (isLikely(clock, time, at))
    return kept({ ...clock, told: { time: Math.floor(time), at }, isDoubting: false }, at);
  const [next, effects] = kept({ ...clock, isDoubting: true }, at);
  if (clock.isDoubting) return [next, effects];
  const message = `the server's time, ${time}, is not believed: it is between ${earliestAt(clock, at)} and ${clock.ceiling} (seconds since 1970)`;
  return [next, [{ type: "log", level: "warn", message }, ...effects]];
}

/**
 * Something signed was made at this time, so it is later now. One that is dated a day after the server's time was made by a clock that is
 * wrong, or the server's is: it proves nothing, since the floor could never be moved back.
 */
export function provedAfter(clock: Clock, time: number, at: number): ClockStep {
  const latest = Math.min(clock.ceiling, (toldAt(clock, at) ?? clock.ceiling) + DAY_SECONDS);
  if (time > latest || time <= earliestAt(clock, at)) return [clock, NOTHING];
  return kept({ ...clock, bootedAfter: time - secondsOf(at) }, at);
}

/** A statement for this device's own question says what time it is. An earlier time than the floor moves nothing. */
export function stated(clock: Clock, time: number, at: number): ClockStep {
  if (time > clock.ceiling || time <= earliestAt(clock, at)) return [clock, NOTHING];
  return kept({ ...clock, bootedAfter: time - secondsOf(at) }, at);
}

/** Flash wears: the floor is stored when it has moved by a day. */
function kept(clock: Clock, at: number): ClockStep {
  const floor = earliestAt(clock, at);
  if (floor - clock.kept < DAY_SECONDS || floor > clock.ceiling) return [clock, NOTHING];
  return [{ ...clock, kept: floor }, [{ type: "store", key: FLOOR_KEY, value: `${floor}` }]];
}

const NOTHING: readonly Effect[] = Object.freeze([]);

const secondsOf = (ms: number): number => Math.floor(ms / 1000);

const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";

/** The day before a date of C's `__DATE__`, which is local to the compiler; `undefined`: it is no date. */
function dateOf(text: string): number | undefined {
  const [, name = "", day, year] = /^([A-Z][a-z]{2}) ([ \d]\d) (\d{4})$/.exec(text) ?? [];
  const month = MONTHS.indexOf(name) / 3;
  if (year === undefined || !Number.isInteger(month) || month < 0) return undefined;
  const seconds = (daysUntil(Number(year), month + 1, Number(day)) - 1) * DAY_SECONDS;
  return seconds <= LATEST ? seconds : undefined;
}
