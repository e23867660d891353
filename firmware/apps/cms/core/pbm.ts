// Portable bitmaps as a panel's content is sent: binary PBM ("P4"), whose rows are packed from the highest bit and end with a
// whole byte, 1 being black. Reads the header and writes one; never copies a picture. Shared with the server.
//
//   P4 ␊ [# comment ␊] width ␠ height ␊ row row …     each row of (width + 7) / 8 bytes

import { latin1 } from "../../../core/bytes.js";

export interface PbmHeader {
  /** Pixels, 1 to 4096 each. */
  readonly width: number;
  readonly height: number;
  /** Where the rows begin. */
  readonly offset: number;
}

/** A header with its comments is at most this long, bytes: image editors write a line about themselves. */
export const MAX_PBM_HEADER_BYTES = 256;
const MAX_PIXELS = 4096;

/** The header of a picture, if these are the first bytes of one. */
export function readPbmHeader(bytes: Uint8Array): PbmHeader | undefined {
  const header = latin1(bytes.subarray(0, MAX_PBM_HEADER_BYTES));
  const match = /^P4(?:\s|#[^\n]*\n)+(\d{1,5})(?:\s|#[^\n]*\n)+(\d{1,5})\s/.exec(header);
  if (!match) return undefined;
  const width = Number(match[1]);
  const height = Number(match[2]);
  if (width < 1 || height < 1 || width > MAX_PIXELS || height > MAX_PIXELS) return undefined;
  return { width, height, offset: match[0].length };
}

/** `P4␊width height␊`. */
export const pbmHeader = (width: number, height: number): string => `P4\n${width} ${height}\n`;

/** Bytes a row. */
export const pbmRowBytes = (width: number): number => (width + 7) >> 3;

/** Bytes of all rows. */
export const pbmRowsBytes = (width: number, height: number): number => pbmRowBytes(width) * height;
