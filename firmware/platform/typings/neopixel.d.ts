// modules/drivers/neopixel (the part that is used here).

declare module "neopixel" {
  interface Options {
    /** GPIO number. One that cannot be an output restarts the chip: the driver does not check it. */
    readonly pin: number;
    /** Pixels. */
    readonly length: number;
    /** The order in which a pixel takes its channels; `GRB` if absent. */
    readonly order?: string;
  }

  export default class NeoPixel {
    constructor(options: Options);
    /** Switches all pixels off. */
    close(): void;
    /** Sends the pixels; comes back when sending has begun. */
    update(): void;
    /** A colour for setPixel and fill, in the strip's order; channels 0 to 255. */
    makeRGB(red: number, green: number, blue: number): number;
    setPixel(index: number, colour: number): void;
    fill(colour: number, index?: number, count?: number): void;
    getPixel(index: number): number | undefined;
    /** 0 to 255; each channel is sent as `channel * brightness >> 8`. 64 at first. */
    brightness: number;
    readonly length: number;
    readonly byteLength: number;
  }
}
