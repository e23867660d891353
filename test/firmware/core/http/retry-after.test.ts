// Retry-After: seconds or a date, in any of the formats that servers use; never more than a day, and nothing if it says nothing.

import { expect } from "chai";
import { readHttpDate, retryAfterMs } from "../../../../firmware/core/http/retry-after.js";

const DAY_MS = 86_400_000;
const NOW = 784_111_777; // Sun, 06 Nov 1994 08:49:37 GMT

const asked = (value: string, date?: string, time?: number) =>
  retryAfterMs({ "retry-after": value, ...(date === undefined ? {} : { date }) }, time);

describe("a server that asks to wait", () => {
  it("in seconds is obeyed up to a day", () => {
    for (const [text, ms] of [
      ["0", 0],
      ["1", 1_000],
      ["3600", 3_600_000],
      ["0003600", 3_600_000],
      ["86400", DAY_MS],
      ["86401", DAY_MS],
      ["999999999999999", DAY_MS],
    ] as const)
      expect(asked(text), text).equal(ms);
  });

  it("until a date is obeyed by the date of the same answer, or else by the known time", () => {
    const later = "Sun, 06 Nov 1994 09:49:37 GMT";
    expect(asked(later, "Sun, 06 Nov 1994 08:49:37 GMT")).equal(3_600_000);
    expect(asked(later, "Sun, 06 Nov 1994 08:49:37 GMT", NOW + 3_599), "its own date counts").equal(
      3_600_000,
    );
    expect(asked(later, undefined, NOW)).equal(3_600_000);
    expect(asked(later, "yesterday", NOW)).equal(3_600_000);
    expect(asked(later), "no time is known").equal(0);
    expect(asked("Sun, 06 Nov 1994 08:49:36 GMT", undefined, NOW), "over").equal(0);
    expect(asked("Thu, 31 Dec 2099 23:59:59 GMT", undefined, NOW)).equal(DAY_MS);
  });

  for (const text of [
    "",
    "soon",
    "-1",
    "+60",
    "1.5",
    "1e3",
    "0x10",
    "60 s",
    "60, 60",
    "Sun, 06 Nov 1994",
    "Sun, 06 Nov 1994 08:49 GMT",
    "Sun, 06 Nov 1994 09:49:37 CET",
    "Sun, 32 Nov 1994 09:49:37 GMT",
    "Sun, 00 Nov 1994 09:49:37 GMT",
    "Sun, 06 Nix 1994 09:49:37 GMT",
    "Sun, 06 Nov 1994 24:49:37 GMT",
    "Sun, 06 Nov 1994 09:60:37 GMT",
    "Sun, 06 Nov 1994 09:49:61 GMT",
    "Sun, 06 Nov 19940 09:49:37 GMT",
    `Sun, 06 Nov 1994 09:49:37 GMT${" ".repeat(60)}`,
  ])
    it(`by "${text.slice(0, 32)}" asks for nothing`, () => expect(asked(text, undefined, NOW)).equal(0));

  it("reads the three formats of dates, leap days and leap seconds", () => {
    for (const [text, seconds] of [
      ["Sun, 06 Nov 1994 08:49:37 GMT", NOW],
      ["Sunday, 06-Nov-94 08:49:37 GMT", NOW],
      ["Sun Nov  6 08:49:37 1994", NOW],
      ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
      ["Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600],
      ["Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800],
      ["Mon, 30 Nov 2026 09:10:38 GMT", 1_796_029_838],
      ["Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800],
      ["Friday, 01-Jan-27 00:00:00 GMT", 1_798_761_600],
    ] as const)
      expect(readHttpDate(text), text).equal(seconds);
  });
});
