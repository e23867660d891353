// Formats numbers and times.

export { duration, plural, words } from "../../shared/words.js";

/** `92 KiB`, `1.4 MiB`. */
export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  const kib = count / 1024;
  return kib < 1024 ? `${Math.round(kib)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
}

/** `now`, `40 s ago`, `3 min ago`. Both in milliseconds. */
export function ago(time: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - time) / 1000));
  if (seconds < 5) return "now";
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
}

/** `14:03:27`, in this computer's time zone. */
export const clock = (iso: string): string => new Date(iso).toLocaleTimeString(undefined, { hour12: false });

/** `1.1.0` or `1.1.0 (7)`. */
export const versionOf = (version: string, build: number): string =>
  build > 0 ? `${version} (${build})` : version;

export const signal = (rssi: number): string => {
  if (rssi >= -60) return "strong";
  return rssi >= -75 ? "fair" : "weak";
};

/** `21 Nov`, in this computer's time zone. Milliseconds. */
export const dayOf = (time: number): string =>
  new Date(time).toLocaleDateString("en-GB", { day: "numeric", month: "short" });

/** `21 Nov 2026, 14:03`, in this computer's time zone. */
export const moment = (iso: string): string =>
  new Date(iso).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** Words separated by commas or new lines. */
export const listOf = (text: string): string[] => [
  ...new Set(
    text
      .split(/[,\n]/)
      .map((part) => part.trim())
      .filter(Boolean),
  ),
];

/** Monday is 1. */
export const WEEKDAYS: readonly (readonly [day: number, name: string])[] = Object.freeze(
  ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].map((name, index) => [index + 1, name] as const),
);
