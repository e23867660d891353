// What is around a virtual device and can be measured: a living room in whose days it gets warmer and cooler, a battery that slowly
// empties, and what is soldered to the board. Depends on the world's time only, so that the same seed gives the same run.

export interface Surroundings {
  readonly temperatureC: number;
  /** Relative humidity, 0 to 100. */
  readonly humidityPercent: number;
  readonly batteryMillivolts: number;
  /** False: nothing answers on the pins of the panel, or on the bus of the sensor. */
  readonly hasPanel: boolean;
  readonly hasSensor: boolean;
  /** Of the system's heap, with the network up, before TLS takes anything of it. */
  readonly freeHeapBytes: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const FULL_MILLIVOLTS = 4_150;
const EMPTY_MILLIVOLTS = 3_300;
/** What an app with the network up has left; the virtual device has no real heap to ask. */
const FREE_HEAP_BYTES = 209 * 1024;
/** A cell of 2000 mAh that lasts two months. */
const MILLIVOLTS_A_DAY = 14;

/** A home, `atMs` of the world's time after midnight. */
export function home(atMs: number): Surroundings {
  const angle = (2 * Math.PI * atMs) / DAY_MS;
  return {
    temperatureC: 20.5 - 2 * Math.cos(angle),
    humidityPercent: 46 + 5 * Math.cos(angle),
    batteryMillivolts: Math.max(EMPTY_MILLIVOLTS, FULL_MILLIVOLTS - (MILLIVOLTS_A_DAY * atMs) / DAY_MS),
    hasPanel: true,
    hasSensor: true,
    freeHeapBytes: FREE_HEAP_BYTES,
  };
}
