// What can happen to the two machines that bring an image to many devices by radio (block-sender.ts, block-receiver.ts), and what they ask
// for, besides the radio's and the slot's events and effects. What they tell the machine beside them is raised as events.

import type { Effect, TimerEffect } from "../effect.js";
import type { Event, TimerFired } from "../event.js";
import type { RadioEffect, RadioEvent } from "./vocabulary.js";

export type BlockTimer = "block.status" | "block.send";

/**
 * The XOR of parts of a block in the flash, and of parities in memory: the one loop over an image's bytes that the code needs, so it is
 * native. Also reads a single part. Answered by `partsCombined` or `partsFailed`.
 */
export interface CombineParts {
  readonly type: "combineParts";
  readonly attempt: number;
  /** The slot that an update is written to, or the data partition "cache". */
  readonly from: "slot" | "cache";
  /** Of the block, bytes from the partition's start. */
  readonly offset: number;
  /** Of the block; its last part may be shorter, and counts as filled up with zeros. */
  readonly length: number;
  /** Which parts of the block, PART_SET_BYTES. */
  readonly parts: Uint8Array;
  /** Parities of PART_BYTES each, and which of them, one bit each; absent: none. */
  readonly parities?: Uint8Array;
  readonly combination?: number;
}

export type CombineEvent =
  /** PART_BYTES. */
  | { readonly type: "partsCombined"; readonly attempt: number; readonly bytes: Uint8Array }
  | { readonly type: "partsFailed"; readonly attempt: number; readonly message: string };

/** What the machines tell. */
export type BlockNews =
  /** Receiver: bytes arrive, or the gateway serves others first; at most once in PROGRESS_MS. */
  | { readonly type: "blockProgress"; readonly attempt: number }
  /** Receiver: all bytes of a block are in the slot. Nothing has checked them. */
  | {
      readonly type: "blockStored";
      readonly attempt: number;
      readonly offset: number;
      readonly length: number;
    }
  /** Receiver: so are those of all blocks that it was to fetch. */
  | { readonly type: "blocksStored"; readonly attempt: number }
  /** The flash has failed, or (receiver) nothing has been heard for too long. The machine has stopped. */
  | { readonly type: "blocksFailed"; readonly attempt: number; readonly message: string }
  /** Sender: nobody has asked for anything for LINGER_MS. */
  | { readonly type: "blocksIdle"; readonly attempt: number };

export interface RaiseNews {
  readonly type: "raise";
  readonly event: BlockNews;
}

type SlotEffect = Extract<Effect, { readonly type: "eraseSlot" | "writeSlot" }>;
type SlotEvent = Extract<Event, { readonly type: "slotErased" | "slotWritten" | "slotFailed" }>;

export type BlockEvent = RadioEvent | TimerFired<string> | CombineEvent | SlotEvent;
export type BlockEffect = RadioEffect | TimerEffect<BlockTimer> | CombineParts | SlotEffect | RaiseNews;

/**
 * Frames of these machines have numbers from here on, so that a composition can tell which of its machines a `frameSent` is for: those of
 * others stay below. The radio takes 32 bits, without a sign; XS holds 31 without a fraction.
 */
const FIRST_BLOCK_FRAME = 0x4000_0000;
export const isBlockFrame = (frame: number): boolean => frame >= FIRST_BLOCK_FRAME;
export const blockFrame = (count: number): number => FIRST_BLOCK_FRAME + (count & 0xff_ffff);

/** After the last frame of a round those speak that still lack something. It is over when nothing was heard for so long. */
export const SILENCE_MS = 50;
/** A status comes in one of STATUS_SLOT_COUNT slots of this length behind the silence: who lacks most speaks first. */
export const STATUS_SLOT_MS = 14;
export const STATUS_SLOT_COUNT = 11;
/** A status that nothing followed is repeated after this, then after twice as long, and so on up to REPEAT_MAXIMUM_MS. */
export const REPEAT_MS = 60;
export const REPEAT_MAXIMUM_MS = 4_000;
/**
 * When the sender takes it that nobody lacks anything: the silence, all slots, two repetitions. A device that is missed nevertheless asks
 * behind the next block.
 */
export const LISTEN_MS = SILENCE_MS + STATUS_SLOT_MS * STATUS_SLOT_COUNT + 4 * REPEAT_MS;
/**
 * A device that has nothing of its block yet waits longer before it asks: the sender may be about to begin with it, when the last devices have the
 * one before, and those rounds are so short that some devices hear nothing of them.
 */
export const FRESH_MS = LISTEN_MS + 1_500;
/** Who is so many blocks behind or fewer catches up before the others go on: that costs less than sending all the rest once more. */
export const CATCH_UP = 4;
/** The sender has nothing to do and nobody asks. */
export const LINGER_MS = 20_000;
export const PROGRESS_MS = 2_000;
