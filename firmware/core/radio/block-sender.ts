// Brings an image to all devices in range that ask for it, block by block: sends the parts of a block once, with as many parities as the
// blocks before have needed, pauses, and answers what is still asked for, until nobody asks. Devices that lack nothing say nothing. It
// knows no device but those that spoke last (block-demand.ts), so its memory does not grow with their number, and a device that is gone
// is not waited for. It reads the image from the flash through CombineParts, part by part, and holds no more than one.
//
//   ┌─ idle ◄─ nothing more is wanted ──────────────────────────────┐
//   │   STATUS                                                      │
//   └────► listening ─ asked for ─► sending: ANNOUNCE, DATA, PARITY │
//              ▲  │                    │                            │
//              │  └─ nobody asks ─► the next block, or the one that a latecomer asked for
//              └─────── all sent ──────┘
//
// The next block is sent without being asked for, as long as anybody was heard lately who wants to have it. Who falls behind by a few
// blocks is served first; who joins late takes what is sent from then on, and the blocks that it has missed are sent once more when the others
// have theirs, for all latecomers together.

import { bytesEqual } from "../bytes.js";
import type { Stamp, Stamped } from "../event.js";
import { BLOCK_BYTES, partCountOf, partLength } from "./block-code.js";
import {
  type Asker,
  type Demand,
  furthestBehind,
  isAlone,
  isIgnored,
  nextExpected,
  noteAsker,
  noteDemand,
  paritiesFor,
  partsFor,
} from "./block-demand.js";
import {
  announceFrame,
  type BlockStatus,
  blockLength,
  dataFrame,
  parityFrame,
  readStatus,
  SESSION_COUNT,
} from "./block-frames.js";
import {
  type BlockEffect,
  type BlockEvent,
  type BlockNews,
  blockFrame,
  CATCH_UP,
  type CombineParts,
  isBlockFrame,
  LINGER_MS,
  LISTEN_MS,
} from "./block-vocabulary.js";
import {
  allParts,
  bytesOf,
  firstOf,
  NO_PARTS,
  type PartSet,
  sizeOf,
  someOf,
  subsetOf,
  toggled,
} from "./part-set.js";
import { BROADCAST, type RadioEffect } from "./vocabulary.js";

export interface ServedImage {
  /** Of the effects and of what is told. */
  readonly attempt: number;
  /** IMAGE_ID_BYTES. */
  readonly id: Uint8Array;
  /** At most MAX_IMAGE_BYTES. */
  readonly imageBytes: number;
  /** Where it is in the flash, from its partition's start. */
  readonly from: CombineParts["from"];
}

/** One frame of the plan. */
type Item =
  | { readonly kind: "announce" }
  | { readonly kind: "data"; readonly part: number }
  | { readonly kind: "parity"; readonly seed: number };

export interface Sending {
  readonly image: ServedImage;
  readonly session: number;
  /** How much of the image is in the flash, from its start; whole chunks of it. */
  readonly availableBytes: number;
  readonly phase: "idle" | "sending" | "listening";
  readonly block: number;
  /** Somebody wants the blocks before this one. */
  readonly endBlock: number;
  /** What is still to be sent in this round. */
  readonly announceCount: number;
  readonly data: PartSet;
  readonly parityCount: number;
  /** Being read from the flash. */
  readonly reading: Item | undefined;
  /** Handed to the radio, in order. */
  readonly underWay: readonly Item[];
  readonly isPausing: boolean;
  readonly frameCount: number;
  readonly seed: number;
  /** The furthest block that was sent in this pass. */
  readonly front: number;
  /** What is asked for, block by block: the current one and its neighbours, CATCH_UP before it and behind it at most. */
  readonly demands: readonly Demand[];
  /** What this round answers. */
  readonly answered: Demand | undefined;
  /** Where a latecomer begins. */
  readonly lateBlock: number | undefined;
  readonly lateEnd: number;
  readonly askers: readonly Asker[];
  /** Blocks since anybody was heard. */
  readonly unheardCount: number;
  readonly expected: number;
  readonly paritySentCount: number;
  readonly roundCount: number;
}

export type SenderStep = readonly [Sending, readonly BlockEffect[]];

/** Frames at the radio at a time: its queue stays free for other machines. */
const MAX_UNDER_WAY = 2;
/** After so many frames the air is left to others for GAP_MS, which is no silence yet. */
const FRAMES_A_GAP = 16;
const GAP_MS = 15;
/** Behind the first status that is heard, for others that lack more. */
const SETTLE_MS = 12;
/** Behind the first one that ends an idle time: others join in. */
const JOIN_MS = 60;
/** When it is not known who listens. */
const ANNOUNCE_COUNT = 3;
/** So many blocks are sent while nobody is heard. With no loss at all devices are silent. */
const MAX_UNHEARD = 8;
/** Of all who ask: so few parts are sent themselves, with a parity for those who lack as many and have kept quiet. */
const MAX_LAST_PARTS = 2;
/** Rounds of a block, until the others go on without those who still lack parts of it. */
const MAX_ROUNDS = 24;

/** @param random chooses the first session, so that frames of the time before a restart are not this image's */
export const serveBlocks = (image: ServedImage, availableBytes: number, random: number): Sending => ({
  image,
  session: Math.floor(random * SESSION_COUNT),
  availableBytes,
  phase: "idle",
  block: 0,
  endBlock: 0,
  announceCount: ANNOUNCE_COUNT,
  data: NO_PARTS,
  parityCount: 0,
  reading: undefined,
  underWay: [],
  isPausing: false,
  frameCount: 0,
  seed: Math.floor(random * 0x1_0000),
  front: 0,
  demands: [],
  answered: undefined,
  lateBlock: undefined,
  lateEnd: 0,
  askers: [],
  unheardCount: 0,
  expected: 0,
  paritySentCount: 0,
  roundCount: 0,
});

/** Another image, in another session. */
export const serveOther = (before: Sending, image: ServedImage, availableBytes: number): Sending => ({
  ...serveBlocks(image, availableBytes, 0),
  session: (before.session + 1) % SESSION_COUNT,
  seed: before.seed,
  underWay: before.underWay,
});

/** Somebody wants the blocks from this one on who need not say so by a frame. */
export function wantBlocks(state: Sending, block: number, endBlock: number): SenderStep {
  const next = { ...state, endBlock: Math.max(state.endBlock, endBlock), unheardCount: 0 };
  if (state.phase !== "idle") return [joinsLate(next, { block, endBlock }), []];
  const isWaited = state.block < state.endBlock;
  const first = isWaited ? Math.min(state.block, block) : block;
  return visit({ ...next, front: first }, first, ANNOUNCE_COUNT);
}

/** Nothing is being sent, and nothing waits for the flash. */
export const isAtRest = ({ phase, block, endBlock }: Sending): boolean =>
  phase === "idle" && block >= endBlock;

/** Of the image, from its start to the block that is being sent in this pass. */
export const sentBytes = ({ phase, front }: Sending): number => (phase === "idle" ? 0 : front * BLOCK_BYTES);

/** Whether the last pass has reached the end of the image: who wants it has all of it, or asks for more. */
export const isAllSent = (state: Sending): boolean =>
  isAtRest(state) && (state.front + 1) * BLOCK_BYTES >= state.image.imageBytes;

/** Tells those who want this image that its parts come later. */
export function postponement({ image, session, block }: Sending, waitSeconds: number): RadioEffect {
  const { id, imageBytes } = image;
  const bytes = announceFrame({ session, id, imageBytes, block, waitSeconds });
  // nothing depends on whether it was sent
  return { type: "sendFrame", frame: 0, to: BROADCAST, bytes };
}

/** More of the image is in the flash. */
export function extendBlocks(state: Sending, availableBytes: number): SenderStep {
  const next = { ...state, availableBytes };
  const isWaited = state.phase === "idle" && state.block < state.endBlock && isAvailable(next, state.block);
  return isWaited ? visit(next, state.block, state.announceCount) : [next, []];
}

export function senderStep(state: Sending, event: Stamped<BlockEvent>): SenderStep {
  switch (event.type) {
    case "frameReceived":
      return heard(state, event);
    case "frameSent":
      return isBlockFrame(event.frame) ? sent(state, event.isAcknowledged) : [state, []];
    case "partsCombined":
      return event.attempt === state.image.attempt ? read(state, event.bytes) : [state, []];
    case "partsFailed":
      return event.attempt === state.image.attempt ? failed(state, event.message) : [state, []];
    case "timerFired":
      return event.timer === "block.send" ? woken(state, event) : [state, []];
    default:
      return [state, []];
  }
}

const partCountAt = ({ image }: Sending, block: number): number =>
  partCountOf(blockLength(image.imageBytes, block));

const isAvailable = ({ image, availableBytes }: Sending, block: number): boolean =>
  availableBytes >= block * BLOCK_BYTES + blockLength(image.imageBytes, block);

// what is asked for

function heard(state: Sending, event: Stamped<Extract<BlockEvent, { type: "frameReceived" }>>): SenderStep {
  const status = readStatus(event.bytes);
  const { image, phase } = state;
  if (!status || status.imageBytes !== image.imageBytes || !bytesEqual(status.id, image.id))
    return [state, []];
  const isAnswered = state.answered?.block === status.block;
  const askers = noteAsker(state.askers, event.from, status, event.at, state.frameCount, isAnswered);
  if (isIgnored(askers, event.from)) return [{ ...state, askers }, []];
  const endBlock = Math.max(state.endBlock, status.endBlock);
  const next: Sending = { ...state, askers, endBlock, unheardCount: 0 };
  const partCount = partCountAt(state, status.block);
  if (phase === "idle") {
    const { block } = status;
    const joined: Sending = { ...next, phase: "listening", block, front: block, endBlock: status.endBlock };
    return [{ ...joined, demands: noteDemand([], status, partCount) }, [setTimer(JOIN_MS)]];
  }
  const isNear = status.block >= state.block - CATCH_UP && status.block <= state.front;
  if (!isNear) return [joinsLate(next, status), []];
  if (status.block === state.block && phase === "sending")
    return [late(next, status.lacking, status.lacking === partCount), []];
  const demands = noteDemand(state.demands, status, partCount);
  const isFirst = phase === "listening" && state.demands.length === 0;
  return [{ ...next, demands }, isFirst ? [setTimer(SETTLE_MS)] : []];
}

/** A node that wants to begin further ahead is reached in this pass, unless it ends before; and all take what is sent behind this block. */
function joinsLate(state: Sending, { block, endBlock }: Pick<BlockStatus, "block" | "endBlock">): Sending {
  if (block > state.block) return state;
  const lateBlock = Math.min(block, state.lateBlock ?? block);
  return { ...state, lateBlock, lateEnd: Math.max(state.lateEnd, Math.min(endBlock, state.block + 1)) };
}

/** Somebody lacks more than was known when the round began; or all of it, perhaps because it has missed what announced the session. */
function late(state: Sending, lacking: number, isAll: boolean): Sending {
  const { answered } = state;
  if (isAll) return { ...state, announceCount: Math.max(1, state.announceCount) };
  if (answered === undefined || state.parityCount === 0 || lacking <= answered.lacking) return state;
  const more = paritiesFor(lacking) - paritiesFor(answered.lacking);
  return { ...state, parityCount: state.parityCount + more, answered: { ...answered, lacking } };
}

function woken(state: Sending, event: Stamped<object>): SenderStep {
  if (state.isPausing) return pump({ ...state, isPausing: false });
  if (state.phase === "listening") return decide(state, event);
  if (state.phase === "idle") return [state, [raise({ type: "blocksIdle", attempt: state.image.attempt })]];
  return [state, []];
}

/** The time to ask is over: who is furthest behind is served first. */
function decide(state: Sending, { at }: Stamp): SenderStep {
  const demand = furthestBehind(state.demands);
  if (demand === undefined) return finish(state);
  const { block, lacking, missing, partsNeeded } = demand;
  const isSameBlock = block === state.block;
  if (isSameBlock && state.roundCount >= MAX_ROUNDS) return finish(state);
  const next: Sending = {
    ...state,
    block,
    demands: state.demands.filter((other) => other !== demand),
    answered: demand,
    roundCount: isSameBlock ? state.roundCount + 1 : 0,
    paritySentCount: isSameBlock ? state.paritySentCount : 0,
  };
  const partCount = partCountAt(state, block);
  if (lacking === partCount || !isAvailable(state, block)) return visit(next, block, state.announceCount);
  if (isAlone(state.askers, at)) return send(next, missing, 0);
  if (partsNeeded > 0) return send(next, someOf(missing, partsFor(partsNeeded), state.seed % partCount), 0);
  // a part helps for certain where it is missing, a parity only every other time where it is the last one
  if (sizeOf(missing) <= MAX_LAST_PARTS) return send(next, missing, 1);
  return send(next, NO_PARTS, paritiesFor(lacking));
}

/** Nobody lacks anything of the block, as far as is known. */
function finish(state: Sending): SenderStep {
  const { block, front, endBlock, lateBlock } = state;
  if (block < front) return listen({ ...state, block: block + 1, answered: undefined, roundCount: 0 });
  const expected = nextExpected(state.expected, state.paritySentCount, state.roundCount > 0);
  const next = { ...state, expected, demands: [], answered: undefined };
  if (block + 1 < endBlock && state.unheardCount < MAX_UNHEARD) {
    return visit({ ...next, unheardCount: state.unheardCount + 1 }, block + 1, 0);
  }
  if (lateBlock === undefined) return rest({ ...next, block: 0, endBlock: 0 });
  const again = { ...next, lateBlock: undefined, lateEnd: 0, endBlock: state.lateEnd, front: lateBlock };
  return visit(again, lateBlock, ANNOUNCE_COUNT);
}

/** A whole block, from its first part. */
function visit(state: Sending, block: number, announceCount: number): SenderStep {
  if (!isAvailable(state, block)) return rest({ ...state, block });
  const front = Math.max(state.front, block);
  const next = { ...state, block, front, announceCount, roundCount: 0, paritySentCount: 0 };
  return send(next, allParts(partCountAt(state, block)), Math.floor(state.expected));
}

const rest = (state: Sending): SenderStep => [
  { ...state, phase: "idle", announceCount: ANNOUNCE_COUNT, demands: [], roundCount: 0 },
  [setTimer(LINGER_MS)],
];

// what is sent

const send = (state: Sending, data: PartSet, parityCount: number): SenderStep =>
  pump({ ...state, phase: "sending", data, parityCount });

/** Hands frames to the radio as long as it takes them; behind the last one it listens. */
function pump(state: Sending): SenderStep {
  if (state.phase !== "sending" || state.isPausing || state.reading !== undefined) return [state, []];
  if (state.underWay.length >= MAX_UNDER_WAY) return [state, []];
  const { image, session, block, announceCount, data, parityCount } = state;
  if (announceCount > 0) {
    const { id, imageBytes } = image;
    const next = { ...state, announceCount: announceCount - 1 };
    return transmit(
      next,
      { kind: "announce" },
      announceFrame({ session, id, imageBytes, block, waitSeconds: 0 }),
    );
  }
  const part = firstOf(data);
  if (part >= 0) {
    const next = { ...state, data: toggled(data, part) };
    return combine(next, { kind: "data", part }, bytesOf(toggled(NO_PARTS, part)));
  }
  if (parityCount > 0) {
    const seed = (state.seed + 1) & 0xffff;
    const next = { ...state, seed, parityCount: parityCount - 1, paritySentCount: state.paritySentCount + 1 };
    return combine(next, { kind: "parity", seed }, bytesOf(subsetOf(seed, partCountAt(state, block))));
  }
  if (state.underWay.length > 0) return [state, []];
  return listen(state);
}

const listen = (state: Sending): SenderStep => [
  { ...state, phase: "listening" },
  [setTimer(state.demands.length > 0 ? SETTLE_MS : LISTEN_MS)],
];

function combine(state: Sending, item: Item, parts: Uint8Array): SenderStep {
  const { image, block } = state;
  const { attempt, from, imageBytes } = image;
  const length = blockLength(imageBytes, block);
  return [
    { ...state, reading: item },
    [{ type: "combineParts", attempt, from, offset: block * BLOCK_BYTES, length, parts }],
  ];
}

function read(state: Sending, bytes: Uint8Array): SenderStep {
  const { reading, image, session, block } = state;
  if (reading === undefined || reading.kind === "announce") return [state, []];
  const next = { ...state, reading: undefined };
  if (reading.kind === "parity") {
    return transmit(next, reading, parityFrame({ session, id: image.id, block, seed: reading.seed, bytes }));
  }
  const { part } = reading;
  const length = partLength(blockLength(image.imageBytes, block), part);
  return transmit(next, reading, dataFrame({ session, block, part, bytes: bytes.subarray(0, length) }));
}

function transmit(state: Sending, item: Item, bytes: Uint8Array): SenderStep {
  const frameCount = state.frameCount + 1;
  const isPausing = frameCount % FRAMES_A_GAP === 0;
  const effect: BlockEffect = { type: "sendFrame", frame: blockFrame(frameCount), to: BROADCAST, bytes };
  const [next, effects] = pump({ ...state, frameCount, isPausing, underWay: [...state.underWay, item] });
  return [next, [effect, ...(isPausing ? [setTimer(GAP_MS)] : []), ...effects]];
}

/** What the radio had no room for is sent again, after a pause. */
function sent(state: Sending, isSent: boolean): SenderStep {
  const [item, ...underWay] = state.underWay;
  if (item === undefined) return [state, []];
  const next = { ...state, underWay };
  if (isSent) return pump(next);
  return [{ ...withAgain(next, item), isPausing: true }, [setTimer(GAP_MS)]];
}

function withAgain(state: Sending, item: Item): Sending {
  if (item.kind === "announce") return { ...state, announceCount: state.announceCount + 1 };
  return item.kind === "data"
    ? { ...state, data: toggled(state.data, item.part) }
    : { ...state, parityCount: state.parityCount + 1, paritySentCount: state.paritySentCount - 1 };
}

const failed = (state: Sending, message: string): SenderStep => [
  { ...state, phase: "idle", reading: undefined, endBlock: 0 },
  [raise({ type: "blocksFailed", attempt: state.image.attempt, message })],
];

const raise = (event: BlockNews): BlockEffect => ({ type: "raise", event });
const setTimer = (delayMs: number): BlockEffect => ({ type: "setTimer", timer: "block.send", delayMs });
