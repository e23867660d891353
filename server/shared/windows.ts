// Times of the week between which updates may begin, in a place's own clock. Pure: time zones come from the runtime's own tables.
// When clocks go forward, a span inside the missing hour does not open that day; when they go back, it is open twice.

import type { WindowSpan, Windows } from "./rollout.js";

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
/** No zone changes its offset between two of these. */
const QUARTER_MS = 15 * MINUTE_MS;
/** A week, and a day more for spans that a change of clocks swallowed. */
const SEARCH_MS = 15 * DAY_MINUTES * MINUTE_MS;

/** Whether updates may begin at this time. */
export function isOpen(windows: Windows | null, now: number): boolean {
  return windows === null || covers(windows.spans, localTime(windows.timeZone, now));
}

/** The first time from `now` on at which updates may begin, to the minute; `undefined`: none in the next two weeks. */
export function nextOpening(windows: Windows | null, now: number): number | undefined {
  if (windows === null || isOpen(windows, now)) return now;
  const { spans, timeZone } = windows;
  for (let at = now - (now % QUARTER_MS); at < now + SEARCH_MS; at += QUARTER_MS) {
    const local = localTime(timeZone, at);
    for (let minute = 0; minute < 15; minute++) {
      if (at + minute * MINUTE_MS > now && covers(spans, later(local, minute)))
        return at + minute * MINUTE_MS;
    }
  }
  return undefined;
}

/** What is wrong with windows as a sentence, or `undefined`. */
export function checkWindows({ timeZone, spans }: Windows): string | undefined {
  try {
    formatterOf(timeZone);
  } catch {
    return `"${timeZone}" is not a time zone: use an IANA name such as Europe/Berlin`;
  }
  if (spans.length === 0) return "windows without a span would never open";
  const wrong = spans.find(({ weekdays }) => weekdays.length === 0);
  return wrong && `the span from ${wrong.from} to ${wrong.to} has no weekday and would never open`;
}

interface LocalTime {
  /** 1 is Monday. */
  readonly weekday: number;
  /** Of the day. */
  readonly minute: number;
}

function covers(spans: readonly WindowSpan[], { weekday, minute }: LocalTime): boolean {
  return spans.some(({ weekdays, from, to }) => {
    const [start, end] = [minuteOf(from), minuteOf(to)];
    const today = weekdays.includes(weekday);
    if (start < end) return today && minute >= start && minute < end;
    const yesterday = weekdays.includes(weekday === 1 ? 7 : weekday - 1);
    return (today && minute >= start) || (yesterday && minute < end);
  });
}

const minuteOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));

const later = ({ weekday, minute }: LocalTime, minutes: number): LocalTime =>
  minute + minutes < DAY_MINUTES
    ? { weekday, minute: minute + minutes }
    : { weekday: (weekday % 7) + 1, minute: minute + minutes - DAY_MINUTES };

const WEEKDAYS = Object.freeze(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]);

function localTime(timeZone: string, time: number): LocalTime {
  const parts = formatterOf(timeZone).formatToParts(time);
  const read = (type: string) => parts.find((part) => part.type === type)?.value ?? "";
  return {
    weekday: WEEKDAYS.indexOf(read("weekday")) + 1,
    minute: Number(read("hour")) * 60 + Number(read("minute")),
  };
}

/** Making one costs as much as using it a hundred times. Names may be spelt in many ways, so the number is bounded. */
const MAX_FORMATTER_COUNT = 1000;
const formatters = new Map<string, Intl.DateTimeFormat>();

/** @throws RangeError for a zone that does not exist */
function formatterOf(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  if (formatters.size >= MAX_FORMATTER_COUNT) formatters.clear();
  formatters.set(timeZone, made);
  return made;
}
