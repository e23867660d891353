// ARCHITECTURE's table of what apps need on XS, read so that the tests that measure it can say when it has become wrong.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import type { XsUse } from "../../host-sim/xs/bridge.js";
import { SDK_CHUNK_BYTES, SDK_SLOT_BYTES } from "../../host-sim/xs/chip-heaps.js";

/** By how much a figure may differ from the table. */
const TOLERANCE_BYTES = 2_048;

const TABLE = readFileSync(new URL("../../ARCHITECTURE.md", import.meta.url), "utf8");
const COLUMNS = ["idle: slots", "idle: chunks", "updating: slots", "updating: chunks", "never used"];

/** The table's columns from what was measured: the SDK's part of the heap is in its figures. */
export const rowOf = (idle: XsUse, updating: XsUse): readonly number[] => [
  idle.slotBytes + SDK_SLOT_BYTES,
  idle.chunkBytes + SDK_CHUNK_BYTES,
  updating.claimedSlotBytes + SDK_SLOT_BYTES,
  updating.claimedChunkBytes + SDK_CHUNK_BYTES,
  updating.unclaimedBytes ?? 0,
];

/** The table has a row of the app with these figures. @param chip the first of its group, such as `ESP32` */
export function expectInTable(chip: string, app: string, measured: readonly number[]): void {
  const written = documented(chip, app);
  expect(written, `ARCHITECTURE has no row of ${app} on ${chip}; measured: ${measured.join(" | ")}`).length(
    COLUMNS.length,
  );
  for (const [column, name] of COLUMNS.entries())
    expect(measured[column], `${app} on ${chip}, ${name}; ARCHITECTURE has ${written[column]}`).closeTo(
      written[column]!,
      TOLERANCE_BYTES,
    );
}

function documented(chip: string, app: string): readonly number[] {
  let chips = "";
  for (const line of TABLE.split("\n")) {
    const [, first, , name, ...figures] = line.split("|").map((cell) => cell.trim());
    if (first !== undefined && first !== "") chips = first;
    if (name !== `\`${app}\`` || chips.split(", ")[0] !== chip) continue;
    return figures.filter((cell) => cell !== "").map((cell) => Number(cell.replaceAll(" ", "")));
  }
  return [];
}
