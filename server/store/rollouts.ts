// What the store remembers of rollouts, and of each device that one of them offered something.

import type { Rollout, RolloutDevice, RolloutState, Tally } from "../shared/rollout.js";
import type { JudgedIdentity } from "./device-identities.js";
import type { Page, Paged } from "./page.js";

export type NewRollout = Omit<Rollout, "id">;

export const OUTCOMES = Object.freeze(["validated", "failed", "rolled_back"] as const);
export type Outcome = (typeof OUTCOMES)[number];

/** A device in a rollout, from the first offer on. */
export interface Member {
  readonly rolloutId: number;
  readonly deviceId: string;
  /** What it was offered last: the rollout's release, or an intermediate one. */
  readonly firmwareId: number;
  /** The stage that it was in when it was offered it. */
  readonly stage: number;
  readonly fromVersion: string;
  readonly firstGivenAt: number;
  readonly lastGivenAt: number;
  /** Until when it counts as updating; `null`: it does not. */
  readonly leaseUntil: number | null;
  /** It has reported that it installs the release, and not yet how that ended. */
  readonly isUpdating: boolean;
  /** How it ended last; `null`: not yet. */
  readonly outcome: Outcome | null;
  readonly outcomeAt: number | null;
  /** Of a failure. */
  readonly errorCode: string | null;
}

interface RolloutFilter {
  readonly states?: readonly RolloutState[];
  readonly firmwareId?: number;
  readonly deviceType?: string;
  /** Only of these device types. */
  readonly deviceTypes?: readonly string[];
}
interface MemberFilter {
  readonly rolloutId: number;
  readonly stage?: number;
  readonly outcome?: Outcome;
}

/** A device as a rollout sees it. */
interface Scanned {
  readonly device: RolloutDevice;
  /** The rollout has offered it something. */
  readonly isGiven: boolean;
  /** `undefined`: it was here before there were identities. */
  readonly identity: JudgedIdentity | undefined;
}

/** Devices that hold a lease. */
export interface LeaseCount {
  /** Of those that the rollout counts (devices/vouching.ts). */
  readonly countedCount: number;
  /** Of all. */
  readonly count: number;
}

export interface RolloutStore {
  addRollout(rollout: NewRollout): Promise<Rollout>;
  /** Replaces everything. */
  putRollout(rollout: Rollout): Promise<void>;
  findRollout(id: number): Promise<Rollout | undefined>;
  /** Newest first. */
  listRollouts(filter: RolloutFilter, page: Page): Promise<Paged<Rollout>>;
  /** Every rollout, in whatever state, of the active firmware of a type: what a check asks. */
  governingRollouts(deviceType: string): Promise<readonly Rollout[]>;

  /** What rollouts offered a device. */
  findMembers(deviceId: string): Promise<readonly Member[]>;
  /** By device id. */
  listMembers(filter: MemberFilter, page: Page): Promise<Paged<Member>>;
  /** The devices of a type, by id, those after `afterId`: how a rollout goes through a whole fleet piece by piece. */
  scanDevices(type: string, rolloutId: number, afterId: string, limit: number): Promise<readonly Scanned[]>;
  /** Inserts or replaces, but keeps `firstGivenAt`. */
  putMember(member: Member): Promise<void>;
  /** Devices that hold a lease at a time, of each rollout that has any. Asked in the transaction that grants one, no limit is passed. */
  countLeases(rolloutIds: readonly number[], now: number): Promise<ReadonlyMap<number, LeaseCount>>;
  /** What happened to the devices that a rollout counts, in one query, and how many there are besides. */
  tallyRollout(rollout: Rollout, now: number): Promise<Tally>;
  /** Ids of devices that rolled a firmware back at least this often. */
  listRolledBack(firmwareId: number, minCount: number): Promise<readonly string[]>;
}
