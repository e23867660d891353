// Proves that a flash has the same future as another one that was followed to its end: wherever the two differ, every question that
// the device asked of the other is answered the same by this one, until the difference is erased or the run is over.

import { createHash } from "node:crypto";
import { OTADATA_ENTRY_BYTES } from "../hardware/boot/otadata.js";
import { isErased, SECTOR_BYTES } from "../hardware/flash/flash.js";
import { showEntry } from "./entry-question.js";
import { type ChangedState, type SectorStore, sectorsOf } from "./flash-state.js";
import type { DigestPiece, History, HistoryEntry } from "./history.js";

/** Digests that the firmware compares with, in hex. */
export type PromisedDigests = ReadonlySet<string>;
/** Stands for every digest that no release promised. */
export const UNPROMISED = "";

export function answerOf(digest: string, promised: PromisedDigests): string {
  return promised.has(digest) ? digest : UNPROMISED;
}

/** A wider difference is not examined: that would cost more than running the device. */
const MAX_DIFFERENT_SECTORS = 16;

export function hasSameFuture(
  flash: ChangedState,
  followed: History,
  store: SectorStore,
  promised: PromisedDigests,
): boolean {
  const different = differencesOf(flash, followed, store);
  if (different === undefined) return false;
  for (const index of followed.concerning([...different.keys()])) {
    if (different.size === 0) return true;
    if (!agrees(followed.entries[index]!, different, store, promised)) return false;
  }
  return true;
}

/** By sector; undefined if there are too many. */
function differencesOf(
  { state, changed }: ChangedState,
  followed: History,
  store: SectorStore,
): Different | undefined {
  const unchanged = followed.sectorsThatDiffer(state).filter((sector) => !changed.has(sector));
  if (unchanged.length > MAX_DIFFERENT_SECTORS) return undefined;
  const there = (sector: number): Uint8Array => store.contentsOf(followed.start[sector]!);
  const different: Different = new Map();
  for (const sector of unchanged)
    different.set(sector, { here: store.contentsOf(state[sector]!), there: there(sector), isCopy: false });
  for (const [sector, here] of changed) {
    if (Buffer.compare(here, there(sector)) !== 0)
      different.set(sector, { here, there: there(sector), isCopy: false });
  }
  return different;
}

/** The contents of a sector here and in the flash that was followed: shared with others until they are written to. */
interface Contents {
  here: Uint8Array;
  there: Uint8Array;
  isCopy: boolean;
}

type Different = Map<number, Contents>;

/** Applies an operation to both sides; false if a question is answered differently. */
function agrees(
  entry: HistoryEntry,
  different: Different,
  store: SectorStore,
  promised: PromisedDigests,
): boolean {
  switch (entry.kind) {
    case "erase":
      for (const sector of sectorsOf(entry.offset, entry.length)) different.delete(sector);
      return true;
    case "write":
      program(entry.offset, entry.bytes, different);
      return true;
    case "read":
      return readsSame(entry.offset, entry.length, different);
    case "isErased":
      return erasedSame(entry.offset, entry.length, different);
    case "entry":
      return (
        readsSame(entry.offset, entry.length, different) || entryIn(entry.offset, different) === entry.answer
      );
    case "digest":
      if (entry.pieces.every(({ offset, length }) => readsSame(offset, length, different))) return true;
      // only the same contents have a digest that was promised
      if (entry.answer !== UNPROMISED) return false;
      return digestOf(entry.algorithm, entry.pieces, different, store, promised) === entry.answer;
  }
}

function program(offset: number, bytes: Uint8Array, different: Different): void {
  for (const [sector, contents] of different) {
    const [from, to] = within(sector, offset, bytes.length);
    if (from >= to) continue;
    if (!contents.isCopy) {
      contents.here = contents.here.slice();
      contents.there = contents.there.slice();
      contents.isCopy = true;
    }
    for (let at = from; at < to; at += 1) {
      const byte = bytes[sector * SECTOR_BYTES + at - offset]!;
      contents.here[at]! &= byte;
      contents.there[at]! &= byte;
    }
  }
}

function readsSame(offset: number, length: number, different: Different): boolean {
  for (const [sector, { here, there }] of different) {
    const [from, to] = within(sector, offset, length);
    if (from < to && Buffer.compare(here.subarray(from, to), there.subarray(from, to)) !== 0) return false;
  }
  return true;
}

/** Whether both are erased, or neither, in every sector: stricter than the question, which is asked within one. */
function erasedSame(offset: number, length: number, different: Different): boolean {
  for (const [sector, { here, there }] of different) {
    const [from, to] = within(sector, offset, length);
    if (from < to && isErased(here.subarray(from, to)) !== isErased(there.subarray(from, to))) return false;
  }
  return true;
}

/** An entry begins its sector. */
function entryIn(offset: number, different: Different): string | undefined {
  const both = different.get(offset / SECTOR_BYTES);
  return both && showEntry(both.here.subarray(0, OTADATA_ENTRY_BYTES)).answer;
}

function digestOf(
  algorithm: string,
  pieces: readonly DigestPiece[],
  different: Different,
  store: SectorStore,
  promised: PromisedDigests,
): string {
  const hash = createHash(algorithm);
  for (const { offset, length, numbers } of pieces) {
    let position = 0;
    for (const sector of sectorsOf(offset, length)) {
      const contents = different.get(sector)?.here ?? store.contentsOf(numbers[position]!);
      hash.update(contents.subarray(...within(sector, offset, length)));
      position += 1;
    }
  }
  return answerOf(hash.digest("hex"), promised);
}

/** The part of a range within a sector, from the sector's start; `from` is not below `to` where there is none. */
function within(sector: number, offset: number, length: number): [from: number, to: number] {
  const start = sector * SECTOR_BYTES;
  return [Math.max(offset, start) - start, Math.min(offset + length, start + SECTOR_BYTES) - start];
}
