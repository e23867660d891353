// Times as a person reads them: in the zone of this machine, or in UTC with `--utc`, and always with the zone. `--json` has them in ISO 8601.

/** `undefined`: the machine's. */
let zone: string | undefined;

/** For all times that are printed from now on. */
export function showTimesIn(timeZone: string | undefined): void {
  zone = timeZone;
}

type Time = string | null | undefined;

/** `2026-11-30`, in that zone. @param time in ISO 8601; what is none comes back as it is */
export const toDay = (time: Time): string | undefined => shown(time, ({ day }) => day);
/** `2026-11-30 16:47 +01:00` */
export const toMinute = (time: Time): string | undefined =>
  shown(time, ({ day, minute, offset }) => `${day} ${minute} ${offset}`);
/** `2026-11-30 16:47:24 +01:00` */
export const toSecond = (time: Time): string | undefined =>
  shown(time, ({ day, minute, second, offset }) => `${day} ${minute}:${second} ${offset}`);

interface Parts {
  readonly day: string;
  readonly minute: string;
  readonly second: string;
  /** `UTC`, or what is added to it, such as `+01:00`. */
  readonly offset: string;
}

function shown(time: Time, write: (parts: Parts) => string): string | undefined {
  if (time === null || time === undefined) return undefined;
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? time : write(partsOf(date));
}

function partsOf(date: Date): Parts {
  // A format of its own for each: a command prints some hundred at most, and TZ may have been changed since the last.
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZoneName: "longOffset",
  });
  const parts = Object.fromEntries(format.formatToParts(date).map(({ type, value }) => [type, value]));
  const offset = parts.timeZoneName?.replace("GMT", "");
  return {
    day: `${parts.year}-${parts.month}-${parts.day}`,
    minute: `${parts.hour}:${parts.minute}`,
    second: `${parts.second}`,
    offset: !offset || offset === "+00:00" ? "UTC" : offset,
  };
}
