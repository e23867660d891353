// What a decision about one device is made from, and what it comes to. Types only.

import type { Rollout, RolloutDevice, RolloutRelease } from "../shared/rollout.js";
import type { FailureCount } from "../store/store.js";
import type { Verdict } from "./verdicts.js";

/** Everything that a decision depends on. */
export interface Scene<Release extends RolloutRelease = RolloutRelease> {
  readonly device: RolloutDevice;
  readonly releases: readonly Release[];
  readonly rollouts: readonly Rollout[];
  readonly facts: Facts;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What has happened so far between this device and the rollouts. */
export interface Facts {
  readonly history: readonly FailureCount[];
  /** Rollouts that ever offered it something. */
  readonly given: ReadonlySet<number>;
  /** Rollouts of which it holds a lease now. */
  readonly leased: ReadonlySet<number>;
  /** Leases of other devices that are in this device's way now, of rollouts with a limit. */
  readonly leaseCounts: ReadonlyMap<number, number>;
}
export const NO_FACTS: Facts = Object.freeze({
  history: [],
  given: new Set<number>(),
  leased: new Set<number>(),
  leaseCounts: new Map<number, number>(),
});

export interface ReleaseVerdict {
  readonly firmwareId: number;
  /** The rollout that was evaluated; `null`: the release has none. */
  readonly rolloutId: number | null;
  readonly verdict: Verdict;
}

export interface Offer<Release extends RolloutRelease> {
  readonly release: Release;
  /** What it leads to: itself, or the release that needs it first. */
  readonly wanted: Release;
  readonly rollout: Rollout | undefined;
  /** Index of the rollout's stage that the device is in. */
  readonly stage: number;
}

export interface Decision<Release extends RolloutRelease> {
  readonly offer: Offer<Release> | undefined;
  /** One for each rollout of each release, and one for each release without. */
  readonly verdicts: readonly ReleaseVerdict[];
}
