// What a rollout is: which release goes to which devices, in which stages, when, how many at once, and what stops it. Types and
// bounds only.
//
//   draft ──▶ awaiting_approval ──▶ scheduled ──▶ running ◀──▶ paused
//     └─────────────────────────────────┴────────────┴──────────┘│
//                                                     └▶ finished └──▶ cancelled   from everywhere, and for good
//
// A change of its plan takes an approval away: what runs or is scheduled then waits for approval again.

import type { SlotState } from "../../firmware/core/wire.js";

export const ROLLOUT_STATES = Object.freeze([
  "draft",
  "awaiting_approval",
  "scheduled",
  "running",
  "paused",
  "cancelled",
  "finished",
] as const);
export type RolloutState = (typeof ROLLOUT_STATES)[number];

/** Which devices a rollout is for. What is absent does not narrow; what is present must hold. */
export interface Target {
  /** Boards, as devices report them. */
  readonly hardware?: readonly string[];
  /** Devices that have one of these tags. */
  readonly tags?: readonly string[];
  /** Devices of one of these groups. */
  readonly groups?: readonly string[];
  /** Device ids. */
  readonly devices?: readonly string[];
  /** Oldest and newest version that runs on them now, both included. */
  readonly fromVersion?: string;
  readonly toVersion?: string;
}

/** When a stage has proved enough for the next. */
interface StageTerms {
  readonly name: string;
  /** A device counts as evidence when it still reports this long after it has validated the image. Milliseconds. */
  readonly soakMs: number;
  /** Devices that must have soaked, in this and the stages before it; a stage with fewer devices needs all of them. */
  readonly minValidatedCount: number;
  /** Share of the devices that got the release which must have validated it, 0 to 1. */
  readonly minValidatedFraction: number;
}
/** Which devices a stage adds: a share of the target, chosen by a stable hash, or groups. */
export type Stage = StageTerms &
  (
    | { readonly percent: number; readonly groups?: never }
    | { readonly groups: readonly string[]; readonly percent?: never }
  );

/** What stops a rollout. A fraction of 1 stops never. */
export interface Gates {
  /** Failures and roll backs among the attempts that ended. */
  readonly maxFailedFraction: number;
  /** Roll backs alone. */
  readonly maxRolledBackFraction: number;
  /** Devices that took the release, or began to, and were not heard of for `silentAfterMs`. */
  readonly maxSilentFraction: number;
  readonly silentAfterMs: number;
  /** Gates are not evaluated for fewer devices. */
  readonly minSampleCount: number;
}

/** Local times between which updates may begin. `to` before `from`: over midnight. Equal: the whole day. */
export interface WindowSpan {
  /** 1 is Monday, 7 is Sunday: the day on which the span begins. */
  readonly weekdays: readonly number[];
  /** `HH:MM`. */
  readonly from: string;
  readonly to: string;
}
export interface Windows {
  /** IANA name, such as `Europe/Berlin`. */
  readonly timeZone: string;
  readonly spans: readonly WindowSpan[];
}

/**
 * What a rollout may offer against the order of versions: `reinstall` the version that runs, once; `any_order` an older one too.
 * Devices with Skyslot's firmware always refuse both (core/update/release.ts), and are not offered it.
 */
export type Force = "none" | "reinstall" | "any_order";

/** What a person decides about a rollout. */
export interface RolloutPlan {
  readonly name: string;
  readonly firmwareId: number;
  /** Selects the devices of a percentage: the same seed selects the same devices. */
  readonly seed: string;
  readonly target: Target;
  readonly stages: readonly Stage[];
  readonly gates: Gates;
  /** `null`: always. */
  readonly windows: Windows | null;
  /** Not before; `null`: at once. */
  readonly startAt: number | null;
  /** Maximum number of devices that update at the same time; `null`: unlimited. */
  readonly maxConcurrentCount: number | null;
  /** How long a device counts as updating without reporting progress. Milliseconds. */
  readonly leaseMs: number;
  /** Of several releases that a device could have, the one with the highest priority goes first. Releases without a rollout have 0. */
  readonly priority: number;
  readonly force: Force;
  /** Another person than the one who made it must agree. */
  readonly needsApproval: boolean;
}

/** Every field of a plan, in a person's words: what is kept, compared and changed goes by this list. */
export const PLAN_FIELDS: Readonly<Record<keyof RolloutPlan, string>> = Object.freeze({
  name: "name",
  firmwareId: "release",
  seed: "seed",
  target: "target",
  stages: "stages",
  gates: "gates",
  windows: "windows",
  startAt: "start",
  maxConcurrentCount: "concurrency",
  leaseMs: "lease",
  priority: "priority",
  force: "force",
  needsApproval: "approval",
});
export const PLAN_FIELD_NAMES = Object.freeze(Object.keys(PLAN_FIELDS) as (keyof RolloutPlan)[]);

/** The plan of a rollout, without its progress. */
export const planOf = (rollout: RolloutPlan): RolloutPlan =>
  Object.fromEntries(PLAN_FIELD_NAMES.map((field) => [field, rollout[field]])) as unknown as RolloutPlan;

/** A rollout and its progress. */
export interface Rollout extends RolloutPlan {
  readonly id: number;
  /** Counts the changes of its plan, from 1 on: who changes or approves it names the one that they have seen. */
  readonly revision: number;
  readonly state: RolloutState;
  /** Why it is in this state, for a person, with the numbers. */
  readonly reason: string;
  /** Index of the newest stage that is open. */
  readonly stage: number;
  readonly stageSince: number;
  /** Gates count what happened after this: a resumed rollout is not stopped for the same reason again. 0: never resumed. */
  readonly gatesSince: number;
  /** Devices that could have it and count, through each stage, when they were last counted; empty: not yet. */
  readonly stageSizes: readonly number[];
  readonly sizesAt: number;
  /** When the rules were last applied. */
  readonly evaluatedAt: number;
  readonly createdBy: string;
  /** Who changed its plan last; `null`: unchanged. */
  readonly editedBy: string | null;
  readonly approvedBy: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

/** What an operator has noted about a device. */
export interface DeviceLabels {
  readonly tags: readonly string[];
  readonly group: string | null;
  /** The only version that it is offered, such as `1.1.0` or `1.1.0+3`. */
  readonly pin: string | null;
}
export const NO_LABELS: DeviceLabels = Object.freeze({ tags: Object.freeze([]), group: null, pin: null });

/** Changes of a device's labels, as a request has them; what is absent stays. */
export interface LabelChanges {
  /** Replaces all of its tags. */
  readonly tags?: readonly string[];
  readonly add_tags?: readonly string[];
  readonly remove_tags?: readonly string[];
  readonly group?: string | null;
  readonly pin?: string | null;
}

/** What a rollout needs to know of a device. */
export interface RolloutDevice extends DeviceLabels {
  readonly id: string;
  readonly type: string;
  readonly hardware: string | null;
  readonly chip: string | null;
  readonly version: string;
  readonly build: number;
  readonly imageSha256: string | null;
  readonly slotState: SlotState | null;
}
/** What a rollout needs to know of a release. */
export interface RolloutRelease {
  readonly id: number;
  readonly deviceType: string;
  readonly hardware: string;
  readonly chip: string;
  readonly version: string;
  readonly buildNumber: number;
  readonly imageSha256: string;
  /** Bytes. */
  readonly fileSize: number;
  readonly isStable: boolean;
  readonly isActive: boolean;
  readonly minCurrentVersion: string | null;
  readonly expiresAt: number | null;
  /** Characters of its manifest. */
  readonly manifestLength?: number;
}

/** What happened to the devices of one stage that the rollout counts. Each device counts once, by its last outcome. */
export interface StageTally {
  /** Was offered it by this rollout. */
  readonly givenCount: number;
  /** Holds a lease now. */
  readonly updatingCount: number;
  readonly validatedCount: number;
  /** Validated, and still heard of after the soak time. */
  readonly soakedCount: number;
  readonly failedCount: number;
  readonly rolledBackCount: number;
  readonly silentCount: number;
}
export interface Tally {
  /** One a stage. */
  readonly stages: readonly StageTally[];
  /** Devices that were offered it and are in no other number, because nobody vouched for them (devices/vouching.ts). */
  readonly uncountedCount: number;
  /** All stages, since `gatesSince`. */
  readonly recent: {
    readonly validatedCount: number;
    readonly failedCount: number;
    readonly rolledBackCount: number;
    readonly silentCount: number;
    /** Took it or began to: what silence is a fraction of. */
    readonly reachedCount: number;
  };
}

export const NO_STAGE_TALLY: StageTally = Object.freeze({
  givenCount: 0,
  updatingCount: 0,
  validatedCount: 0,
  soakedCount: 0,
  failedCount: 0,
  rolledBackCount: 0,
  silentCount: 0,
});

/** A tally of which each count is asked for by its name. */
export const tallyOf = (count: (field: keyof StageTally) => number): StageTally =>
  Object.fromEntries(
    Object.keys(NO_STAGE_TALLY).map((field) => [field, count(field as keyof StageTally)]),
  ) as unknown as StageTally;

/** Who may not approve it: who created it and who changed it last. Such as `ada` or `ada and ben`. */
export const nameAuthors = ({ createdBy, editedBy }: Pick<Rollout, "createdBy" | "editedBy">): string =>
  editedBy === null || editedBy === createdBy ? createdBy : `${createdBy} and ${editedBy}`;

/** Such as `1 device` or `2 devices`. */
export const countDevices = (count: number): string => `${count} device${count === 1 ? "" : "s"}`;

/** A person's name for a release. */
export const nameRelease = ({
  deviceType,
  version,
  buildNumber,
}: Pick<RolloutRelease, "deviceType" | "version" | "buildNumber">): string =>
  `${deviceType} ${version}${buildNumber > 0 ? ` build ${buildNumber}` : ""}`;

/** All stages up to one, this included. */
export function sumStages({ stages }: Tally, through: number): StageTally {
  const counted = stages.slice(0, through + 1);
  return tallyOf((field) => counted.reduce((sum, stage) => sum + stage[field], 0));
}
