// Whether a device is there, judged by its own interval: one that checks once a day is not lost after ten minutes.

export type DeviceStatus = "online" | "late" | "offline";

/** For networks, restarts and updates, however short the interval. */
const GRACE_MS = 60_000;

/**
 * `online`: seen within one interval and a half. `late`: a check or two were missed. `offline`: longer silent than that.
 * Without an interval, `usualMs` is how long a silent device counts as online. Times are milliseconds.
 */
export function statusOf(
  silentMs: number,
  intervalSeconds: number | null | undefined,
  usualMs: number,
): DeviceStatus {
  const onlineMs = intervalSeconds == null ? usualMs : intervalSeconds * 1500 + GRACE_MS;
  const lateMs = intervalSeconds == null ? 3 * usualMs : intervalSeconds * 4000 + GRACE_MS;
  if (silentMs < onlineMs) return "online";
  return silentMs < lateMs ? "late" : "offline";
}
