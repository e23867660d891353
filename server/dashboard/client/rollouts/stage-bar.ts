// The devices of a stage by outcome, as pieces of a bar. Pure.

import type { ProgressView } from "../../../api/rollout-views.js";

export type StageTallyView = ProgressView["tallies"][number];
export type PieceKind = "soaked" | "validated" | "updating" | "failed" | "silent" | "given";

export interface Piece {
  readonly kind: PieceKind;
  readonly count: number;
  /** Shares of the whole bar, 0 to 1. */
  readonly from: number;
  readonly share: number;
}

/**
 * Each device counts in one piece. `silent` and `updating` devices have no outcome; `given` are those that were offered it and are in no
 * other piece.
 * @param deviceCount devices of the stage, `null`: not counted; the bar is never shorter than what happened
 */
export function piecesOf(tally: StageTallyView, deviceCount: number | null): readonly Piece[] {
  const failed = tally.failed + tally.rolled_back;
  const settled = tally.validated + failed + tally.silent;
  const updating = Math.min(tally.updating, Math.max(0, tally.given - settled));
  const counts: readonly (readonly [PieceKind, number])[] = [
    ["soaked", tally.soaked],
    ["validated", tally.validated - tally.soaked],
    ["updating", updating],
    ["given", Math.max(0, tally.given - settled - updating)],
    ["silent", tally.silent],
    ["failed", failed],
  ];
  const whole = Math.max(1, deviceCount ?? 0, tally.given);
  let from = 0;
  return counts
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => {
      const piece = { kind, count, from, share: count / whole };
      from += piece.share;
      return piece;
    });
}

export const PIECE_WORDS: Readonly<Record<PieceKind, string>> = Object.freeze({
  soaked: "soaked",
  validated: "validated",
  updating: "updating",
  given: "offered",
  silent: "silent",
  failed: "failed or rolled back",
});
