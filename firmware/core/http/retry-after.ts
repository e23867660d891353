// How long a server asks to wait before the next request (RFC 9110, 10.2.3): seconds, or a date, which is compared with the date of the
// same answer. Never longer than a day, whatever it says.

import { daysUntil } from "../calendar.js";
import { readDigits } from "../digits.js";
import type { Headers } from "./answer-head.js";

const MAX_RETRY_AFTER_MS = 86_400_000;

/** @param time what is known of the time, seconds since 1970, for an answer without a date of its own */
export function retryAfterMs(headers: Headers, time: number | undefined): number {
  const text = headers["retry-after"] ?? "";
  const seconds =
    readDigits(text) ?? secondsUntil(readHttpDate(text), readHttpDate(headers.date ?? "") ?? time);
  return Math.min(MAX_RETRY_AFTER_MS, Math.max(0, seconds) * 1000);
}

const secondsUntil = (date: number | undefined, now: number | undefined): number =>
  date === undefined || now === undefined ? 0 : date - now;

const MONTHS: readonly string[] = Object.freeze("jan feb mar apr may jun jul aug sep oct nov dec".split(" "));
const DAYS: readonly number[] = Object.freeze([31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);
const MAX_DATE_LENGTH = 40;

/**
 * Seconds since 1970 of a date in any of the three formats that may occur (RFC 9110, 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`,
 * `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`. `undefined`: it is none.
 */
export function readHttpDate(text: string): number | undefined {
  if (text.length > MAX_DATE_LENGTH) return undefined;
  const words = text.split(/[ ,-]/).filter((word) => word !== "");
  const isAsctime = words.length === 5;
  if (!isAsctime && (words.length !== 6 || words[5] !== "GMT")) return undefined;
  const [, first = "", second = "", third = "", fourth = ""] = words;
  return isAsctime ? secondsOf(second, first, fourth, third) : secondsOf(first, second, third, fourth);
}

function secondsOf(
  dayText: string,
  monthText: string,
  yearText: string,
  timeText: string,
): number | undefined {
  const month = MONTHS.indexOf(monthText.toLowerCase());
  const day = readDigits(dayText, 2) ?? 0;
  const year = readYear(yearText);
  const seconds = readTimeOfDay(timeText);
  if (month < 0 || day < 1 || day > (DAYS[month] ?? 0) || year === undefined || seconds === undefined)
    return undefined;
  return daysUntil(year, month + 1, day) * 86_400 + seconds;
}

/** Two digits are of the years 1970 to 2069. */
function readYear(text: string): number | undefined {
  const year = readDigits(text, 4);
  if (year === undefined || (text.length !== 4 && text.length !== 2)) return undefined;
  const whole = text.length === 4 ? year : year + (year < 70 ? 2000 : 1900);
  return whole < 1970 ? undefined : whole;
}

function readTimeOfDay(text: string): number | undefined {
  const [hour, minute, second, more] = text.split(":").map((part) => readDigits(part, 2));
  if (hour === undefined || minute === undefined || second === undefined || more !== undefined)
    return undefined;
  return hour > 23 || minute > 59 || second > 60 ? undefined : (hour * 60 + minute) * 60 + second;
}
