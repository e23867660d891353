// Figures as people read them, on pages and on the command line. Pure.

/** `90 s`, `5 min`, `1 h`, `2 days`: as round as it is. */
export function duration(seconds: number): string {
  if (seconds >= 86_400 && seconds % 86_400 === 0) return plural(seconds / 86_400, "day");
  if (seconds >= 3600 && seconds % 3600 === 0) return `${seconds / 3600} h`;
  if (seconds >= 60 && seconds % 60 === 0) return `${seconds / 60} min`;
  return `${seconds} s`;
}

export const percent = (fraction: number): string => `${Math.round(fraction * 1000) / 10} %`;

/** `1 device`, `2 devices`, `100,000 devices`. */
export const plural = (count: number, noun: string): string =>
  `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

/** Words that are joined by `_` in the API. */
export const words = (name: string): string => name.replaceAll("_", " ");
