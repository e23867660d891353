// What the sensors of a device said over time: the last three days by the hour, or a year by the day.

import { useState } from "preact/hooks";
import type { ReadingSampleView } from "../../../api/device-views.js";
import { useData } from "../data.js";
import { dayOf } from "../format.js";
import { ChoiceField } from "../parts/fields.js";
import { ReadingChart } from "../parts/reading-chart.js";

const HOUR_MS = 3_600_000;
const SPANS = [
  ["3", "Three days, hourly"],
  ["30", "A month"],
  ["365", "A year"],
] as const;
const KINDS = [
  ["temperature_c", "Temperature", " °C"],
  ["humidity_percent", "Humidity", " %"],
  ["battery_percent", "Battery", " %"],
  ["rssi", "Wi-Fi signal", " dBm"],
] as const;

interface ReadingsAnswer {
  readonly hourly_days: number;
  readonly samples: readonly ReadingSampleView[];
}

/** Nothing of a device without sensors. */
export function ReadingHistory({ path }: { readonly path: string }) {
  const [days, setDays] = useState<(typeof SPANS)[number][0]>("3");
  const { data } = useData<ReadingsAnswer>(`${path}/readings?days=${days}`);
  const samples = data?.samples ?? [];
  if (samples.length === 0) return null;
  const newest = Date.parse(samples.at(-1)?.time ?? "");
  const hourlySince = newest - (data?.hourly_days ?? 0) * 24 * HOUR_MS;
  const curves = KINDS.map(([name, title, unit]) => {
    const points = samples.flatMap((sample) => {
      const value = sample[name];
      return value === null ? [] : [{ time: Date.parse(sample.time), value }];
    });
    return { title, unit, points };
  }).filter(({ points }) => points.length > 1);
  return (
    <section aria-label="Readings">
      <h2>Readings</h2>
      <div class="card padded readings">
        <ChoiceField label="Of the last" value={days} choices={SPANS} onChange={setDays} />
        {curves.length === 0 && (
          <p class="quiet">Too little history for a chart: a sample is taken every hour.</p>
        )}
        {curves.map(({ title, unit, points }) => (
          <ReadingChart
            key={title}
            name={title}
            unit={unit}
            points={points}
            longestGapMs={(time) => (time < hourlySince ? 49 : 2.5) * HOUR_MS}
          />
        ))}
        {curves.length > 0 && (
          <p class="axis">
            <span>{dayOf(Date.parse(samples[0]?.time ?? ""))}</span>
            <span>now</span>
          </p>
        )}
      </div>
    </section>
  );
}
