// What one sensor said over time: a line, broken where nothing was heard, described in words for screen readers.

import { dayOf } from "../format.js";

const WIDTH = 600;
const HEIGHT = 80;
/** Room for the line's own width. */
const MARGIN = 3;

export interface Point {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly value: number;
}

interface ChartProps {
  readonly name: string;
  readonly unit: string;
  /** Oldest first, at least two. */
  readonly points: readonly Point[];
  /** Points further apart are not joined, milliseconds. */
  readonly longestGapMs: (time: number) => number;
}

export function ReadingChart({ name, unit, points, longestGapMs }: ChartProps) {
  const values = points.map(({ value }) => value);
  const least = Math.min(...values);
  const most = Math.max(...values);
  const last = values.at(-1) ?? 0;
  const range = `${text(least)} to ${text(most)}${unit}`;
  return (
    <figure class="chart reading">
      <figcaption>
        {name} <strong>{`${text(last)}${unit}`}</strong> <span class="quiet">{range}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${name} since ${dayOf(points[0]?.time ?? 0)}: ${range}, last ${text(last)}${unit}`}
      >
        {linesOf(points, longestGapMs).map((line) => (
          <polyline key={line[0]?.time} points={cornersOf(line, points, least, most)} />
        ))}
      </svg>
    </figure>
  );
}

const text = (value: number): string => `${Math.round(value * 10) / 10}`;

function linesOf(points: readonly Point[], longestGapMs: ChartProps["longestGapMs"]): readonly Point[][] {
  const lines: Point[][] = [];
  for (const point of points) {
    const line = lines.at(-1);
    const before = line?.at(-1);
    if (line && before && point.time - before.time <= longestGapMs(before.time)) line.push(point);
    else lines.push([point]);
  }
  return lines;
}

function cornersOf(line: readonly Point[], all: readonly Point[], least: number, most: number): string {
  const start = all[0]?.time ?? 0;
  const span = Math.max((all.at(-1)?.time ?? 0) - start, 1);
  const height = HEIGHT - 2 * MARGIN;
  const x = ({ time }: Point) => (WIDTH * (time - start)) / span;
  const y = ({ value }: Point) =>
    MARGIN + (most === least ? height / 2 : height * (1 - (value - least) / (most - least)));
  const corners = line.map((point) => `${x(point).toFixed(1)},${y(point).toFixed(1)}`);
  // a lone point is a short line
  const [only] = line;
  if (line.length === 1 && only) corners.push(`${(x(only) + 2).toFixed(1)},${y(only).toFixed(1)}`);
  return corners.join(" ");
}
