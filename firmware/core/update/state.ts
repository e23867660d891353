// The state of the update machine, a union by phase, and what its parts share: entering a phase, the next check, reports.

import { jitteredMs } from "../backoff.js";
import { type Clock, initialClock } from "../clock.js";
import type { Effect } from "../effect.js";
import type { UpdateErrorCode } from "../errors.js";
import type { Booted, PushOffer, Raise, ServerTokens } from "../event.js";
import { NO_TOKENS } from "../server/server-token.js";
import { datingTime, type Freshness, NO_FRESHNESS } from "../trust/freshness.js";
import type { Candidate } from "../trust/rotation.js";
import { type Installed, NOTHING_INSTALLED } from "../trust/sequence.js";
import type { Statement } from "../trust/statement.js";
import { NO_TRUST, type Trust } from "../trust/trust.js";
import type { OrderResult, Readings, Report } from "../wire.js";

import { type Job, originOfJob } from "./job.js";
import { type CrashStep, initialOfferCrashes, type OfferCrashes, type Suspect } from "./offer-crashes.js";
import type { InstallRecord } from "./record.js";
import type { Release, TargetDevice } from "./release.js";
import { NO_SETBACKS, type SetbackStep, type Setbacks } from "./setbacks.js";
import type { Staged } from "./staged.js";
import type { Verification } from "./verification.js";

/** A transfer that gets no byte for this time counts as stalled. */
export const STALL_MS = 30_000;

/** What is kept of an offer while its signature is verified: not the manifest, which is long. */
export interface Offer {
  readonly firmwareId: number;
  readonly version: string;
  readonly build: number;
  readonly downloadUrl: string;
  readonly digestsUrl: string | undefined;
  readonly releaseEnd: string;
  /** It is to be staged. */
  readonly hold?: boolean;
}

/** An offer that was refused for a reason that another download cannot cure. */
export interface Refused extends Pick<Offer, "firmwareId" | "releaseEnd"> {
  /** It had expired then, at this time: judged anew with each answer. */
  readonly expires?: number | undefined;
}

/** Identifies a manifest: its last characters, which are its signature. */
export const endOfRelease = (manifest: string): string => manifest.slice(-86);

/** How often the device checks unless its server says otherwise. */
export interface OwnPace {
  readonly seconds: number;
  /** Set for this device, by its owner or by an order: a server's default does not replace it. */
  readonly isChosen: boolean;
}

/** What an update machine knows in every phase. */
interface Common {
  readonly boot: Booted | undefined;
  readonly server: string;
  readonly serverTokens: ServerTokens;
  /** Time between two checks: `ownPace`, or what the server said instead. */
  readonly checkSeconds: number;
  readonly ownPace: OwnPace;
  readonly online: boolean;
  readonly rssi: number;
  readonly address: string;
  /** Sent with each check. */
  readonly readings: Readings;
  /** Sent with each check until one is answered. */
  readonly orderResults: readonly OrderResult[];
  /** Of what the server may order, sent with each check; empty: this device does not tell it. */
  readonly abilitiesDigest: string;
  /** Even; the report machine's are odd, those of an app's own part negative. */
  readonly attempt: number;
  /** During its trial a new image starts no other update: esp_ota_begin refuses it, and so do we. */
  readonly onTrial: boolean;
  readonly record: InstallRecord | undefined;
  readonly clock: Clock;
  /** A check was answered since the boot. */
  readonly isAnswered: boolean;
  /** The last one: not reported twice. */
  readonly refused: Refused | undefined;
  /** SHA-256 of an image that was rolled back, and until when (ms since this boot) it is not installed again. */
  readonly blockedImage: { readonly imageSha256: string; readonly untilMs: number } | undefined;
  readonly bootCount: number;
  /** What the servers asked for (Retry-After), ms since this boot: no check before this time … */
  readonly checksFromMs: number;
  /** … and no request for an image or its digests before this one. */
  readonly downloadsFromMs: number;
  readonly offerCrashes: OfferCrashes;
  readonly setbacks: Setbacks;
  /** Complete in its slot, and proved in this boot unless the phase is `restoring`. Another job ends it. */
  readonly staged: Staged | undefined;
  /** Until when an answer can have the running image rolled back, seconds since 1970; 0: it cannot (undo.ts). */
  readonly undoUntil: number;
  /** Whose signatures count. */
  readonly trust: Trust;
  /** The releases that have run. */
  readonly installed: Installed;
  /** Why the server's newer root was refused, for its next check; empty: it was not. */
  readonly rootRefused: string;
  /** No newer root is fetched before this time, ms since this boot. */
  readonly rootsFromMs: number;
  /** Of what servers offer. */
  readonly freshness: Freshness;
  /** While several devices are updated together: who may still be installed, and why nothing else is. */
  readonly reserved: Reservation | undefined;
}

/** The slot belongs to an update of several devices (reservation.ts). */
export interface Reservation {
  /** A clause, such as `the system is being updated to 2.0.0`. */
  readonly reason: string;
  /** SHA-256 in the images that may be staged, hex. */
  readonly images: readonly string[];
}

/** The phases in which there is a job. */
export type JobPhase =
  | "resuming"
  /** A page of digests is on its way. */
  | "fetching"
  | "requesting"
  | "streaming"
  | "waiting"
  | "proving"
  | "arming"
  /** The record of an image that is held is being stored. */
  | "staging";

/** The slot of what is staged is hashed, after a boot or before it is armed; it is being armed. */
export type StagedPhase = "restoring" | "committing" | "armingStaged";

/** A trust root is being replaced. */
export interface Rotation {
  /** Of the person who has sent the next one; 0: the server has it. */
  readonly connection: number;
  readonly candidate: Candidate;
}

/** A statement of freshness is asked for. */
export interface Asking {
  readonly nonce: string;
  /** Waits for it; `undefined`: none does. */
  readonly offer: Offer | undefined;
  /** While its signature is verified. */
  readonly statement: Statement | undefined;
}

/** What waits for its signature to be verified. */
export type Unverified = { readonly release: Release; readonly verification: Verification } & (
  | { readonly kind: "server"; readonly offer: Offer }
  | { readonly kind: "push"; readonly offer: PushOffer }
);

/** A phase, and what there is in this phase only. */
type Phase =
  | { readonly phase: "idle" | "checking" | "reverting" | "restarting" | "fetchingRoot" | StagedPhase }
  | { readonly phase: "verifyingRoot" | "storingRoot"; readonly rotation: Rotation }
  | { readonly phase: "fetchingStatement" | "verifyingStatement"; readonly asking: Asking }
  | { readonly phase: "verifying"; readonly unverified: Unverified }
  | { readonly phase: JobPhase; readonly job: Job }
  /** The slot of the last installation is armed again, right after a boot. */
  | { readonly phase: "rearming"; readonly rearming: InstallRecord };

export type UpdateState = Common & Phase;
export type UpdatePhase = UpdateState["phase"];
/** A state with a job. */
export type Installing = Extract<UpdateState, { readonly job: Job }>;

/** Enters a phase. What belongs to the last one only is dropped, so that the memory of a job is free when it is over. */
export function enter(state: UpdateState, next: Phase & Partial<Common>): UpdateState {
  const {
    unverified: _,
    job: __,
    rearming: ___,
    rotation: ____,
    asking: _____,
    ...common
  } = state as Common & Partial<AnyPhase>;
  return { ...common, ...next };
}

type AnyPhase = {
  readonly unverified: Unverified;
  readonly job: Job;
  readonly rearming: InstallRecord;
  readonly rotation: Rotation;
  readonly asking: Asking;
};

export const initialUpdate: Common & { readonly phase: "idle" } = Object.freeze({
  phase: "idle",
  boot: undefined,
  server: "",
  serverTokens: NO_TOKENS,
  checkSeconds: 120,
  ownPace: Object.freeze({ seconds: 120, isChosen: false }),
  online: false,
  rssi: 0,
  address: "",
  readings: Object.freeze({}),
  orderResults: Object.freeze([]),
  abilitiesDigest: "",
  attempt: 0,
  onTrial: false,
  record: undefined,
  clock: initialClock,
  isAnswered: false,
  refused: undefined,
  blockedImage: undefined,
  bootCount: 0,
  checksFromMs: 0,
  downloadsFromMs: 0,
  offerCrashes: initialOfferCrashes,
  setbacks: NO_SETBACKS,
  staged: undefined,
  undoUntil: 0,
  trust: NO_TRUST,
  installed: NOTHING_INSTALLED,
  rootRefused: "",
  rootsFromMs: 0,
  freshness: NO_FRESHNESS,
  reserved: undefined,
});

export type Step = readonly [UpdateState, readonly (Effect | Raise)[]];

/** What a release has to fit. */
export const targetOf = (
  { clock, trust, installed }: UpdateState,
  boot: Booted,
  at: number,
): TargetDevice => ({
  identity: boot.identity,
  image: boot.image,
  slotBytes: boot.target?.sizeBytes ?? 0,
  time: datingTime(trust, clock, at),
  trust,
  installed,
});

/** The number of the next request, write or hash; answers to those before it are stale. */
export const nextAttempt = ({ attempt }: UpdateState): number => attempt + 2;

/** What follows from the count of crashes, as a part of a step. */
export const withOfferCrashes = <State extends UpdateState>(
  state: State,
  [offerCrashes, effects]: CrashStep,
): readonly [State, readonly Effect[]] => [
  offerCrashes === state.offerCrashes ? state : { ...state, offerCrashes },
  effects,
];

/** Likewise, of the attempts that failed. */
export const withSetbacks = <State extends UpdateState>(
  state: State,
  [setbacks, effects]: SetbackStep,
): readonly [State, readonly Effect[]] => [
  setbacks === state.setbacks ? state : { ...state, setbacks },
  effects,
];

export const nextCheck = (state: UpdateState, random: number): Effect => ({
  type: "setTimer",
  timer: "check",
  delayMs: jitteredMs(state.checkSeconds * 1000, random),
});

/** The first check after joining comes within this time, spread over a fleet that was powered on together. */
export const FIRST_CHECK_MS = 2_000;

export const firstCheck = (random: number): Effect => ({
  type: "setTimer",
  timer: "check",
  delayMs: Math.round(random * FIRST_CHECK_MS),
});

export const errorFields = (code: UpdateErrorCode, message: string) => ({
  error_code: code,
  error_message: message.slice(0, 500),
});

/** A report to the server, if the image came from there and its number is known. */
export function report(
  state: UpdateState,
  about: Job | Pick<InstallRecord, "from" | "firmwareId"> | Pick<Offer, "firmwareId"> | Suspect,
  fields: Omit<Report, "firmware_id" | "image_sha256" | "slot_state">,
): readonly Raise[] {
  const { from, firmwareId } = "source" in about ? originOfJob(about) : { from: "server", ...about };
  if (from === "push" || firmwareId === undefined) return [];
  const image = state.boot?.image;
  const evidence = image ? { image_sha256: image.imageSha256, slot_state: image.slotState } : {};
  return [
    {
      type: "raise",
      event: { type: "reportMade", report: { firmware_id: firmwareId, ...fields, ...evidence } },
    },
  ];
}
