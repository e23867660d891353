// modules/commodetto: Bitmap and Poco (the part that is used here).

declare module "commodetto/Bitmap" {
  export default class Bitmap {
    static readonly Monochrome: number;
    static readonly Gray256: number;
    /** Rows of a monochrome bitmap are packed from the highest bit and end with a whole byte. The buffer is not copied. */
    constructor(width: number, height: number, format: number, buffer: ArrayBuffer, offset: number);
    readonly width: number;
    readonly height: number;
    readonly pixelFormat: number;
  }
}

declare module "commodetto/Poco" {
  import type Bitmap from "commodetto/Bitmap";

  /** Where pixels go: a display. */
  export interface PixelsOut {
    readonly width: number;
    readonly height: number;
    readonly pixelFormat: number;
    begin(x: number, y: number, width: number, height: number): void;
    send(pixels: ArrayBuffer, offset: number, byteLength: number): void;
    end(): void;
  }

  export interface PocoOptions {
    /** Bytes for what is drawn between begin and end; 1024 if absent. */
    readonly displayListLength?: number;
    /** Pixels rendered at a time; two rows if absent. */
    readonly pixels?: number;
  }

  export default class Poco {
    constructor(pixelsOut: PixelsOut, options?: PocoOptions);
    readonly width: number;
    readonly height: number;
    /** What is drawn until end is kept in a list, in order. */
    begin(x?: number, y?: number, width?: number, height?: number): void;
    /** Renders the list row by row into the display. Throws when the list was too short. */
    end(): void;
    /** Channels 0 to 255. */
    makeColor(red: number, green: number, blue: number): number;
    fillRectangle(color: number, x: number, y: number, width: number, height: number): void;
    /** Ones in `fore`, zeros in `back`; undefined: not drawn. */
    drawMonochrome(
      bitmap: Bitmap,
      fore: number | undefined,
      back: number | undefined,
      x: number,
      y: number,
    ): void;
    close(): void;
  }
}
