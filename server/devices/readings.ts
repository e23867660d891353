// What a device's sensors say in a request of any kind.

import type { Readings } from "../../firmware/core/wire.js";

/** `null`: nothing. */
export function readingsIn({ temperature_c, humidity_percent, battery_percent }: Readings): Readings | null {
  if (temperature_c === undefined && humidity_percent === undefined && battery_percent === undefined)
    return null;
  return {
    ...(temperature_c === undefined ? {} : { temperature_c }),
    ...(humidity_percent === undefined ? {} : { humidity_percent }),
    ...(battery_percent === undefined ? {} : { battery_percent }),
  };
}
