// NOR flash of a gateway or a node under test: erased by sectors, a write clears bits only, and one over bytes that are not erased is a
// defect that throws.

import { createHash } from "node:crypto";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Event } from "../../../../firmware/core/event.js";
import type { CacheEffect, CacheEvent } from "../../../../firmware/core/gateway/cache-vocabulary.js";

const SECTOR_BYTES = 4096;

export class Flash {
  readonly bytes: Uint8Array;
  erasedCount = 0;

  constructor(sizeBytes: number) {
    this.bytes = new Uint8Array(sizeBytes).fill(0x5a);
  }

  erase(offset: number): void {
    if (offset % SECTOR_BYTES !== 0 || offset >= this.bytes.length) throw new Error(`erase at ${offset}`);
    this.erasedCount += 1;
    this.bytes.fill(0xff, offset, offset + SECTOR_BYTES);
  }

  write(offset: number, bytes: Uint8Array): void {
    if (offset + bytes.length > this.bytes.length) throw new Error(`write to ${offset + bytes.length}`);
    if (this.bytes.subarray(offset, offset + bytes.length).some((byte) => byte !== 0xff))
      throw new Error(`write over bytes that are not erased, at ${offset}`);
    this.bytes.set(bytes, offset);
  }

  hash(offset: number, length: number, algorithm = "sha256"): Uint8Array {
    return new Uint8Array(
      createHash(algorithm)
        .update(this.bytes.subarray(offset, offset + length))
        .digest(),
    );
  }
}

/** What a device's slot answers to. */
export type SlotEffect = Extract<Effect, { readonly type: "eraseSlot" | "writeSlot" | "hashSlot" }>;

export function carryOutOnSlot(flash: Flash, effect: SlotEffect): Event {
  const { attempt, offset } = effect;
  switch (effect.type) {
    case "eraseSlot":
      for (let at = offset; at < offset + effect.length; at += SECTOR_BYTES) flash.erase(at);
      return { ...effect, type: "slotErased" };
    case "writeSlot":
      flash.write(offset, effect.bytes);
      return { type: "slotWritten", attempt, offset, length: effect.bytes.length };
    case "hashSlot":
      return { type: "slotHashed", attempt, offset, digest: flash.hash(offset, effect.length) };
  }
}

export function carryOutOnCache(flash: Flash, effect: CacheEffect): CacheEvent {
  const { attempt, offset } = effect;
  switch (effect.type) {
    case "eraseCache":
      flash.erase(offset);
      return { type: "cacheErased", attempt, offset };
    case "writeCache":
      flash.write(offset, effect.bytes);
      return { type: "cacheWritten", attempt, offset, length: effect.bytes.length };
    case "readCache":
      return { type: "cacheRead", attempt, offset, bytes: flash.bytes.slice(offset, offset + effect.length) };
    case "hashCache":
      return { type: "cacheHashed", attempt, offset, digest: flash.hash(offset, effect.length) };
  }
}
