// modules/drivers/sensors/sht3x: temperature and humidity (Sensirion SHT3x).

declare module "embedded:sensor/Humidity-Temperature/SHT3x" {
  import type I2C from "embedded:io/i2c";

  interface Options {
    readonly sensor: {
      readonly io: typeof I2C;
      readonly data: number;
      readonly clock: number;
      readonly address?: number;
      readonly hz?: number;
    };
    readonly onError?: (message: string) => void;
  }

  interface Sample {
    /** Degrees Celsius; absent after a wrong checksum. */
    readonly thermometer: { readonly temperature?: number };
    /** Per cent, 0 to 100. */
    readonly hygrometer: { readonly humidity?: number };
  }

  export default class SHT3x {
    /** Resets the sensor: throws what the bus throws when it is not there. */
    constructor(options: Options);
    /** Takes some 150 ms. */
    sample(): Sample;
    close(): void;
  }
}
