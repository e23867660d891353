// What a server tells a device that is updated together with others: to have an image ready, to start it, to give it up, or to go back from it.
// Decides by what the device says of itself in its check, as the leader of a system does.

import type { JWK } from "jose";
import type { CheckRequest } from "../../firmware/core/wire.js";
import type { SweepImages } from "./images.js";
import type { SweepRelease } from "./release.js";

/** An answer to a check; nothing of all that: there is nothing to do. */
export interface Word {
  /** Is offered. */
  readonly release?: SweepRelease | undefined;
  /** It is not to start yet. */
  readonly hold?: true;
  /** SHA-256 in the image that is to start. */
  readonly commit?: string;
  readonly abandon?: true;
  /** SHA-256 in the image that is to be left. */
  readonly revert?: string;
  /** The trust root after the first one. */
  readonly nextRoot?: string;
  /** With it the server signs statements of freshness. */
  readonly statementKey?: JWK;
}

export const LED_JOURNEYS = Object.freeze(["staged", "staged-abandoned", "staged-reverted"] as const);
export type LedJourney = (typeof LED_JOURNEYS)[number];

export const isLed = (journey: string): journey is LedJourney =>
  LED_JOURNEYS.some((known) => known === journey);

/**
 * @param checks of the device, the last one being answered
 * @param after what is offered when that is done
 */
export function sayTo(
  journey: LedJourney,
  { update }: SweepImages,
  checks: readonly CheckRequest[],
  after?: SweepRelease,
): Word {
  const { imageSha256 } = update.payload;
  const check = checks.at(-1);
  const isStaged = check?.staged_sha256 === imageSha256;
  const isRunning = check?.image_sha256 === imageSha256;
  switch (journey) {
    case "staged":
      if (isRunning) return { release: after };
      return isStaged ? { commit: imageSha256 } : { release: update, hold: true };
    case "staged-abandoned":
      if (isStaged) return { abandon: true };
      return wasStaged(checks, imageSha256) ? { release: after } : { release: update, hold: true };
    case "staged-reverted":
      return isRunning ? { revert: imageSha256 } : { release: after };
  }
}

export const wasStaged = (checks: readonly CheckRequest[], imageSha256: string): boolean =>
  checks.some(({ staged_sha256 }) => staged_sha256 === imageSha256);
