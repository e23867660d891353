// Temperature and humidity from a Sensirion SHT3x, the battery's voltage from a pin behind a divider. A sensor that is
// missing or does not answer is left out of the sample. core/readings.ts converts the values.

import Analog from "embedded:io/analog";
import I2C from "embedded:io/i2c";
import SHT3x from "embedded:sensor/Humidity-Temperature/SHT3x";
import type { CmsConfig } from "../config.js";
import type { Sample } from "../core/readings.js";

type Climate = Pick<CmsConfig, "sensor" | "battery">;

/** Full scale of the SDK's Analog (modules/io/analog/esp32: its 12 dB range, calibrated). */
const FULL_SCALE_MILLIVOLTS = 2_450;
/** The converter is noisy. */
const SAMPLE_COUNT = 8;

export function sampleClimate({ sensor, battery }: Climate): Sample {
  return { ...attempt("sensor", sensor, readSensor), ...attempt("battery", battery, readBattery) };
}

function attempt<Settings>(
  name: string,
  settings: Settings | undefined,
  read: (settings: Settings) => Sample,
): Sample {
  if (settings === undefined) return {};
  try {
    return read(settings);
  } catch (error) {
    trace(`warn: ${name} cannot be read: ${error}\n`);
    return {};
  }
}

function readSensor({ data, clock, address }: NonNullable<Climate["sensor"]>): Sample {
  let bus: I2C | undefined;
  // without a sensor the driver's constructor throws and leaves the bus open, and its address in use forever
  function openBus(options: ConstructorParameters<typeof I2C>[0]): I2C {
    bus = new I2C(options);
    return bus;
  }
  try {
    const io = openBus as unknown as typeof I2C; // what a constructor returns is what `new` gives
    const sensor = new SHT3x({ sensor: { io, data, clock, address, hz: 100_000 } });
    const { thermometer, hygrometer } = sensor.sample();
    return {
      ...(thermometer.temperature === undefined ? {} : { temperatureC: thermometer.temperature }),
      ...(hygrometer.humidity === undefined ? {} : { humidityPercent: hygrometer.humidity }),
    };
  } finally {
    bus?.close();
  }
}

function readBattery({ pin, share }: NonNullable<Climate["battery"]>): Sample {
  const analog = new Analog({ pin });
  try {
    let sum = 0;
    for (let i = 0; i < SAMPLE_COUNT; i++) sum += analog.read();
    const scale = 2 ** analog.resolution - 1;
    const millivolts = (sum / SAMPLE_COUNT / scale) * FULL_SCALE_MILLIVOLTS;
    return { batteryMillivolts: Math.round(millivolts / share) };
  } finally {
    analog.close();
  }
}
