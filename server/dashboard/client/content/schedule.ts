// When a picture is shown: as a form, as a request, and in words. Pure except for this computer's time zone, in which times are entered and
// shown.

import type { AssignmentView } from "../../../api/content-views.js";
import { moment, WEEKDAYS } from "../format.js";

export interface Schedule {
  /** As `<input type="datetime-local">` has it; empty: immediately, or without end. */
  readonly from: string;
  readonly until: string;
  readonly isWeekly: boolean;
  /** 1 is Monday. */
  readonly weekdays: readonly number[];
  /** `HH:MM`. */
  readonly start: string;
  readonly end: string;
  readonly timeZone: string;
}

export const newSchedule = (): Schedule => ({
  from: "",
  until: "",
  isWeekly: false,
  weekdays: [1, 2, 3, 4, 5],
  start: "08:00",
  end: "18:00",
  timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
});

/** The times of an assignment request. */
export function toTerms({ from, until, isWeekly, weekdays, start, end, timeZone }: Schedule): object {
  return {
    ...(from === "" ? {} : { from: new Date(from).toISOString() }),
    ...(until === "" ? {} : { until: new Date(until).toISOString() }),
    ...(isWeekly
      ? {
          windows: { time_zone: timeZone, spans: [{ weekdays: [...weekdays].sort(), from: start, to: end }] },
        }
      : {}),
  };
}

/** What is wrong, as a sentence; empty: nothing. */
export function findProblem({ from, until, isWeekly, weekdays, start, end }: Schedule): string {
  if (from !== "" && until !== "" && until <= from) return "The end must be after the beginning.";
  if (isWeekly && weekdays.length === 0) return "Choose at least one day of the week.";
  if (isWeekly && (start === "" || end === "")) return "Enter the start and end time of these days.";
  return "";
}

type Times = Pick<AssignmentView, "from" | "until" | "windows">;

/** `from 21 Nov 2026, 14:00 · Mon–Fri 08:00–18:00 (Europe/Berlin)`, or `always`. */
export function describe({ from, until, windows }: Times): string {
  const parts = [
    ...(from ? [`from ${moment(from)}`] : []),
    ...(until ? [`until ${moment(until)}`] : []),
    ...(windows ? [`${windows.spans.map(describeSpan).join(", ")} (${windows.time_zone})`] : []),
  ];
  return parts.length === 0 ? "always" : parts.join(" · ");
}

const describeSpan = (span: NonNullable<Times["windows"]>["spans"][number]): string =>
  `${describeDays(span.weekdays)} ${span.from === span.to ? "all day" : `${span.from}–${span.to}`}`;

function describeDays(weekdays: readonly number[]): string {
  const days = [...new Set(weekdays)].sort();
  const [first = 1] = days;
  const last = days.at(-1) ?? 7;
  const name = (day: number) => WEEKDAYS[day - 1]?.[1] ?? "";
  if (days.length === 7) return "daily";
  if (days.length > 2 && last - first === days.length - 1) return `${name(first)}–${name(last)}`;
  return days.map(name).join(", ");
}

export type State = "on" | "waits" | "pauses" | "over";

export const STATE_WORDS: Readonly<Record<State, string>> = Object.freeze({
  on: "in force",
  waits: "begins later",
  pauses: "not at this hour",
  over: "over",
});

/** As of the server's answer. */
export function stateOf(assignment: Times & { readonly is_in_force: boolean }, now: number): State {
  if (assignment.is_in_force) return "on";
  if (assignment.until && Date.parse(assignment.until) <= now) return "over";
  return assignment.from && Date.parse(assignment.from) > now ? "waits" : "pauses";
}
