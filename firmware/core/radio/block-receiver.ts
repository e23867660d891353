// Takes an image out of the air and into the slot, block by block: parts are written where they belong as they arrive, parities are kept
// until they repair what is missing (block-code.ts), and when the gateway pauses, the device says what it lacks (block-status.ts). It knows
// no digest and no release: whether a stored block is right is for the installer to find out, which begins anew at that block if it is not.
//
//   DATA ────► erased? part new? ─► writeSlot ─┐
//   PARITY ──► kept if it helps ───────────────┤
//                                              ▼
//              enough for all parts: combineParts ─► writeSlot … ─► all written ─► blockStored ─► the next block
//
// Parts of the block behind the current one are taken as well, without parities: a device whose last STATUS was lost falls behind by one
// block, and needs little of the next one then. Its sectors are erased one by one while the current block arrives, because an erase takes
// as long as five frames.
//
// Blocks come in the gateway's order, which is a carousel's: a node that joins late begins with the block that is about to be sent, and takes those
// that it has missed when they come round. So latecomers cost the others' first blocks once more, all of them together, and not an image each.
//
// Nothing is written outside the blocks that were asked for, nor where a part has been written: flash that is not erased would keep the AND
// of both. There is no record of parts for the time behind a restart: the installer looks at what the slot holds, chunk by chunk, and at
// most a block is fetched again, which costs less than writing a record of every few parts.
//
// Effects on the slot are carried out in the order in which they are returned, so an erase is not waited for.

import { bytesEqual } from "../bytes.js";
import type { Stamp, Stamped } from "../event.js";
import { SECTOR_BYTES } from "../update/release.js";
import {
  addParity,
  addPart,
  BLOCK_BYTES,
  type Decoder,
  deficitOf,
  newDecoder,
  PART_BYTES,
  PART_SET_BYTES,
  PART_SET_WORDS,
  partCountOf,
  partLength,
  repairOf,
  resetDecoder,
  roomOf,
  settledParts,
} from "./block-code.js";
import {
  type BlockStatus,
  blockCountOf,
  blockLength,
  type DataPart,
  MAX_IMAGE_BYTES,
  readAnnouncement,
  readData,
  readParity,
  readStatus,
  statusFrame,
} from "./block-frames.js";
import { addBlock, endOfRun, hasBlock, newBlockSet, nextBlock, removeBlock } from "./block-set.js";
import { firstTurn, gatewaySends, type Turn, takeTurn } from "./block-status.js";
import {
  type BlockEffect,
  type BlockEvent,
  type BlockNews,
  blockFrame,
  CATCH_UP,
  PROGRESS_MS,
} from "./block-vocabulary.js";
import { BROADCAST } from "./vocabulary.js";

/** What is to be fetched. */
export interface BlockOrder {
  /** Of the effects on the slot and of what is told; the events that answer them have it too. */
  readonly attempt: number;
  /** The address whose frames are believed. */
  readonly gateway: string;
  /** IMAGE_ID_BYTES. */
  readonly id: Uint8Array;
  /** At most MAX_IMAGE_BYTES, and the slot's size. */
  readonly imageBytes: number;
  /** The blocks from the one that has this byte … */
  readonly start: number;
  /** … to the one that ends at or behind this byte … */
  readonly end: number;
  /** … but for these; copied. */
  readonly stored?: Int32Array;
}

export interface Receiving {
  readonly order: BlockOrder;
  /** The block that is fetched. */
  readonly block: number;
  /** The blocks that are to be fetched, this one among them; changed in place. */
  readonly wanted: Int32Array;
  readonly decoder: Decoder;
  /** Parts of the block behind it; changed in place. */
  readonly ahead: Int32Array;
  /** The sectors from the current block's start to here are erased. */
  readonly erasedTo: number;
  /** Pieces handed to the flash and not confirmed. */
  readonly unwrittenCount: number;
  /** The equation that is carried out; absent: not enough has arrived. */
  readonly repairing: number | undefined;
  /** The gateway's session of this image; absent: not heard yet. */
  readonly session: number | undefined;
  readonly turn: Turn;
  /** When a part of its own last came, and when progress was last told, ms since the boot. */
  readonly partAt: number;
  readonly toldAt: number;
}

/** The machine has stopped where there is no state. */
export type ReceiverStep = readonly [Receiving | undefined, readonly BlockEffect[]];

/** It gives up after so much time without a frame of the gateway … */
export const DEAF_MS = 60_000;
/** … or without a part of its own: others may be served first, but not forever. */
const PATIENCE_MS = 30 * 60_000;
/** Each time so many parts have come, a sector of the next block is erased. */
const PARTS_AN_ERASE = 16;
/** Of a block that one begins with, so many parts may have gone by: they are fewer than are lost anyway. */
const MAX_MISSED_PARTS = 8;

/** Begins: the first block's sectors are erased at once. An order that asks for nothing gives no machine. */
export function receiveBlocks(order: BlockOrder, { at, random }: Pick<Stamp, "at" | "random">): ReceiverStep {
  const end = Math.min(order.end, order.imageBytes);
  if (order.start >= end || end > MAX_IMAGE_BYTES) return [undefined, []];
  const wanted = wantedBlocks(order, end);
  const block = nextBlock(wanted, Math.floor(order.start / BLOCK_BYTES));
  if (block === undefined) return [undefined, []];
  const [turn, wakeMs = 0] = firstTurn(at, random);
  const state: Receiving = {
    order,
    block,
    wanted,
    decoder: newDecoder(partCountOf(blockLength(order.imageBytes, block))),
    ahead: new Int32Array(PART_SET_WORDS),
    erasedTo: block * BLOCK_BYTES,
    unwrittenCount: 0,
    repairing: undefined,
    session: undefined,
    turn,
    partAt: at,
    toldAt: at,
  };
  const [next, erasing] = eraseTo(state, blockEnd(state, block));
  return [next, [...erasing, setTimer(wakeMs)]];
}

function wantedBlocks({ start, stored }: BlockOrder, end: number): Int32Array {
  const wanted = newBlockSet(blockCountOf(end));
  for (let block = Math.floor(start / BLOCK_BYTES); block < blockCountOf(end); block++)
    if (!stored || !hasBlock(stored, block)) addBlock(wanted, block);
  return wanted;
}

export function receiverStep(state: Receiving, event: Stamped<BlockEvent>): ReceiverStep {
  switch (event.type) {
    case "frameReceived":
      return event.from === state.order.gateway
        ? gatewayHeard(state, event.bytes, event.at)
        : neighbourHeard(state, event.bytes);
    case "timerFired":
      return event.timer === "block.status" ? woken(state, event) : [state, []];
    case "partsCombined":
      return isAnswer(state, event) ? repaired(state, event.bytes) : [state, []];
    case "slotWritten":
      return isAnswer(state, event)
        ? goOn({ ...state, unwrittenCount: state.unwrittenCount - 1 }, [])
        : [state, []];
    case "slotFailed":
    case "partsFailed":
      return isAnswer(state, event) ? fail(state, event.message) : [state, []];
    default:
      return [state, []];
  }
}

/** Ends it, also from outside: its timer is cleared, and nothing is told. */
export const stopReceiving = (): readonly BlockEffect[] => [{ type: "clearTimer", timer: "block.status" }];

const isAnswer = ({ order }: Receiving, { attempt }: { readonly attempt: number }) =>
  attempt === order.attempt;

function gatewayHeard(state: Receiving, frame: Uint8Array, at: number): ReceiverStep {
  const { id, imageBytes } = state.order;
  const data = readData(frame, imageBytes);
  if (data) {
    if (data.session !== state.session) return [state, []];
    const [next, effects] = heardFrom(state, data.session, at);
    return dataHeard(next, effects, data, at);
  }
  const head = readParity(frame, imageBytes) ?? readAnnouncement(frame);
  if (!head) return [state, []];
  if (!bytesEqual(head.id, id)) {
    // the gateway serves another image now, perhaps in what was this one's session
    return [head.session === state.session ? { ...state, session: undefined } : state, []];
  }
  const quietMs = "waitSeconds" in head ? head.waitSeconds * 1000 : 0;
  const [next, effects] = heardFrom(state, head.session, at, quietMs);
  if ("seed" in head && head.block === state.block && state.repairing === undefined)
    addParity(state.decoder, head.seed, head.bytes);
  return goOn(next, effects);
}

/** The gateway is sending this image: nobody speaks now, and the installer is told, also if others are served first. */
function heardFrom(
  state: Receiving,
  session: number,
  at: number,
  quietMs = 0,
): readonly [Receiving, readonly BlockEffect[]] {
  const [turn, wakeMs] = gatewaySends(state.turn, at, quietMs);
  const isTold = at - state.toldAt >= PROGRESS_MS;
  const next = { ...state, session, turn, toldAt: isTold ? at : state.toldAt };
  return [
    next,
    [
      ...(wakeMs === undefined ? [] : [setTimer(wakeMs)]),
      ...(isTold ? [raise({ type: "blockProgress", attempt: state.order.attempt })] : []),
    ],
  ];
}

function dataHeard(
  before: Receiving,
  heard: readonly BlockEffect[],
  data: DataPart,
  at: number,
): ReceiverStep {
  const { block, part, bytes } = data;
  const [state, moving] = isBeginning(before, data) ? enter(before, block) : ([before, NOTHING] as const);
  const effects = moving.length > 0 ? [...heard, ...moving] : heard;
  const isAhead = block === state.block + 1 && hasBlock(state.wanted, block);
  const isNew = isAhead ? addAhead(state.ahead, part) : block === state.block && addAwaited(state, part);
  if (!isNew) return [state, effects];
  const offset = block * BLOCK_BYTES + part * PART_BYTES;
  const [ready, erasing] = eraseTo(state, offset + bytes.length);
  const [next, erasingAhead] = isAhead ? ([ready, NOTHING] as const) : eraseAhead(ready);
  return goOn({ ...next, unwrittenCount: next.unwrittenCount + 1, partAt: at }, [
    ...effects,
    ...erasing,
    { type: "writeSlot", attempt: state.order.attempt, offset, bytes },
    ...erasingAhead,
  ]);
}
const NOTHING: readonly never[] = Object.freeze([]);

/**
 * Whether to go on with this block, which the gateway has just begun with: nothing of the current one has come yet, or the gateway has left it
 * behind for good. That one is wanted still, and comes round.
 */
function isBeginning({ block, wanted, decoder, ahead, repairing }: Receiving, data: DataPart): boolean {
  if (data.block === block || data.part > MAX_MISSED_PARTS || !hasBlock(wanted, data.block)) return false;
  if (repairing !== undefined) return false;
  const isUntouched = decoder.missingCount === decoder.partCount && decoder.rank === 0;
  const isNext = data.block === block + 1;
  return isUntouched ? !isNext || ahead.every((word) => word === 0) : data.block > block + CATCH_UP;
}

/** While missing parts are being repaired they are on their way to the flash already. */
const addAwaited = ({ decoder, repairing }: Receiving, part: number): boolean =>
  repairing === undefined && addPart(decoder, part);

function addAhead(ahead: Int32Array, part: number): boolean {
  const bit = 1 << (part & 31);
  if ((ahead[part >> 5]! & bit) !== 0) return false;
  ahead[part >> 5]! |= bit;
  return true;
}

/** What follows when a part or a parity has been taken, or the flash has confirmed one. */
function goOn(state: Receiving, effects: readonly BlockEffect[]): ReceiverStep {
  if (state.repairing !== undefined) return [state, effects];
  if (deficitOf(state.decoder) > 0) return [state, effects];
  if (state.decoder.missingCount > 0) return repair(state, 0, effects);
  return state.unwrittenCount > 0 ? [state, effects] : stored(state, effects);
}

/** Carries out an equation. */
function repair(state: Receiving, row: number, effects: readonly BlockEffect[]): ReceiverStep {
  const { order, block, decoder } = state;
  const parts = new Uint8Array(PART_SET_BYTES);
  const { combination } = repairOf(decoder, row, parts);
  return [
    { ...state, repairing: row },
    [
      ...effects,
      {
        type: "combineParts",
        attempt: order.attempt,
        from: "slot",
        offset: block * BLOCK_BYTES,
        length: blockLength(order.imageBytes, block),
        parts,
        parities: decoder.parities,
        combination,
      },
    ],
  ];
}

/** The bytes of the missing part: the parts that they were made of stay as they are until all are repaired. */
function repaired(state: Receiving, bytes: Uint8Array): ReceiverStep {
  const { order, block, decoder, repairing } = state;
  if (repairing === undefined) return [state, []];
  const { part } = repairOf(decoder, repairing, new Uint8Array(PART_SET_BYTES));
  const length = partLength(blockLength(order.imageBytes, block), part);
  const offset = block * BLOCK_BYTES + part * PART_BYTES;
  const [ready, erasing] = eraseTo(state, offset + length);
  const effects: readonly BlockEffect[] = [
    ...erasing,
    { type: "writeSlot", attempt: order.attempt, offset, bytes: bytes.subarray(0, length) },
  ];
  const next = { ...ready, unwrittenCount: ready.unwrittenCount + 1 };
  if (repairing + 1 < decoder.rank) return repair(next, repairing + 1, effects);
  const whole = { ...decoder, missingCount: 0, rank: 0 };
  return goOn({ ...next, decoder: whole, repairing: undefined }, effects);
}

/** All bytes of the block are in the flash. */
function stored(state: Receiving, effects: readonly BlockEffect[]): ReceiverStep {
  const { order, block, wanted } = state;
  const length = blockLength(order.imageBytes, block);
  const told = raise({ type: "blockStored", attempt: order.attempt, offset: block * BLOCK_BYTES, length });
  removeBlock(wanted, block);
  const following = nextBlock(wanted, block);
  if (following === undefined) {
    const all = raise({ type: "blocksStored", attempt: order.attempt });
    return [undefined, [...effects, ...stopReceiving(), told, all]];
  }
  const [next, entering] = enter(state, following);
  return goOn(next, [...effects, ...entering, told]);
}

/** Another block is the current one now, with what has come of it. What has come of the one before is not known any more. */
function enter(state: Receiving, block: number): readonly [Receiving, readonly BlockEffect[]] {
  const { order, ahead } = state;
  const isNext = block === state.block + 1;
  const decoder = resetDecoder(state.decoder, partCountOf(blockLength(order.imageBytes, block)));
  for (let part = 0; isNext && part < decoder.partCount; part++) {
    if (((ahead[part >> 5]! >> (part & 31)) & 1) === 1) addPart(decoder, part);
  }
  ahead.fill(0);
  const erasedTo = isNext ? state.erasedTo : block * BLOCK_BYTES;
  return eraseTo({ ...state, block, decoder, erasedTo }, blockEnd(state, block));
}

/** Erases the sectors that come before `end` and are not erased yet. */
function eraseTo(state: Receiving, end: number): readonly [Receiving, readonly BlockEffect[]] {
  if (end <= state.erasedTo) return [state, []];
  const effects: BlockEffect[] = [];
  let { erasedTo } = state;
  for (; erasedTo < end; erasedTo += SECTOR_BYTES) {
    effects.push({
      type: "eraseSlot",
      attempt: state.order.attempt,
      offset: erasedTo,
      length: SECTOR_BYTES,
    });
  }
  return [{ ...state, erasedTo }, effects];
}

/** One more sector, if it is time for it. */
function eraseAhead(state: Receiving): readonly [Receiving, readonly BlockEffect[]] {
  const { decoder, block, wanted, erasedTo } = state;
  const isTime = (decoder.partCount - decoder.missingCount) % PARTS_AN_ERASE === 0;
  if (!isTime || !hasBlock(wanted, block + 1)) return [state, []];
  return eraseTo(state, Math.min(erasedTo + 1, blockEnd(state, block + 1)));
}

const blockEnd = ({ order }: Receiving, block: number): number =>
  block * BLOCK_BYTES + blockLength(order.imageBytes, block);

/** Somebody else asks: if it is for the same and for as much, this device need not. */
function neighbourHeard(state: Receiving, frame: Uint8Array): ReceiverStep {
  const status = readStatus(frame);
  if (!status || state.turn.isSaid || !saysAsMuch(state, status)) return [state, []];
  return [{ ...state, turn: { ...state.turn, isSaid: true } }, []];
}

const saysAsMuch = ({ order, block, decoder }: Receiving, status: BlockStatus): boolean =>
  status.block === block &&
  status.lacking >= deficitOf(decoder) &&
  status.imageBytes === order.imageBytes &&
  bytesEqual(status.id, order.id);

function woken(state: Receiving, event: Stamped<object>): ReceiverStep {
  const { decoder } = state;
  const { at } = event;
  if (at - state.turn.heardAt >= DEAF_MS)
    return fail(state, `nothing was heard of the gateway for ${DEAF_MS / 1000} s`);
  if (at - state.partAt >= PATIENCE_MS)
    return fail(state, `the gateway has served others for ${PATIENCE_MS / 60_000} minutes`);
  const lacking = deficitOf(decoder);
  const isFresh = lacking === decoder.partCount;
  const { turn, isSpeaking, wakeMs } = takeTurn(state.turn, lacking, isFresh, event);
  const isAsking = isSpeaking && lacking > 0;
  return [{ ...state, turn }, [...(isAsking ? [sayStatus(state)] : []), setTimer(wakeMs)]];
}

function sayStatus({ order, block, wanted, decoder }: Receiving): BlockEffect {
  const { id, imageBytes } = order;
  const endBlock = endOfRun(wanted, block);
  const [room, settled] = [roomOf(decoder), settledParts(decoder)];
  const bytes = statusFrame({ id, imageBytes, block, endBlock, room, settled });
  // nothing depends on whether it was sent
  return { type: "sendFrame", frame: blockFrame(0), to: BROADCAST, bytes };
}

const fail = (state: Receiving, message: string): ReceiverStep => [
  undefined,
  [...stopReceiving(), raise({ type: "blocksFailed", attempt: state.order.attempt, message })],
];

const raise = (event: BlockNews): BlockEffect => ({ type: "raise", event });
const setTimer = (delayMs: number): BlockEffect => ({ type: "setTimer", timer: "block.status", delayMs });
