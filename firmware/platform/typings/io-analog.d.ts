// modules/io/analog.

declare module "embedded:io/analog" {
  export default class Analog {
    /** Throws RangeError when the pin is in use or has no converter. */
    constructor(options: { readonly pin: number });
    /** 0 to 2 ** resolution - 1, calibrated; the full scale is 2450 mV. */
    read(): number;
    /** Bits. */
    readonly resolution: number;
    close(): void;
  }
}
