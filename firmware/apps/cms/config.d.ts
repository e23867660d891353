// What a build of `cms` is configured with besides what every build is: "config" in manifest-app.json.

import type { SleepSettings } from "./core/sleep.js";

export interface CmsConfig {
  /** The panel's size in pixels, its pins, and the SPI host of the chip (1 is SPI2). */
  readonly panel?: {
    readonly width: number;
    readonly height: number;
    readonly select: number;
    readonly command: number;
    readonly reset: number;
    readonly busy: number;
    readonly clock: number;
    readonly data: number;
    readonly port: number;
  };
  /** How often the picture and the sensors are refreshed while the device is awake. */
  readonly refreshSeconds?: number;
  /** An SHT3x on I2C: pins of the bus, and the sensor's address on it. */
  readonly sensor?: { readonly data: number; readonly clock: number; readonly address: number };
  /** A pin behind a divider, and the divider's voltage for one volt at the battery, 0 to 1. */
  readonly battery?: { readonly pin: number; readonly share: number };
  readonly sleep?: SleepSettings;
}
