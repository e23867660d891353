// What the parts of an update share: the state, what is being installed, how long anything may take, and what is told of it.
// Decides nothing.

import { jitteredMs } from "../backoff.js";
import type { Effect } from "../effect.js";
import type { UpdateErrorCode } from "../errors.js";
import type { Booted, PushOffer, Raise, ServerToken } from "../event.js";
import type { OrderResult, Readings, Report, UpdateResponse } from "../wire.js";
import { type ImageReader, newImageReader } from "./image.js";
import { type Guarded, initialOfferGuard, type OfferGuard } from "./offer-guard.js";
import { type InstallRecord, PUSHED } from "./record.js";
import type { Release, SignedRelease } from "./release.js";

/** Without a byte for so long a transfer counts as stalled. */
export const STALL_MS = 30_000;

/** Where an image comes from. */
export type Source = ServerSource | PushSource;

export interface ServerSource {
  readonly kind: "server";
  readonly firmwareId: number;
  readonly url: string;
  /** Where the pages of digests are; absent: nowhere, so that the image is proved as a whole. */
  readonly digestsUrl: string | undefined;
  /** See endOfRelease. */
  readonly releaseEnd: string;
}

export interface PushSource {
  readonly kind: "push";
  readonly connection: number;
  /** By espota: each piece is acknowledged to the sender when it is written. */
  readonly acknowledged: boolean;
}

/** What is being installed. */
export interface Job {
  readonly source: Source;
  /** What is promised of the image. Without a signature: what the image says of itself, and no digests. */
  readonly release: Release;
  readonly signed: boolean;
  /** Promised by espota, hex. */
  readonly md5: string | undefined;
  /** The last bytes that were read, at most 32: at the end of an unsigned image they are its SHA-256. */
  readonly tail: Uint8Array;
  /** Next byte to write; everything before the chunk that it lies in is verified. */
  readonly offset: number;
  readonly verifiedBytes: number;
  /** What was asked for goes so far into the image. */
  readonly rangeEnd: number;
  /** Bytes that wait in the network adapter. */
  readonly available: number;
  /** Bytes read and handed to the flash, not yet confirmed. */
  readonly pending: Uint8Array | undefined;
  /** The first bytes of the image, held back until they tell what it is: less than its descriptions, some 300 bytes. */
  readonly head: Uint8Array;
  /** The sector at this offset and all before it are erased in this pass. */
  readonly erasedTo: number;
  /** What the verified chunks say of the image. */
  readonly reader: ImageReader;
  /** The same with the bytes since: they may be wrong until their chunk's digest is compared. */
  readonly ahead: ImageReader;
  /** The page of digests that is in use. */
  readonly page: { readonly index: number; readonly digests: Uint8Array } | undefined;
  /** The slot may hold the next chunks already: nothing has been written in this pass. */
  readonly isLooking: boolean;
  /** Of a download: tries in a row without a new chunk. Of a push: receives in a row that timed out. */
  readonly failureCount: number;
  /** Times that the whole was found wrong although each of its chunks had been right. */
  readonly mismatchCount: number;
  /** The last step of progress that was told. */
  readonly lastStep: number;
  /** The server does not know ranges: take the image from its beginning. */
  readonly wholeOnly: boolean;
}

/** What every job begins with. */
export const FRESH_JOB = Object.freeze({
  tail: new Uint8Array(0),
  offset: 0,
  verifiedBytes: 0,
  rangeEnd: 0,
  available: 0,
  pending: undefined,
  head: new Uint8Array(0),
  erasedTo: 0,
  reader: newImageReader,
  ahead: newImageReader,
  page: undefined,
  isLooking: true,
  failureCount: 0,
  mismatchCount: 0,
  lastStep: 0,
}) satisfies Partial<Job>;

/** What a device reads of an offer: who trusts the manifest needs no size and no hash beside it. */
export type OfferAnswer = Omit<UpdateResponse, "file_size" | "file_hash">;

/** What is kept of an offer while its signature is verified: not the manifest, which is long. */
export interface Offer {
  readonly firmwareId: number;
  readonly version: string;
  readonly build: number;
  readonly downloadUrl: string;
  readonly digestsUrl: string | undefined;
  /** The server's, seconds since 1970. */
  readonly time: number;
  readonly releaseEnd: string;
}

/** What tells a manifest from any other: its last characters, which are those of its signature. */
export const endOfRelease = (manifest: string): string => manifest.slice(-86);

/** What the device would do without its server. */
export interface OwnPace {
  readonly seconds: number;
  /** Chosen for this device, by its owner or by an order: a server's default does not replace it. */
  readonly isChosen: boolean;
}

/** What an update machine knows in every phase. */
interface Common {
  readonly boot: Booted | undefined;
  readonly server: string;
  readonly serverToken: ServerToken | undefined;
  /** Time between two checks, as it is now: `ownPace`, or what the server says instead. */
  readonly checkSeconds: number;
  readonly ownPace: OwnPace;
  readonly online: boolean;
  readonly rssi: number;
  readonly address: string;
  /** Told with each check. */
  readonly readings: Readings;
  /** Told with the next check, and with those after it until one is answered. */
  readonly orderResults: readonly OrderResult[];
  /** Even; the report machine's are odd, those of an app's own part negative. */
  readonly attempt: number;
  /** A new image on trial may not start another update: esp_ota_begin refuses it, and so do we. */
  readonly onTrial: boolean;
  readonly record: InstallRecord | undefined;
  /** The server's time in seconds since 1970, told at `at` ms since this boot: the device has no clock. */
  readonly clock: { readonly time: number; readonly at: number } | undefined;
  /** Firmware that was refused for a reason that a new download cannot cure, and why; not told twice. */
  readonly refused: Pick<Offer, "firmwareId" | "releaseEnd"> | undefined;
  /** SHA-256 of an image that was rolled back, and until when (ms since this boot) it is left alone. */
  readonly held: { readonly imageSha256: string; readonly untilMs: number } | undefined;
  readonly bootCount: number;
  /** The last attempt found a server that ignores ranges. */
  readonly rangeIgnored: boolean;
  readonly guard: OfferGuard;
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
  | "arming";

/** What waits for its signature to be verified. */
export type Unverified =
  | { readonly kind: "server"; readonly offer: Offer; readonly signed: SignedRelease }
  | { readonly kind: "push"; readonly offer: PushOffer; readonly signed: SignedRelease };

/** A phase, and what there is in this phase only. */
type Phase =
  | { readonly phase: "idle" | "checking" | "restarting" }
  | { readonly phase: "verifying"; readonly unverified: Unverified }
  | { readonly phase: JobPhase; readonly job: Job }
  /** The slot of the last installation is armed once more, right after a boot. */
  | { readonly phase: "rearming"; readonly rearming: InstallRecord };

export type UpdateState = Common & Phase;
export type UpdatePhase = UpdateState["phase"];
/** A state with a job. */
export type Installing = Extract<UpdateState, { readonly job: Job }>;

/** Enters a phase. What belongs to the last one only is dropped, so that the memory of a job is free when it is over. */
export function enter(state: UpdateState, next: Phase & Partial<Common>): UpdateState {
  const { unverified: _, job: __, rearming: ___, ...common } = state as Common & Partial<AnyPhase>;
  return { ...common, ...next };
}

type AnyPhase = { readonly unverified: Unverified; readonly job: Job; readonly rearming: InstallRecord };

export const initialUpdate: Common & { readonly phase: "idle" } = Object.freeze({
  phase: "idle",
  boot: undefined,
  server: "",
  serverToken: undefined,
  checkSeconds: 120,
  ownPace: Object.freeze({ seconds: 120, isChosen: false }),
  online: false,
  rssi: 0,
  address: "",
  readings: Object.freeze({}),
  orderResults: Object.freeze([]),
  attempt: 0,
  onTrial: false,
  record: undefined,
  clock: undefined,
  refused: undefined,
  held: undefined,
  bootCount: 0,
  rangeIgnored: false,
  guard: initialOfferGuard,
});

export type Step = readonly [UpdateState, readonly (Effect | Raise)[]];

/** The number of the next request, write or hash; answers to those before it are stale. */
export const nextAttempt = ({ attempt }: UpdateState): number => attempt + 2;

/** What the guard decided, as a part of a step. */
export const withGuard = <State extends UpdateState>(
  state: State,
  [guard, effects]: Guarded,
): readonly [State, readonly Effect[]] => [guard === state.guard ? state : { ...state, guard }, effects];

export const nextCheck = (state: UpdateState, random: number): Effect => ({
  type: "setTimer",
  timer: "check",
  delayMs: jitteredMs(state.checkSeconds * 1000, random),
});

export const told = (code: UpdateErrorCode, message: string) => ({
  error_code: code,
  error_message: message.slice(0, 500),
});

/** A report to the server, if the image came from there. */
export function report(
  state: UpdateState,
  about: Job | { readonly firmwareId: number },
  fields: Omit<Report, "firmware_id" | "image_sha256" | "slot_state">,
): readonly Raise[] {
  const firmwareId = firmwareIdOf(about);
  if (firmwareId === PUSHED) return [];
  const image = state.boot?.image;
  const evidence = image ? { image_sha256: image.imageSha256, slot_state: image.slotState } : {};
  return [
    {
      type: "raise",
      event: { type: "reportMade", report: { firmware_id: firmwareId, ...fields, ...evidence } },
    },
  ];
}

export function firmwareIdOf(about: Job | { readonly firmwareId: number }): number {
  if ("firmwareId" in about) return about.firmwareId;
  return about.source.kind === "server" ? about.source.firmwareId : PUSHED;
}
