// Draws what a device shows as PNG files: the lights of a strip in rows, a status LED as one light, a panel pixel by pixel. Only the part of PNG (RFC 2083,
// ISO/IEC 15948) that this needs: 8-bit RGB, no interlace, no filter.

import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync, crc32 as zlibCrc32 } from "node:zlib";
import type { Light } from "../hardware/gpio.js";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** Size of the square around a light, and its radius, pixels of the picture. */
const CELL = 24;
const RADIUS = 9;
const ROW_COUNT_MAX = 30;
/** A light that is off can still be seen. */
const BOARD_COLOUR = Object.freeze([18, 20, 24] as const);
const OFF_COLOUR = Object.freeze([38, 41, 47] as const);

/** A PNG file of `rgb`, 3 bytes a pixel, row by row. Throws RangeError when the sizes do not fit. */
export function encodePng(width: number, height: number, rgb: Uint8Array): Uint8Array {
  if (width < 1 || height < 1 || rgb.length !== width * height * 3) {
    throw new RangeError(`${width} × ${height} pixels are ${width * height * 3} bytes, not ${rgb.length}`);
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 2, 0, 0, 0], 8); // bits a channel, RGB, deflate, the standard's filters, no interlace
  const rows = new Uint8Array(height * (1 + width * 3));
  for (let y = 0; y < height; y++) {
    rows.set(rgb.subarray(y * width * 3, (y + 1) * width * 3), y * (1 + width * 3) + 1);
  }
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

/** Length, type, data, CRC of type and data. */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, "latin1");
  bytes.set(data, 8);
  bytes.writeUInt32BE(zlibCrc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}

/** A strip as a PNG: a round light for each pixel (`pixels`: 3 bytes each), at most 30 in a row. */
export function drawStrip(pixels: Uint8Array): Uint8Array {
  const count = Math.max(1, Math.floor(pixels.length / 3));
  const columnCount = Math.min(count, ROW_COUNT_MAX);
  const width = columnCount * CELL;
  const height = Math.ceil(count / columnCount) * CELL;
  const picture = new Uint8Array(width * height * 3);
  for (let offset = 0; offset < picture.length; offset += 3) picture.set(BOARD_COLOUR, offset);
  for (let index = 0; index * 3 < pixels.length; index++) {
    const left = (index % columnCount) * CELL;
    const top = Math.floor(index / columnCount) * CELL;
    drawLight(picture, width, left, top, visible(pixels.subarray(index * 3, index * 3 + 3)));
  }
  return encodePng(width, height, picture);
}

function drawLight(picture: Uint8Array, width: number, left: number, top: number, colour: Uint8Array): void {
  const middle = (CELL - 1) / 2;
  for (let y = 0; y < CELL; y++) {
    for (let x = 0; x < CELL; x++) {
      if ((x - middle) ** 2 + (y - middle) ** 2 > RADIUS ** 2) continue;
      picture.set(colour, ((top + y) * width + left + x) * 3);
    }
  }
}

/** Screens take corrected values, LEDs light: the opposite of the correction in firmware/apps/led/core/patterns.ts. */
function visible(light: Uint8Array): Uint8Array {
  return light.map((value, channel) => {
    const off = OFF_COLOUR[channel] ?? 0;
    return Math.round(off + Math.sqrt(value / 255) * (255 - off));
  });
}

/** Ink and paper of an e-ink panel. */
const BLACK = Object.freeze([0, 0, 0] as const);
const WHITE = Object.freeze([255, 255, 255] as const);

/** A panel as a PNG, at its true pixels. */
export function drawPanel({ width, height, rows }: Extract<Light, { readonly type: "panel" }>): Uint8Array {
  const picture = new Uint8Array(width * height * 3);
  const rowBytes = (width + 7) >> 3;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const isBlack = (rows[y * rowBytes + (x >> 3)]! & (0x80 >> (x & 7))) !== 0;
      picture.set(isBlack ? BLACK : WHITE, (y * width + x) * 3);
    }
  }
  return encodePng(width, height, picture);
}

/**
 * Keeps one picture of each strip, pin and panel up to date in a folder: `strip-13.png`, `pin-2.png`, `panel.png`; of several devices in one
 * folder each, by its name.
 */
export function showLights(folder: string): (light: Light, device?: string) => void {
  return (light, device = "") => {
    const own = join(folder, device);
    mkdirSync(own, { recursive: true });
    const path = join(own, `${nameOf(light)}.png`);
    const picture = drawLightOf(light);
    writeFileSync(`${path}.new`, picture);
    renameSync(`${path}.new`, path); // a viewer never sees half of it
  };
}

const nameOf = (light: Light): string => (light.type === "panel" ? "panel" : `${light.type}-${light.pin}`);

function drawLightOf(light: Light): Uint8Array {
  if (light.type === "panel") return drawPanel(light);
  return drawStrip(light.type === "strip" ? light.pixels : onePixel(light.level));
}

/** A status LED is blue on most boards. */
const onePixel = (level: 0 | 1): Uint8Array => Uint8Array.of(0, level * 80, level * 255);
