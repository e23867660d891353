// What devices ask of the sender, and how many frames it answers with: those who asked for a block, the devices that spoke lately, the
// parities that a block has taken. It holds a bounded table, whatever number of devices there is, and sends nothing.
//
// One device alone gets the parts that it lacks. Several get parities, each of which helps all of them, whatever they lack. How many
// parities the worst of them will need is known from the blocks before, so most are sent along with the block, and few rounds of questions
// and answers follow.

import { PART_SET_WORDS, wordMask, wordOf } from "./block-code.js";
import type { BlockStatus } from "./block-frames.js";

/** What has been asked for in a block since its last frame was sent. */
export interface Demand {
  readonly block: number;
  /** Of the device that lacks most. */
  readonly lacking: number;
  /** Parts that have to be sent themselves, because a device lacks more than it can repair. */
  readonly partsNeeded: number;
  /** Parts that one device or another needs, words of a set. */
  readonly missing: readonly number[];
}

/** Adds what a device asks for. The caller bounds the number of blocks that are kept apart. */
export function noteDemand(
  demands: readonly Demand[],
  status: BlockStatus,
  partCount: number,
): readonly Demand[] {
  const before = demands.find(({ block }) => block === status.block);
  const missing: number[] = [];
  for (let word = 0; word < PART_SET_WORDS; word++) {
    const bits = ~wordOf(status.settled, word) & wordMask(word, partCount);
    missing.push(bits | (before?.missing[word] ?? 0));
  }
  const demand: Demand = {
    block: status.block,
    lacking: Math.max(status.lacking, before?.lacking ?? 0),
    partsNeeded: Math.max(status.lacking - status.room, before?.partsNeeded ?? 0),
    missing,
  };
  return [...demands.filter((other) => other !== before), demand];
}

export function furthestBehind(demands: readonly Demand[]): Demand | undefined {
  let first = demands[0];
  for (const demand of demands) if (first === undefined || demand.block < first.block) first = demand;
  return first;
}

/** A device that has spoken. */
export interface Asker {
  readonly address: string;
  readonly block: number;
  readonly lacking: number;
  /** Frames that were sent in the block since it has last made progress. */
  readonly vainCount: number;
  /** Frames that had been sent in all when it spoke. */
  readonly frameCount: number;
  readonly heardAt: number;
}

/** More of them are not told apart: the one that was silent for longest makes room. */
export const MAX_ASKERS = 8;
/** A device that makes no progress with so many frames hears nothing, or lies: it is not answered for DEAF_PAUSE_MS. */
export const MAX_VAIN = 160;
export const DEAF_PAUSE_MS = 30_000;
/** Who has been silent for longer is not counted. */
const RECENT_MS = 20_000;

/**
 * @param frameCount frames that were sent until now
 * @param isAnswered whether the last of them were for those who ask for this block
 */
export function noteAsker(
  askers: readonly Asker[],
  address: string,
  { block, lacking }: BlockStatus,
  at: number,
  frameCount: number,
  isAnswered: boolean,
): readonly Asker[] {
  const before = askers.find((asker) => asker.address === address);
  const others = askers.filter((asker) => asker !== before);
  const kept = others.length < MAX_ASKERS ? others : withoutOldest(others);
  const fresh: Asker = { address, block, lacking, vainCount: 0, frameCount, heardAt: at };
  if (before === undefined || before.block !== block || lacking < before.lacking) return [...kept, fresh];
  if (isDeaf(before)) {
    // its time begins when it was found out, and its next try is its last one
    if (at - before.heardAt < DEAF_PAUSE_MS) return askers;
    return [...kept, { ...fresh, vainCount: MAX_VAIN - 1 }];
  }
  const more = isAnswered ? frameCount - before.frameCount : 0;
  return [...kept, { ...fresh, vainCount: before.vainCount + more }];
}

const isDeaf = ({ vainCount }: Asker): boolean => vainCount >= MAX_VAIN;

export const isIgnored = (askers: readonly Asker[], address: string): boolean =>
  askers.some((asker) => asker.address === address && isDeaf(asker));

/** Whether only one device has spoken lately. */
export const isAlone = (askers: readonly Asker[], at: number): boolean => {
  let count = 0;
  for (const asker of askers) if (!isDeaf(asker) && at - asker.heardAt < RECENT_MS) count += 1;
  return count <= 1;
};

function withoutOldest(askers: readonly Asker[]): readonly Asker[] {
  let oldest = askers[0]!;
  for (const asker of askers) if (asker.heardAt < oldest.heardAt) oldest = asker;
  return askers.filter((asker) => asker !== oldest);
}

/** Parities for a device that lacks so many, and for those that lack fewer and are less lucky: some are lost, some tell it nothing new. */
export const paritiesFor = (lacking: number): number => Math.min(MAX_PARITIES, Math.ceil(lacking * 1.2));
/** In one round: more are asked for when these have been heard. */
const MAX_PARITIES = 64;

/** Parts that are sent themselves, for a device that has to get at least so many of those that it lacks. */
export const partsFor = (partsNeeded: number): number => 3 * partsNeeded + 4;

/**
 * Parities that are sent along with the next block, from what the last one took: a little fewer, since one too many is a frame for nothing,
 * and one that lacks is asked for.
 * @param expected as this function gave it last; 0 at first
 * @param sentCount parities of the block, in all its rounds
 * @param wasAsked whether any was asked for behind those that were sent along
 */
export const nextExpected = (expected: number, sentCount: number, wasAsked: boolean): number =>
  wasAsked ? expected + (sentCount - expected) / 4 : Math.max(0, expected - 1.5);
