// `commodetto/Poco` in a build for Gray256 (as the manifest of an app with a panel says): what is drawn between begin and end is kept
// in a list of limited length, and at the end rendered into bands of rows that go to the display. Only rectangles and monochrome
// bitmaps; a display that takes pixels through C is refused, because there is none here.
//
//   begin ─► fillRectangle, drawMonochrome … (the display list) ─► end ─► display.begin, send (band) …, display.end

import type { Machine } from "../machine/machine.js";
import { BITMAP_FORMAT, type BitmapModule, type BitmapState } from "./bitmap.js";
import { createHandles } from "./handle.js";
import type { Dictionary, Native } from "./native.js";

const DISPLAY_LIST_BYTES = 1024;
/** sizeof ColorDrawRecord and RenderMonochromeBitsRecord on a chip (commodettoPocoBlit.c), in whole words. */
const FILL_BYTES = 16;
const MONOCHROME_BYTES = 24;

interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Changes the pixels of one row of the display: `row` holds them from the area's left side. */
type Draw = (row: Uint8Array, y: number, area: Area) => void;

interface PixelsOut extends Dictionary {
  begin(x: number, y: number, width: number, height: number): void;
  send(pixels: ArrayBuffer, offset: number, byteLength: number): void;
  end(): void;
}

interface PocoState {
  readonly display: PixelsOut;
  readonly width: number;
  readonly height: number;
  readonly pixelCount: number;
  readonly listBytes: number;
  list: Draw[];
  usedBytes: number;
  hasOverflown: boolean;
  area: Area | undefined;
}

export function createPoco(machine: Machine, native: Native, bitmaps: BitmapModule): object {
  const pocos = createHandles<PocoState>(machine);

  class Poco {
    constructor(...parameters: [unknown?, unknown?]) {
      const [display, options = {}] = parameters as [PixelsOut | undefined, Dictionary | undefined];
      if (display === undefined || display === null) throw native.coerced();
      const width = native.integer(display.width);
      const wanted = native.integer(options.pixels);
      if (display.pixelFormat !== BITMAP_FORMAT.gray256) throw native.error("unsupported pixel format");
      if (native.integer(options.rotation) !== 0) throw native.error("not configured for requested rotation");
      if (display.c_dispatch) throw native.error("a virtual display takes its pixels from JavaScript");
      pocos.open(this, {
        display,
        width,
        height: native.integer(display.height),
        pixelCount: wanted >= width ? wanted : width * 2,
        listBytes: native.integer(options.displayListLength ?? DISPLAY_LIST_BYTES),
        list: [],
        usedBytes: 0,
        hasOverflown: false,
        area: undefined,
      });
    }

    get width(): number {
      return pocos.stateOf(this).width;
    }
    get height(): number {
      return pocos.stateOf(this).height;
    }

    begin(...parameters: unknown[]): void {
      const poco = pocos.stateOf(this);
      const [x = 0, y = 0] = parameters.map(native.integer);
      const width = parameters.length > 2 ? native.integer(parameters[2]) : poco.width - x;
      const height = parameters.length > 3 ? native.integer(parameters[3]) : poco.height - y;
      Object.assign(poco, { area: { x, y, width, height }, list: [], usedBytes: 0, hasOverflown: false });
    }

    end(): void {
      const poco = pocos.stateOf(this);
      const { area, list, display } = poco;
      if (area === undefined) throw native.error("inactive");
      poco.area = undefined;
      display.begin(area.x, area.y, area.width, area.height);
      if (poco.hasOverflown) throw native.error("display list overflow");
      if (list.length > 0) render(poco, area, list);
      display.end();
    }

    makeColor(...parameters: [unknown?, unknown?, unknown?]): number {
      pocos.stateOf(this);
      native.needArguments(parameters, 3);
      const [red, green, blue] = parameters.map(native.integer) as [number, number, number];
      return (red * 3 + green * 4 + blue) >> 3;
    }

    fillRectangle(...parameters: unknown[]): void {
      native.needArguments(parameters, 5);
      const [color, x, y, width, height] = parameters.map(native.integer) as [
        number,
        number,
        number,
        number,
        number,
      ];
      build(pocos.stateOf(this), FILL_BYTES, fill(color, { x, y, width, height }));
    }

    drawMonochrome(...parameters: unknown[]): void {
      native.needArguments(parameters, 5);
      const [bits, fore, back] = parameters;
      const bitmap = bitmaps.stateOf(bits);
      const [x, y] = [native.integer(parameters[3]), native.integer(parameters[4])];
      if (parameters.length > 5) throw native.error("the virtual Poco draws whole bitmaps only");
      if (bitmap.format !== BITMAP_FORMAT.monochrome) return;
      const draw = monochrome(bitmap, native.bytesOf(bitmap.buffer), x, y, {
        fore: fore === undefined ? undefined : native.integer(fore),
        back: back === undefined ? undefined : native.integer(back),
      });
      build(pocos.stateOf(this), MONOCHROME_BYTES, draw);
    }

    close(): void {
      pocos.close(this);
    }
  }

  /** What the list has no space for is left out; `end` reports it. */
  function build(poco: PocoState, bytes: number, draw: Draw): void {
    if (poco.area === undefined) return;
    poco.usedBytes += bytes;
    if (poco.usedBytes > poco.listBytes) poco.hasOverflown = true;
    else poco.list.push(draw);
  }

  function render({ display, pixelCount }: PocoState, area: Area, list: readonly Draw[]): void {
    const bandRows = Math.floor(pixelCount / area.width);
    for (let top = 0; top < area.height; top += bandRows) {
      const rowCount = Math.min(bandRows, area.height - top);
      const band = new Uint8Array(rowCount * area.width);
      for (let i = 0; i < rowCount; i++) {
        const row = band.subarray(i * area.width, (i + 1) * area.width);
        for (const draw of list) draw(row, area.y + top + i, area);
      }
      display.send(native.arrayBuffer(band), 0, band.length);
    }
  }
  return Poco;
}

const fill =
  (color: number, { x, y, width, height }: Area): Draw =>
  (row, atY, area) => {
    if (atY < y || atY >= y + height) return;
    row.fill(color, Math.max(0, x - area.x), Math.max(0, x + width - area.x));
  };

/** Ones in the fore colour, zeros in the back colour; without a colour they are left as they are. */
const monochrome =
  (
    { width, height, offset }: BitmapState,
    bytes: Uint8Array,
    x: number,
    y: number,
    { fore, back }: { readonly fore: number | undefined; readonly back: number | undefined },
  ): Draw =>
  (row, atY, area) => {
    if (atY < y || atY >= y + height) return;
    const start = offset + (atY - y) * ((width + 7) >> 3);
    for (let column = 0; column < width; column++) {
      const at = x + column - area.x;
      if (at < 0 || at >= row.length) continue;
      const isOne = (bytes[start + (column >> 3)]! & (0x80 >> (column & 7))) !== 0;
      const color = isOne ? fore : back;
      if (color !== undefined) row[at] = color;
    }
  };
