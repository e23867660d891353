// Why a release is or is not offered to a device, and what follows from each verdict: whether time alone can end it, and how useful it is to
// an operator who asks why. A new verdict needs a row here: the compiler requires it.

import type { FitObstacle, MomentObstacle } from "./obstacle.js";

export type Verdict =
  | "OFFERED"
  /** Offered because another release needs it first. */
  | "OFFERED_AS_INTERMEDIATE"
  /** Needs another release first, and that one is offered. */
  | "INTERMEDIATE_OFFERED"
  /** The device could have it, but another goes first. */
  | "OTHER_OFFERED"
  | FitObstacle
  | MomentObstacle
  | "NOT_STABLE"
  | "PINNED"
  | "ROLLOUT_DRAFT"
  | "ROLLOUT_AWAITING_APPROVAL"
  | "ROLLOUT_SCHEDULED"
  | "ROLLOUT_PAUSED"
  | "ROLLOUT_CANCELLED"
  | "NOT_TARGETED"
  | "IN_NO_STAGE"
  | "STAGE_AHEAD"
  | "CURRENT_TOO_OLD"
  | "DONE_ALREADY"
  | "HELD"
  | "WINDOW_CLOSED"
  | "LIMIT_REACHED"
  /** Never the verdict of a check, see ask-why.ts. */
  | "NOT_SIGNED"
  | "DEVICE_PENDING"
  | "DEVICE_BLOCKED";

interface VerdictTerms {
  /** Stands until the device, a release or a rollout changes: time alone does not end it. */
  readonly isLasting: boolean;
  /** Of several verdicts the one with the lowest rank answers why nothing is offered; `null`: it never does. */
  readonly rank: number | null;
  /** Answers that only for a release that is newer than what runs. */
  readonly onlyIfNewer?: true;
  /** The device is offered something. */
  readonly isOffer?: true;
}

// biome-ignore format: a table
export const VERDICTS: Readonly<Record<Verdict, VerdictTerms>> = Object.freeze({
  OFFERED:                   { isLasting: false, rank: null, isOffer: true },
  OFFERED_AS_INTERMEDIATE:   { isLasting: false, rank: null, isOffer: true },
  INTERMEDIATE_OFFERED:      { isLasting: false, rank: null, isOffer: true },
  OTHER_OFFERED:             { isLasting: false, rank: null, isOffer: true },
  PINNED:                    { isLasting: true,  rank: 1 },
  TRIAL_RUNNING:             { isLasting: false, rank: 2 },
  ROLLED_BACK:               { isLasting: true,  rank: 3 },
  WAITS_AFTER_ROLL_BACK:     { isLasting: false, rank: 4 },
  FAILED_TOO_OFTEN:          { isLasting: false, rank: 5 },
  LIMIT_REACHED:             { isLasting: false, rank: 6 },
  WINDOW_CLOSED:             { isLasting: false, rank: 7 },
  STAGE_AHEAD:               { isLasting: true,  rank: 8 },
  CURRENT_TOO_OLD:           { isLasting: true,  rank: 9 },
  HELD:                      { isLasting: true,  rank: 10 },
  DEVICE_REFUSES:            { isLasting: true,  rank: 11 },
  ROLLOUT_PAUSED:            { isLasting: true,  rank: 12 },
  ROLLOUT_SCHEDULED:         { isLasting: false, rank: 13 },
  ROLLOUT_AWAITING_APPROVAL: { isLasting: true,  rank: 14 },
  IN_NO_STAGE:               { isLasting: true,  rank: 15 },
  NOT_TARGETED:              { isLasting: true,  rank: 16 },
  ROLLOUT_DRAFT:             { isLasting: true,  rank: 17 },
  EXPIRED:                   { isLasting: true,  rank: 18, onlyIfNewer: true },
  MANIFEST_TOO_LONG:         { isLasting: true,  rank: 19, onlyIfNewer: true },
  NOT_STABLE:                { isLasting: true,  rank: 20 },
  NOT_SIGNED:                { isLasting: true,  rank: 21 },
  ROLLOUT_CANCELLED:         { isLasting: true,  rank: 22 },
  INACTIVE:                  { isLasting: true,  rank: 23, onlyIfNewer: true },
  WRONG_HARDWARE:            { isLasting: true,  rank: 24, onlyIfNewer: true },
  WRONG_CHIP:                { isLasting: true,  rank: 25, onlyIfNewer: true },
  WRONG_TYPE:                { isLasting: true,  rank: null },
  NOT_NEWER:                 { isLasting: true,  rank: null },
  DONE_ALREADY:              { isLasting: true,  rank: null },
  DEVICE_PENDING:            { isLasting: true,  rank: null },
  DEVICE_BLOCKED:            { isLasting: true,  rank: null },
});

/** What the API called a verdict before; answers carry it beside the new code for one version. */
export const FORMER_VERDICTS: Readonly<Partial<Record<Verdict, string>>> = Object.freeze({
  OFFERED_AS_INTERMEDIATE: "OFFERED_AS_STONE",
  INTERMEDIATE_OFFERED: "STONE_OFFERED",
});
