// Where power can fail: every point of an operation, its name, and what the flash holds afterwards.
//
//   before · after · byte:N (each byte of a write) · page:N (each page of the chip in it) · unstable (the last byte reads right once)
//   erase:STEP:PATTERN (16 steps, 3 patterns; of a block 4)
//   state:BITS (of an otadata entry everything is right but these bits of its state, which are not programmed yet or erased already:
//   its CRC covers the sequence number alone, so it cannot be detected. Rare, and so never left to chance)

import type { Flash, FlashOperation } from "../hardware/flash/flash.js";
import { PAGE_BYTES } from "../hardware/flash/flash-operation.js";
import {
  ERASE_STEPS,
  type ErasePattern,
  erasePatternsOf,
  tearOperation,
} from "../hardware/flash/flash-tear.js";

/** One point of an operation. */
export type CutPoint = string;

/** Where an operation works. */
export type Place = "slot" | "otadata" | "nvs";

/** Of NEW they make PENDING_VERIFY, VALID, INVALID, ABORTED, an unknown state, and UNDEFINED. */
const STATE_BITS = Object.freeze([1, 2, 3, 4, 0x10, 0xffffffff]);
const STATE_OFFSET = 24;

export function* cutPointsOf({ kind, offset, length }: FlashOperation, place: Place): Iterable<CutPoint> {
  yield "before";
  if (kind === "erase") {
    for (let step = 1; step <= ERASE_STEPS; step += 1)
      for (const pattern of erasePatternsOf({ length })) yield `erase:${step}:${pattern}`;
  } else {
    for (let index = 0; index < length; index += 1) yield `byte:${index}`;
    for (let index = 0; index < length; index += PAGE_BYTES - ((offset + index) % PAGE_BYTES))
      yield `page:${index}`;
    // NVS and otadata are ESP-IDF's, which has no answer to unstable bits; the slot is ours
    if (place === "slot") yield "unstable";
  }
  if (place === "otadata") for (const bits of STATE_BITS) yield `state:${bits}`;
  yield "after";
}

/** Changes the contents as the operation has when power fails at this point. */
export function applyCut(
  contents: Uint8Array,
  operation: FlashOperation,
  point: CutPoint,
  random: () => number,
): void {
  const [kind, first, second] = point.split(":");
  if (kind === "before") return;
  if (kind === "after" || kind === "unstable") applyOperation(contents, operation);
  else if (kind === "byte" || kind === "page")
    tearOperation(contents, operation, { kind, index: Number(first) }, random);
  else if (kind === "erase") {
    const pattern = erasePatternsOf(operation).find((known) => known === second) as ErasePattern;
    tearOperation(contents, operation, { kind, step: Number(first), pattern }, random);
  } else if (kind === "state") {
    if (operation.kind === "write") applyOperation(contents, operation);
    const view = new DataView(contents.buffer, contents.byteOffset + operation.offset + STATE_OFFSET, 4);
    view.setUint32(0, view.getUint32(0, true) | Number(first), true);
  } else throw new Error(`there is no cut point "${point}"`);
}

/** The whole operation. */
export function applyOperation(contents: Uint8Array, { kind, offset, length, bytes }: FlashOperation): void {
  if (kind === "erase") contents.fill(0xff, offset, offset + length);
  else for (let index = 0; index < bytes.length; index += 1) contents[offset + index]! &= bytes[index]!;
}

/** Leaves the last byte of a write unstable: it reads right once, and then as if one bit had not been programmed. */
export function leaveUnstable(flash: Flash, { offset, length }: FlashOperation): void {
  const at = offset + length - 1;
  const value = flash.bytes[at]!;
  flash.destabilize(at, value | (value + 1));
}
