// What a device knows of freshness: which statement counts, when the next one is asked for, and for how long there has been none. Pure; asking for one
// is update/freshness-update.ts. Only devices whose trust root names keys for statements have any of it; the others have NO_FRESHNESS.
//
//   boot ─► asks with its first check ─► a statement ─► asks again a day later, or with an offer
//                     └─ none ─► asks again after ten minutes at the earliest; offers wait
//
// Only a statement for which an offer has waited suffices for an installation, for an hour at most: what a server says of the newest release depends
// on what it has just offered.
//   two weeks since the last statement, or since the first one was missed ─► frozen, until there is one

import { spreadMs } from "../backoff.js";
import { gatherChance, NO_CHANCE } from "../chance.js";
import { type Clock, DAY_SECONDS, earliestAt, timeAt, toldAt } from "../clock.js";
import { readDigits } from "../digits.js";
import type { Effect } from "../effect.js";
import { fail, type Result, succeed } from "../errors.js";
import type { Booted, Stamped } from "../event.js";
import { FROZEN_SECONDS, type ReleaseFacts, WITHDRAWN_DIGITS } from "../wire.js";
import { asksForStatements, type Statement } from "./statement.js";
import type { Trust } from "./trust.js";

/** NVS key: when the last statement was made, seconds since 1970, to a day; or when the first one was missed. */
export const FRESH_KEY = "trust.fresh";

/** However long a statement says that it suffices. */
const MAX_SUFFICES_SECONDS = 3_600;
const RETRY_MS = 600_000;

export interface Freshness {
  /** For the next nonce. */
  readonly chance: string;
  /** The last one of this boot. */
  readonly statement: Statement | undefined;
  /** Until when it suffices for an installation, ms since this boot. */
  readonly untilMs: number;
  /** The next daily one is not asked for before this time, and after a failure none at all before that one, ms since this boot. */
  readonly dailyFromMs: number;
  readonly retryFromMs: number;
  /** When the last one was made, or the first one was missed, seconds since 1970; 0: neither yet. */
  readonly since: number;
  /** The same as NVS has it. */
  readonly kept: number;
  /** The device sleeps between its checks: a boot is no reason to ask. */
  readonly isWoken: boolean;
  readonly isFrozen: boolean;
}

export type FreshnessStep = readonly [Freshness, readonly Effect[]];

/** Of a device that asks for none. */
export const NO_FRESHNESS: Freshness = Object.freeze({
  chance: NO_CHANCE,
  statement: undefined,
  untilMs: 0,
  dailyFromMs: 0,
  retryFromMs: 0,
  since: 0,
  kept: 0,
  isWoken: false,
  isFrozen: false,
});

export function freshnessAtBoot({ stored, resetReason, random }: Booted & Stamped, trust: Trust): Freshness {
  if (!asksForStatements(trust)) return NO_FRESHNESS;
  const since = readDigits(stored[FRESH_KEY] ?? "", 10) ?? 0;
  const isWoken = resetReason === "deep-sleep";
  return { ...NO_FRESHNESS, chance: gatherChance(NO_CHANCE, random), since, kept: since, isWoken };
}

/** A new root may name other keys, or none: what a key of the old one has signed does not count any more, and the next is asked for at once. */
export const freshnessWithRoot = (freshness: Freshness, trust: Trust): Freshness =>
  asksForStatements(trust)
    ? { ...freshness, statement: undefined, untilMs: 0, dailyFromMs: 0, retryFromMs: 0 }
    : NO_FRESHNESS;

/** What an expiry is compared with: where statements are asked for, no unsigned word counts. */
export const datingTime = (trust: Trust, clock: Clock, at: number): number =>
  asksForStatements(trust) ? earliestAt(clock, at) : timeAt(clock, at);

/** Whether one is to be asked for without an offer: the device has started, or a day is over. Not asked of devices that ask for none. */
export const isDue = (
  { dailyFromMs, retryFromMs, isWoken, since }: Freshness,
  clock: Clock,
  at: number,
): boolean =>
  at >= dailyFromMs && at >= retryFromMs && (!isWoken || timeAt(clock, at) - since >= DAY_SECONDS);

/** The statement that suffices for an installation now. */
export const statementAt = ({ statement, untilMs }: Freshness, at: number): Statement | undefined =>
  at < untilMs ? statement : undefined;

export const mayRetry = ({ retryFromMs }: Freshness, at: number): boolean => at >= retryFromMs;

/** There is one. @param isForOffer an offer has waited for it @param random 0 to 1 */
export function withStatement(
  freshness: Freshness,
  statement: Statement,
  isForOffer: boolean,
  at: number,
  random: number,
): FreshnessStep {
  const { time, expires } = statement;
  const isKept = Math.abs(time - freshness.kept) >= DAY_SECONDS;
  return [
    {
      ...freshness,
      statement,
      untilMs: isForOffer ? at + Math.min(expires - time, MAX_SUFFICES_SECONDS) * 1000 : 0,
      dailyFromMs: at + spreadMs(DAY_SECONDS * 1000, random),
      since: time,
      kept: isKept ? time : freshness.kept,
      isFrozen: false,
    },
    isKept ? [store(time)] : NOTHING,
  ];
}

/** There is none. With the first one that is missing the two weeks begin. */
export function withoutStatement(freshness: Freshness, clock: Clock, at: number): FreshnessStep {
  const tried: Freshness = { ...freshness, retryFromMs: at + RETRY_MS };
  if (freshness.since > 0) return [watched(tried, clock, at), NOTHING];
  const since = timeAt(clock, at);
  return [{ ...tried, since, kept: since }, [store(since)]];
}

/** Whether two weeks are over. The same object: nothing has changed. */
export function watched(freshness: Freshness, clock: Clock, at: number): Freshness {
  if (freshness.since === 0) return freshness;
  const now = timeAt(clock, at);
  // a time that is still to come was told by a clock that is wrong: it must not put the end off
  const since = toldAt(clock, at) === undefined ? freshness.since : Math.min(freshness.since, now);
  const isFrozen = freshness.isFrozen || now - since >= FROZEN_SECONDS;
  return since === freshness.since && isFrozen === freshness.isFrozen
    ? freshness
    : { ...freshness, since, isFrozen };
}

const store = (time: number): Effect => ({ type: "store", key: FRESH_KEY, value: `${time}` });
const NOTHING: readonly Effect[] = Object.freeze([]);

/** What a release is judged by; "any": no statement is asked for. */
export type Ruling = Statement | undefined | "any";

/**
 * Whether a release that a server offers may be installed. Errors: FRESHNESS_MISSING, RELEASE_WITHDRAWN, SEQUENCE_TOO_OLD.
 */
export function checkFresh(
  ruling: Ruling,
  { version, build, imageSha256, sequence = 0 }: ReleaseFacts,
): Result<undefined> {
  if (ruling === "any") return succeed(undefined);
  if (!ruling) return fail("FRESHNESS_MISSING", "no statement of freshness counts now");
  if (isWithdrawn(ruling, imageSha256))
    return fail("RELEASE_WITHDRAWN", `release ${version} build ${build} was withdrawn`);
  return sequence < ruling.newest
    ? fail(
        "SEQUENCE_TOO_OLD",
        `release has sequence ${sequence}, the server's statement asks for ${ruling.newest}`,
      )
    : succeed(undefined);
}

export const isWithdrawn = ({ withdrawn }: Statement, imageSha256: string): boolean =>
  withdrawn.includes(imageSha256.slice(0, WITHDRAWN_DIGITS));
