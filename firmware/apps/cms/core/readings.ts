// Converts sensor values to readings for the server: within the sensors' ranges, rounded to their resolution, the battery as a percentage of
// its charge. Values out of range are left out: a wrong reading is worse than none.

import type { Readings } from "../../../core/wire.js";

/** Raw values; absent: no such sensor, or it could not be read. */
export interface Sample {
  readonly temperatureC?: number;
  /** Relative humidity, 0 to 100. */
  readonly humidityPercent?: number;
  /** Voltage of a lithium cell. */
  readonly batteryMillivolts?: number;
}

/** Ranges of the SHT3x (datasheet, section 1), and of a lithium cell with a regulator behind it. */
const TEMPERATURE_C = Object.freeze([-40, 125] as const);
const HUMIDITY_PERCENT = Object.freeze([0, 100] as const);
const BATTERY_MILLIVOLTS = Object.freeze([2_500, 4_400] as const);

/** Millivolts of a lithium cell at rest, and per cent of its charge; in between it is nearly straight. */
const CHARGE: readonly (readonly [number, number])[] = Object.freeze([
  Object.freeze([3_300, 0] as const),
  Object.freeze([3_600, 10] as const),
  Object.freeze([3_700, 25] as const),
  Object.freeze([3_800, 50] as const),
  Object.freeze([3_950, 75] as const),
  Object.freeze([4_150, 100] as const),
]);

export function readingsOf({ temperatureC, humidityPercent, batteryMillivolts }: Sample): Readings {
  return {
    ...(within(temperatureC, TEMPERATURE_C) ? { temperature_c: tenths(temperatureC) } : {}),
    ...(within(humidityPercent, HUMIDITY_PERCENT) ? { humidity_percent: tenths(humidityPercent) } : {}),
    ...(within(batteryMillivolts, BATTERY_MILLIVOLTS)
      ? { battery_percent: chargePercent(batteryMillivolts) }
      : {}),
  };
}

const within = (value: number | undefined, [least, most]: readonly [number, number]): value is number =>
  value !== undefined && value >= least && value <= most;

const tenths = (value: number): number => Math.round(value * 10) / 10;

/** Charge of a lithium cell, 0 to 100, from its voltage at rest. */
export function chargePercent(millivolts: number): number {
  let [lowMillivolts, lowPercent] = CHARGE[0] ?? [0, 0];
  if (millivolts <= lowMillivolts) return 0;
  for (const [highMillivolts, highPercent] of CHARGE) {
    if (millivolts <= highMillivolts) {
      const share = (millivolts - lowMillivolts) / Math.max(1, highMillivolts - lowMillivolts);
      return Math.round(lowPercent + share * (highPercent - lowPercent));
    }
    lowMillivolts = highMillivolts;
    lowPercent = highPercent;
  }
  return 100;
}
