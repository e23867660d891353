// The fleet's versions over time: a stacked chart, described in words for screen readers.

import type { HistoryView } from "../../../api/fleet-views.js";
import { dayOf } from "../format.js";
import { outlineLayers, stackVersions } from "./version-stack.js";

const WIDTH = 600;
const HEIGHT = 160;
/** Of less, a chart would be a triangle. */
const LEAST_SPAN_MS = 3 * 3_600_000;

export function VersionChart({ samples }: { readonly samples: HistoryView["samples"] }) {
  const stack = stackVersions(samples);
  const [first = 0] = stack.times;
  const spanMs = (stack.times.at(-1) ?? first) - first;
  return (
    <figure class="chart">
      {spanMs >= LEAST_SPAN_MS ? (
        <>
          <svg
            viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
            preserveAspectRatio="none"
            role="img"
            aria-label={`Versions since ${dayOf(first)}: ${describe(stack.layers)}`}
          >
            {outlineLayers(stack, WIDTH, HEIGHT).map((corners, index) => (
              <polygon
                key={stack.layers[index]?.name}
                style={{ "--layer": `var(--layer-${index})` }}
                points={corners.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ")}
              />
            ))}
          </svg>
          <p class="axis">
            <span>{dayOf(first)}</span>
            <span>now</span>
          </p>
        </>
      ) : (
        <p class="quiet">Too little history for a chart: a sample is taken every hour.</p>
      )}
      <figcaption>
        <ul class="legend">
          {stack.layers.map(({ name, counts }, index) => (
            <li key={name}>
              <span class="swatch" style={{ "--layer": `var(--layer-${index})` }} aria-hidden="true" />
              <span class="mono">{name}</span>
              <strong>{(counts.at(-1) ?? 0).toLocaleString("en")}</strong>
            </li>
          ))}
        </ul>
      </figcaption>
    </figure>
  );
}

const describe = (layers: ReturnType<typeof stackVersions>["layers"]): string =>
  layers
    .map(({ name, counts }) => `${name} ran on ${counts[0] ?? 0}, runs on ${counts.at(-1) ?? 0}`)
    .join("; ");
