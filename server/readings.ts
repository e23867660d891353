// What a device's sensors say in a request of any kind.

import type { Readings } from "../firmware/core/wire.js";

/** `null`: nothing. */
export function readingsIn({ temperature_c, humidity_percent, battery_percent }: Readings): Readings | null {
  const readings: Readings = {
    ...(temperature_c === undefined ? {} : { temperature_c }),
    ...(humidity_percent === undefined ? {} : { humidity_percent }),
    ...(battery_percent === undefined ? {} : { battery_percent }),
  };
  return Object.keys(readings).length === 0 ? null : readings;
}
