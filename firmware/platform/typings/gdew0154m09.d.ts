// modules/drivers/gdew0154m09: a panel of 200 × 200 pixels, black and white. Its pins come from the global `device`.

declare module "gdew0154m09" {
  import type { PixelsOut } from "commodetto/Poco";

  export default class GDEW0154M09 implements PixelsOut {
    /** Resets the panel, some 300 ms. Throws `Error: time out` when it stays busy for a second. */
    constructor(options: object);
    readonly width: number;
    readonly height: number;
    /** Bitmap.Gray256. */
    readonly pixelFormat: number;
    /** The first picture after the constructor is preceded by a full refresh: black, then white. */
    begin(x: number, y: number, width: number, height: number): void;
    send(pixels: ArrayBuffer, offset: number, byteLength: number): void;
    end(): void;
    /** Switches the panel off; it keeps its picture. */
    close(): void;
  }
}
