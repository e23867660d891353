// Whether a device is online, by its own check interval: one that checks once a day is not offline after ten minutes.

export type DeviceStatus = "online" | "late" | "offline";

/** For networks, restarts and updates, however short the interval. */
export const GRACE_MS = 60_000;

export interface Patience {
  readonly intervals: number;
  readonly usual: number;
}
/** How many of its own intervals a device may be silent, besides the grace; or of the usual time, if it has not reported an interval. */
export const PATIENCE: Readonly<Record<"online" | "late", Patience>> = Object.freeze({
  online: Object.freeze({ intervals: 1.5, usual: 1 }),
  late: Object.freeze({ intervals: 4, usual: 3 }),
});

/**
 * `online`: seen within one interval and a half. `late`: a check or two were missed. `offline`: longer silent than that.
 * Without an interval, `usualMs` is how long a silent device counts as online. Times are milliseconds.
 */
export function statusOf(
  silentMs: number,
  intervalSeconds: number | null | undefined,
  usualMs: number,
): DeviceStatus {
  const patienceMs = ({ intervals, usual }: Patience) =>
    intervalSeconds == null ? usual * usualMs : intervalSeconds * intervals * 1000 + GRACE_MS;
  if (silentMs < patienceMs(PATIENCE.online)) return "online";
  return silentMs < patienceMs(PATIENCE.late) ? "late" : "offline";
}
