// A card for the panel, as a picture: lines of text on white, of the same form as a picture from the server (rows packed from
// the highest bit, 1 being black). A line too long for the panel is set smaller, and then cut.

import { LETTER_HEIGHT, LETTER_WIDTH, letterColumns } from "./panel-font.js";
import { pbmRowBytes, pbmRowsBytes } from "./pbm.js";

export interface CardLine {
  readonly text: string;
  /** Screen pixels a pixel of the letters. */
  readonly scale: number;
}

const MARGIN = 8;
/** Pixels of a letter between two letters, and between two lines. */
const LETTER_GAP = 1;
const LINE_GAP = 4;

/** The rows of a picture with these lines from the top. */
export function drawCard(lines: readonly CardLine[], width: number, height: number): Uint8Array {
  const rows = new Uint8Array(pbmRowsBytes(width, height));
  let top = MARGIN;
  for (const line of lines) {
    const scale = fittingScale(line, width);
    const lineHeight = LETTER_HEIGHT * scale;
    if (top + lineHeight > height - MARGIN) break;
    drawLine(rows, width, top, line.text, scale);
    top += lineHeight + LINE_GAP * scale;
  }
  return rows;
}

function fittingScale({ text, scale }: CardLine, width: number): number {
  const letterCount = Math.max(1, Array.from(text).length);
  const fitting = Math.floor((width - 2 * MARGIN) / (letterCount * (LETTER_WIDTH + LETTER_GAP)));
  return Math.max(1, Math.min(scale, fitting));
}

function drawLine(rows: Uint8Array, width: number, top: number, text: string, scale: number): void {
  let left = MARGIN;
  for (const letter of text) {
    if (left + LETTER_WIDTH * scale > width - MARGIN) return;
    letterColumns(letter.codePointAt(0) ?? 0).forEach((bits, column) => {
      for (let row = 0; row < LETTER_HEIGHT; row++) {
        if (bits & (1 << row)) blacken(rows, width, left + column * scale, top + row * scale, scale);
      }
    });
    left += (LETTER_WIDTH + LETTER_GAP) * scale;
  }
}

/** A black square. */
function blacken(rows: Uint8Array, width: number, left: number, top: number, size: number): void {
  for (let y = top; y < top + size; y++) {
    const row = y * pbmRowBytes(width);
    for (let x = left; x < left + size; x++) {
      const at = row + (x >> 3);
      rows[at] = (rows[at] ?? 0) | (0x80 >> (x & 7));
    }
  }
}
