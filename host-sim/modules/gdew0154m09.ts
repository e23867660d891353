// `gdew0154m09`: the SDK's driver of a 200 × 200 e-ink panel, with the panel behind it. It takes rows of Gray256, makes them black and
// white by Atkinson's dithering, and shows them when the picture ends; while the paper changes nothing else runs on the device.
// The first picture after the constructor is preceded by all black and all white. Takes whole pictures only. Its pins are not
// checked: nothing on a virtual device can be wired wrongly. They are in use until it is closed, and after a constructor that threw until
// the next boot: the SDK does not release pins with the garbage.

import type { Machine } from "../machine/machine.js";
import { BITMAP_FORMAT } from "./bitmap.js";
import { createHandles } from "./handle.js";
import type { Native } from "./native.js";

const SIDE = 200;
const ROW_BYTES = SIDE / 8;
/** The driver's own waits, and about what the paper takes. */
const RESET_MS = 310;
const TIMEOUT_MS = 1_000;
const FULL_REFRESH_MS = 800;
const PARTIAL_REFRESH_MS = 300;
const CLOSE_MS = 40;

interface Panel {
  /** One bit a pixel, 1 being white, as the panel takes it. */
  readonly frame: Uint8Array;
  /** Next byte of the frame. */
  position: number;
  dither: Dither;
  needsRefresh: boolean;
}

export function createGdew0154m09(machine: Machine, native: Native): object {
  const panels = createHandles<Panel>(machine);
  let isInUse = false;

  function show(frame: Uint8Array, ms: number): void {
    machine.wait(ms);
    machine.onLight?.({ type: "panel", width: SIDE, height: SIDE, rows: frame.map((byte) => ~byte) });
  }

  /** What XS throws when a closed driver reads from the undefined that is left of it. */
  function open(display: object): Panel {
    try {
      return panels.stateOf(display);
    } catch {
      throw native.coerced();
    }
  }

  class Display {
    constructor() {
      if (isInUse) throw native.error("in use");
      isInUse = true;
      machine.wait(RESET_MS);
      if (!machine.surroundings().hasPanel) {
        machine.wait(TIMEOUT_MS);
        throw native.error("time out");
      }
      const frame = new Uint8Array(ROW_BYTES * SIDE);
      panels.open(this, { frame, position: 0, dither: newDither(), needsRefresh: true });
    }

    begin(...parameters: unknown[]): void {
      const panel = open(this);
      const [x, y, width, height] = parameters.map(native.integer);
      if (((x ?? 0) | (width ?? 0)) & 3) throw native.error();
      if (x !== 0 || y !== 0 || width !== SIDE || height !== SIDE)
        throw native.error("the virtual panel takes whole pictures only");
      if (panel.needsRefresh) {
        show(panel.frame.fill(0), FULL_REFRESH_MS);
        show(panel.frame.fill(0xff), FULL_REFRESH_MS);
        panel.needsRefresh = false;
      }
      panel.position = 0;
      panel.dither = newDither();
    }

    send(...parameters: unknown[]): void {
      const panel = open(this);
      const bytes = native.bytesOf(parameters[0]);
      const offset = native.integer(parameters[1]);
      const rowCount = Math.floor(native.integer(parameters[2]) / SIDE);
      for (let row = 0; row < rowCount; row++) {
        const from = offset + row * SIDE;
        panel.frame.set(ditherRow(panel.dither, bytes.subarray(from, from + SIDE)), panel.position);
        panel.position += ROW_BYTES;
      }
    }

    end(): void {
      show(open(this).frame, PARTIAL_REFRESH_MS);
    }

    close(): void {
      if (!panels.close(this)) return;
      machine.wait(CLOSE_MS);
      isInUse = false;
    }

    get width(): number {
      return SIDE;
    }
    get height(): number {
      return SIDE;
    }
    get pixelFormat(): number {
      return BITMAP_FORMAT.gray256;
    }
  }
  return Display;
}

/** Errors of this row and of the next two, eight times as large, two more on each side. */
type Dither = readonly [Int16Array, Int16Array];

const newDither = (): Dither => [new Int16Array(SIDE + 4), new Int16Array(SIDE + 4)];

/** One row, packed from the highest bit. Each pixel passes on six eighths of its error. */
function ditherRow(dither: Dither, pixels: Uint8Array): Uint8Array {
  const [now, next] = dither;
  const packed = new Uint8Array(ROW_BYTES);
  for (let x = 0; x < SIDE; x++) {
    let error = pixels[x]! + (now[x + 2]! >> 3);
    if (error >= 128) {
      packed[x >> 3]! |= 0x80 >> (x & 7);
      error -= 255;
    }
    now[x + 2] = error; // for the row after the next
    for (const ahead of [x + 3, x + 4]) if (ahead < now.length) now[ahead]! += error;
    for (const below of [x + 1, x + 2, x + 3]) next[below]! += error;
  }
  (dither as [Int16Array, Int16Array]).reverse();
  return packed;
}
