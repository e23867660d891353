// Numbers in the reasons that rollouts give. Pure.

import { percent } from "../shared/words.js";

export const percentOf = (count: number, total: number): string => percent(total === 0 ? 0 : count / total);

/** Such as `90 min` or `3 d`. */
export function duration(ms: number): string {
  const units = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["min", 60_000],
    ["s", 1000],
  ] as const;
  const [unit, size] = units.find(([, size]) => ms >= size && ms % size === 0) ?? units[3];
  return `${Math.round((ms / size) * 10) / 10} ${unit}`;
}
