// Where power can fail: every point of an operation, its name, and what the flash holds afterwards.
//
//   before · after · byte:N (each byte of a write) · page:N (each page of the chip in it) · verge (the last byte reads right once)
//   erase:STEP:PATTERN (16 steps, 3 patterns)

import type { Flash, FlashOperation } from "../hardware/flash.js";
import { PAGE_BYTES, SECTOR_BYTES } from "../hardware/flash-operation.js";
import { ERASE_PATTERNS, ERASE_STEPS, type ErasePattern, tearOperation } from "../hardware/flash-tear.js";

/** One point of an operation. */
export type CutPoint = string;

/** @param isSlot whether what is written lies in an app slot */
export function* cutPointsOf({ kind, offset, length }: FlashOperation, isSlot: boolean): Iterable<CutPoint> {
  yield "before";
  if (kind === "erase") {
    for (let step = 1; step <= ERASE_STEPS; step += 1)
      for (const pattern of ERASE_PATTERNS) yield `erase:${step}:${pattern}`;
  } else {
    for (let index = 0; index < length; index += 1) yield `byte:${index}`;
    for (let index = 0; index < length; index += PAGE_BYTES - ((offset + index) % PAGE_BYTES))
      yield `page:${index}`;
    // NVS and otadata are ESP-IDF's, which has no answer to bits on the verge; the slot is ours
    if (isSlot) yield "verge";
  }
  yield "after";
}

/** Does to the contents what the operation has done when power fails at this point. */
export function applyCut(
  contents: Uint8Array,
  operation: FlashOperation,
  point: CutPoint,
  random: () => number,
): void {
  const [kind, first, second] = point.split(":");
  if (kind === "before") return;
  if (kind === "after" || kind === "verge") applyOperation(contents, operation);
  else if (kind === "byte" || kind === "page")
    tearOperation(contents, operation, { kind, index: Number(first) }, random);
  else if (kind === "erase") {
    const pattern = ERASE_PATTERNS.find((known) => known === second) as ErasePattern;
    tearOperation(contents, operation, { kind, step: Number(first), pattern }, random);
  } else throw new Error(`there is no cut point "${point}"`);
}

/** The whole operation. */
export function applyOperation(
  contents: Uint8Array,
  { kind, offset, bytes }: Pick<FlashOperation, "kind" | "offset" | "bytes">,
): void {
  if (kind === "erase") contents.fill(0xff, offset, offset + SECTOR_BYTES);
  else for (let index = 0; index < bytes.length; index += 1) contents[offset + index]! &= bytes[index]!;
}

/** Leaves the last byte of a write on the verge: it reads right once, and then as if one bit had not been programmed. */
export function leaveOnVerge(flash: Flash, { offset, length }: FlashOperation): void {
  const at = offset + length - 1;
  const value = flash.bytes[at]!;
  flash.destabilize(at, value | (value + 1));
}
