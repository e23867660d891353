// The number of devices by version, as layers of a stacked chart. Pure.

import type { VersionCountView } from "../../../api/fleet-views.js";

export interface VersionSample {
  /** ISO 8601. */
  readonly time: string;
  readonly versions: readonly VersionCountView[];
}

export interface Layer {
  readonly name: string;
  /** Devices at each time. */
  readonly counts: readonly number[];
}
export interface Stack {
  /** Milliseconds. */
  readonly times: readonly number[];
  /** The most common version last, on top of the others. */
  readonly layers: readonly Layer[];
  readonly maxTotal: number;
}

/** The number of colours that can be distinguished. */
const MAX_LAYER_COUNT = 6;
const OTHERS = "others";

/** Samples are in chronological order, the last is now. The most common current versions have layers of their own. */
export function stackVersions(samples: readonly VersionSample[]): Stack {
  const types = new Set(samples.flatMap(({ versions }) => versions.map(({ device_type }) => device_type)));
  const nameOf = ({ device_type, version }: VersionCountView) =>
    types.size > 1 ? `${device_type} ${version}` : version;
  const weights = new Map<string, number>();
  for (const [index, { versions }] of samples.entries()) {
    // Current versions rank before former ones.
    const weight = index === samples.length - 1 ? 1_000_000 : 1;
    for (const each of versions) {
      const name = nameOf(each);
      weights.set(name, (weights.get(name) ?? 0) + weight * each.device_count);
    }
  }
  const names = [...weights].sort(([, a], [, b]) => b - a).map(([name]) => name);
  const own = names.slice(0, names.length > MAX_LAYER_COUNT ? MAX_LAYER_COUNT - 1 : MAX_LAYER_COUNT);
  const shown = own.length < names.length ? [...own, OTHERS] : own;
  const layers = shown.map((name) => ({
    name,
    counts: samples.map(({ versions }) =>
      versions
        .filter((each) => (own.includes(nameOf(each)) ? nameOf(each) === name : name === OTHERS))
        .reduce((sum, { device_count }) => sum + device_count, 0),
    ),
  }));
  const totals = samples.map((_, index) => layers.reduce((sum, { counts }) => sum + (counts[index] ?? 0), 0));
  return {
    times: samples.map(({ time }) => Date.parse(time)),
    layers,
    maxTotal: Math.max(0, ...totals),
  };
}

/** Corners of each layer in a picture of this size, from the bottom up. */
export function outlineLayers(
  { times, layers, maxTotal }: Stack,
  width: number,
  height: number,
): readonly (readonly (readonly [x: number, y: number])[])[] {
  const [first = 0] = times;
  const span = Math.max(1, (times.at(-1) ?? 0) - first);
  const xOf = (time: number) => ((time - first) / span) * width;
  const yOf = (count: number) => height - (count / Math.max(1, maxTotal)) * height;
  const below = times.map(() => 0);
  return layers.map(({ counts }) => {
    const lower = times.map((time, index) => [xOf(time), yOf(below[index] ?? 0)] as const);
    const upper = times.map((time, index) => {
      below[index] = (below[index] ?? 0) + (counts[index] ?? 0);
      return [xOf(time), yOf(below[index])] as const;
    });
    return [...lower, ...upper.reverse()];
  });
}
