// Predicts which devices get what and when, how many bytes that is, and why each excluded device is excluded. Pure; devices are
// passed in one after the other, so that a fleet need not fit into memory. Times are the earliest possible: when a stage has enough
// evidence to open cannot be predicted.

import { isCounted, type Standing } from "../devices/vouching.js";
import type { Rollout, RolloutDevice, RolloutRelease } from "../shared/rollout.js";
import { nextOpening } from "../shared/windows.js";
import type { FailureCount } from "../store/store.js";
import { chooseWithin } from "./choose-release.js";
import type { Facts, Scene } from "./decision.js";
import { isOnTrial, MAX_ROLLBACK_COUNT } from "./obstacle.js";
import { stageOf } from "./target.js";
import type { Verdict } from "./verdicts.js";
import { BARRED, word } from "./why.js";

export interface PlannedDevice {
  readonly deviceId: string;
  readonly stage: number;
  /** Releases that it installs one after the other; more than one: intermediate releases first. */
  readonly firmwareIds: readonly number[];
  readonly bytes: number;
  /** Otherwise it gets the release, and is evidence of nothing (devices/vouching.ts). */
  readonly isCounted: boolean;
}
export interface ExcludedDevice {
  readonly deviceId: string;
  readonly verdict: Verdict;
}
export interface PlannedStage {
  readonly name: string;
  /** Devices that count. */
  readonly deviceCount: number;
  /** Devices that get it too, and do not count. */
  readonly uncountedCount: number;
  /** Of both. */
  readonly bytes: number;
  /** When it can open at the earliest; `undefined`: no window opens in the next two weeks. */
  readonly earliestAt: number | undefined;
}

/** A device as the planner is given it. */
export interface Subject {
  readonly device: RolloutDevice;
  readonly facts: Facts;
  readonly standing: Standing;
}

const MAX_STEP_COUNT = 20;

export class Planner<Release extends RolloutRelease> {
  readonly #asked: Rollout;
  /** The same with everything open. */
  readonly #rollout: Rollout;
  readonly #rollouts: readonly Rollout[];
  readonly #releases: readonly Release[];
  readonly #now: number;
  readonly #counts: number[];
  readonly #uncounted: number[];
  readonly #bytes: number[];
  readonly #sizes: number[];
  #unvouchedCount = 0;

  /** @param rollouts all of the device type, whether or not this one is among them */
  constructor(rollout: Rollout, releases: readonly Release[], rollouts: readonly Rollout[], now: number) {
    const { stages } = rollout;
    // The plan asks what happens once everything is open.
    this.#rollout = {
      ...rollout,
      state: "running",
      stage: stages.length - 1,
      windows: null,
      maxConcurrentCount: null,
    };
    this.#rollouts = [...rollouts.filter(({ id }) => id !== rollout.id), this.#rollout];
    this.#releases = releases;
    this.#now = now;
    this.#asked = rollout;
    this.#counts = stages.map(() => 0);
    this.#uncounted = stages.map(() => 0);
    this.#bytes = stages.map(() => 0);
    this.#sizes = stages.map(() => 0);
  }

  /** What the rollout means for one device. */
  add({ device, facts, standing }: Subject): PlannedDevice | ExcludedDevice {
    const { state } = standing;
    // No stage waits for it: it would never end.
    if (state !== "approved") return { deviceId: device.id, verdict: BARRED[state] };
    const counts = isCounted(standing, this.#rollout);
    const { steps, verdict } = this.#walk(device, facts);
    const isWanted = steps.length > 0 || facts.given.has(this.#rollout.id);
    const stage = isWanted ? stageOf(this.#rollout, device) : undefined;
    if (stage !== undefined && counts) count(this.#sizes, stage, 1);
    if (steps.length === 0 || stage === undefined) return { deviceId: device.id, verdict };
    const bytes = steps.reduce((sum, { fileSize }) => sum + fileSize, 0);
    count(counts ? this.#counts : this.#uncounted, stage, 1);
    if (!standing.isVouched) this.#unvouchedCount++;
    count(this.#bytes, stage, bytes);
    return {
      deviceId: device.id,
      stage,
      firmwareIds: steps.map(({ id }) => id),
      bytes,
      isCounted: counts,
    };
  }

  /** Why a device is excluded, for a person. */
  explain({ device, facts }: Subject, verdict: Verdict): string {
    const rollout = this.#rollout;
    const release = this.#releases.find(({ id }) => id === rollout.firmwareId);
    return release
      ? word(this.#scene(device, facts, [rollout]), verdict, release, rollout)
      : `firmware ${rollout.firmwareId} was deactivated or does not exist.`;
  }

  /** Complete once all devices have been added. */
  get stages(): readonly PlannedStage[] {
    const earliest = earliestTimes(this.#asked, this.#sizes, this.#now);
    return this.#rollout.stages.map(({ name }, index) => ({
      name,
      deviceCount: this.#counts[index] ?? 0,
      uncountedCount: this.#uncounted[index] ?? 0,
      bytes: this.#bytes[index] ?? 0,
      earliestAt: earliest[index],
    }));
  }

  /** Devices that get it and that nobody vouched for, counted or not. */
  get unvouchedCount(): number {
    return this.#unvouchedCount;
  }

  /** Devices that get it or got it and count, through each stage: what advance.ts compares the evidence with. */
  get stageSizes(): readonly number[] {
    let sum = 0;
    return this.#sizes.map((size) => {
      sum += size;
      return sum;
    });
  }

  #scene(device: RolloutDevice, facts: Facts, rollouts: readonly Rollout[]): Scene<Release> {
    return { device, releases: this.#releases, rollouts, facts, now: this.#now };
  }

  /** The releases that the device installs, one after the other. */
  #walk(
    device: RolloutDevice,
    facts: Facts,
  ): { readonly steps: readonly Release[]; readonly verdict: Verdict } {
    const steps: Release[] = [];
    let at: RolloutDevice = isOnTrial(device) ? { ...device, slotState: "valid" } : device;
    let known: Facts = { ...facts, history: facts.history.filter(isFinal) };
    for (;;) {
      const { offer, verdict } = chooseWithin(this.#scene(at, known, this.#rollouts), this.#rollout);
      if (!offer) return { steps: [], verdict };
      steps.push(offer.release);
      if (offer.release === offer.wanted || steps.length === MAX_STEP_COUNT) return { steps, verdict };
      const { version, buildNumber, imageSha256 } = offer.release;
      at = { ...at, version, build: buildNumber, imageSha256 };
      known = { ...known, given: new Set([...known.given, this.#rollout.id]) };
    }
  }
}

/** Waits pass before a plan is over; what was rolled back too often does not. */
const isFinal = ({ rolledBackCount }: FailureCount): boolean => rolledBackCount >= MAX_ROLLBACK_COUNT;

function count(counts: number[], index: number, by: number): void {
  counts[index] = (counts[index] ?? 0) + by;
}

export const isPlanned = (entry: PlannedDevice | ExcludedDevice): entry is PlannedDevice =>
  "firmwareIds" in entry;

/** When each stage can open at the earliest: the soak times of those before it lie between, unless these have no devices and are skipped. */
function earliestTimes(
  rollout: Rollout,
  sizes: readonly number[],
  now: number,
): readonly (number | undefined)[] {
  const { stages, stage, windows, startAt, startedAt } = rollout;
  const isFleet = sizes.some((size) => size > 0);
  let from: number | undefined = Math.max(now, startedAt === null ? (startAt ?? now) : now);
  return stages.map((_, index) => {
    const before = stages[index - 1];
    const isSkipped = isFleet && sizes[index - 1] === 0;
    if (before && index > stage && from !== undefined && !isSkipped) from += before.soakMs;
    from = from === undefined ? undefined : nextOpening(windows, from);
    return from;
  });
}
