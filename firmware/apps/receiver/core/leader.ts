// Leads the pair from one version of the system to the next: polls for the system's manifest, fetches the releases, and answers the checks of
// the transmitter, and the receiver's own, as the orchestrator (core/system/orchestrator.ts) has decided. It starts nothing itself: what is
// asked of the receiver is told to the app that composes it.
//
// A receiver that is on trial asks the update server, because its trial is to show that it reaches that one. A transmitter on trial has shown
// with its check that it reaches its receiver, which is all that it needs to be updated again.

import { timeAt, toldAt } from "../../../core/clock.js";
import type { DeviceState } from "../../../core/device-state.js";
import { isOnTheWay } from "../../../core/errors.js";
import type { Event, PeerFacts, Stamp, Stamped } from "../../../core/event.js";
import type { CachedImage } from "../../../core/gateway/cached-image.js";
import { readJsonObject } from "../../../core/json.js";
import { authorizationAt } from "../../../core/server/server-token.js";
import { requestOf } from "../../../core/system/goals.js";
import {
  HISTORY_KEY,
  type HistoryEntry,
  hasFailed,
  lastInstalled,
  MAX_HISTORY_LENGTH,
  withEntry,
  writeHistory,
} from "../../../core/system/history.js";
import { JOB_KEY, MAX_JOB_LENGTH } from "../../../core/system/job.js";
import {
  answerToCheck,
  type ReportSeen,
  reportOfCheck,
  reportOfDevice,
  reportSeen,
} from "../../../core/system/member.js";
import {
  fetchOffers,
  initialOffers,
  type MemberOffer,
  type OffersOutput,
  type OffersState,
  offersHeard,
} from "../../../core/system/offers.js";
import { initialSystem, isLeading, type SystemState, systemStep } from "../../../core/system/orchestrator.js";
import {
  initialPoll,
  type PollEffect,
  type PollSettings,
  type PollState,
  pollStep,
  type SystemFound,
} from "../../../core/system/poll.js";
import { type Schedule, waitMs } from "../../../core/system/schedule.js";
import { isOverdue, MAX_UNDOABLE_LENGTH, UNDOABLE_KEY } from "../../../core/system/undoable.js";
import type {
  ComponentReport,
  ComponentRequest,
  SystemEffect,
  SystemInput,
  SystemJob,
  SystemRaise,
} from "../../../core/system/vocabulary.js";
import { ofReceiver, ofTransmitter } from "./pair-history.js";
import { OTHER, SELF, UPLOAD_FIRMWARE_ID, uploadedOffer } from "./uploaded-job.js";

/** Of requests: far from those of the relay and the cache, which count down from -1. */
const POLL_ATTEMPTS = -1_000_000_000;
const OFFER_ATTEMPTS = -2_000_000_000;
const SOON_MS = 1_000;

export interface LeaderSettings {
  /** Name of the pair's system at the update server; empty: it has none. */
  readonly system: string;
  /** A newer system is installed by itself; otherwise it is only told. */
  readonly installs: boolean;
  /** When that may begin. */
  readonly schedule: Schedule;
  /** How often the update server is asked for a newer one. */
  readonly pollSeconds: number;
}

export interface LeaderState {
  readonly system: SystemState;
  readonly poll: PollState;
  readonly fetching: OffersState;
  /** What the members of the job, or of the system that was found last, are offered. */
  readonly offers: readonly MemberOffer[];
  /** Newer than what runs. */
  readonly available: SystemFound | undefined;
  /** The owner, or the setting, wants what is being fetched to be installed. */
  readonly isWanted: boolean;
  readonly peer: PeerFacts | undefined;
  /** SHA-256 in the image that the transmitter runs, as its last check said; empty: none has come since the boot. */
  readonly otherImage: string;
  /** How much of its image the transmitter has about, percent. */
  readonly otherPercent: number;
  /** Numbers of what was offered last: its results belong to a job, also when they come later. */
  readonly led: readonly number[];
  /** As they were told last. */
  readonly reports: Readonly<Record<typeof SELF | typeof OTHER, ComponentReport | undefined>>;
}

const UNHEARD = Object.freeze({ [SELF]: undefined, [OTHER]: undefined });

export const initialLeader: LeaderState = Object.freeze({
  system: initialSystem,
  poll: initialPoll,
  fetching: initialOffers,
  offers: Object.freeze([]),
  available: undefined,
  isWanted: false,
  peer: undefined,
  otherImage: "",
  otherPercent: 0,
  led: Object.freeze([]),
  reports: UNHEARD,
});

/** What it keeps in NVS. */
export const LEADER_STORES: Readonly<Record<string, number>> = Object.freeze({
  [JOB_KEY]: MAX_JOB_LENGTH,
  [HISTORY_KEY]: MAX_HISTORY_LENGTH,
  [UNDOABLE_KEY]: MAX_UNDOABLE_LENGTH,
});

const TIMERS: readonly string[] = Object.freeze([
  "system.tick",
  "system.deadline",
  "system.poll",
  "system.offers",
  "system.begin",
]);

export type LeaderEffect =
  | Exclude<SystemEffect, SystemRaise | ComponentRequest>
  | Exclude<PollEffect, { readonly type: "raise" }>
  | Exclude<OffersOutput, { readonly type: "offersReady" | "offersFailed" }>
  /** Of the receiver itself. */
  | { readonly type: "askSelf"; readonly request: ComponentRequest }
  | { readonly type: "setTimer"; readonly timer: "system.begin"; readonly delayMs: number }
  | { readonly type: "store"; readonly key: string; readonly value: string }
  /** For its core. */
  | { readonly type: "tellSelf"; readonly event: Reservation };

type Reservation = Extract<Event, { readonly type: "installationsHeld" | "installationsFreed" }>;

/** Whether an event is an answer, or a timer, of the leader's only. */
export const isLeaders = (event: {
  readonly type: string;
  readonly attempt?: number;
  readonly timer?: string;
}): boolean =>
  event.attempt !== undefined ? event.attempt <= POLL_ATTEMPTS : TIMERS.includes(event.timer ?? "");

/** Where the leader stands. */
export interface Around extends Stamp {
  readonly device: DeviceState;
  readonly settings: LeaderSettings;
  /** The transmitter's image that a person has sent: whole, and in the cache. */
  readonly uploaded: CachedImage | undefined;
}

/** One event, and all that follows from it at once. Lives as long as its step. */
export class LeaderTurn {
  state: LeaderState;
  readonly effects: LeaderEffect[] = [];
  /** What the transmitter has reported in this turn. */
  reported: ReportSeen | undefined;
  readonly #around: Around;

  constructor(state: LeaderState, around: Around) {
    this.state = state;
    this.#around = around;
  }

  /** An event of the device's, or one of `isLeaders`. */
  hear(event: Event): void {
    if (event.type === "booted") this.state = initialLeader;
    const stamped = this.#stamped(event);
    if (event.type === "booted" || isLeaders(event as Event)) this.#poll(stamped);
    if ("attempt" in event || event.type === "timerFired")
      this.#offers(offersHeard(this.state.fetching, event, this.#source));
    if (isSystemInput(event)) this.#system(event);
    if (event.type === "peerFacts") this.#peer(event);
    if (event.type === "timerFired" && (event.timer as string) === "system.begin") this.lookAtSchedule();
  }

  /** The owner wants what was found. False: there is nothing, or an update is under way. */
  begin(): boolean {
    const { available, fetching, system } = this.state;
    if (!available || fetching.found || isLeading(system)) return false;
    this.state = { ...this.state, isWanted: true };
    this.#offers(fetchOffers(available, this.state.fetching.attempt || OFFER_ATTEMPTS, this.#source));
    return true;
  }

  /** Of images that were uploaded. */
  beginUploaded(job: SystemJob): void {
    this.state = { ...this.state, led: [UPLOAD_FIRMWARE_ID], otherPercent: 0 };
    this.#system({ type: "systemOffered", job });
  }

  cancel(): void {
    this.#system({ type: "systemCancelled", reason: "by the owner" });
  }

  /** What was finished last, if both still run it. */
  get undoable(): SystemState["undoable"] {
    const { system, otherImage } = this.state;
    const { boot, staged, onTrial } = this.#around.device.update;
    const { undoable } = system;
    if (!undoable || isLeading(system) || staged || onTrial || isOverdue(undoable, this.#knownTime))
      return undefined;
    const isThere = undoable.components.every(
      ({ id, image }) => image === (id === SELF ? boot?.image.imageSha256 : otherImage),
    );
    return isThere ? undoable : undefined;
  }

  undo(): void {
    const { undoable } = this;
    if (undoable) this.#system({ type: "systemReverted", ...undoable, reason: "rolled back by the owner" });
  }

  /** An update that was found, and is to begin by itself, begins when its time has come. */
  lookAtSchedule(): void {
    const { available, system } = this.state;
    const { installs, schedule } = this.#around.settings;
    if (!available || !installs || hasFailed(system.history, available.system.version)) return;
    const { update } = this.#around.device;
    const delayMs = waitMs(schedule, toldAt(update.clock, this.#around.at));
    if (delayMs > 0) this.effects.push({ type: "setTimer", timer: "system.begin", delayMs });
    else this.begin();
  }

  /** How many bytes of this image have been sent: by radio the transmitter reports its results only. */
  sent(image: string, bytes: number): void {
    const { job } = this.state.system;
    if (job?.phase !== "staging") return;
    const offer = this.#offered.find((one) => one.id === OTHER && one.image === image);
    const percent = offer ? Math.min(100, Math.floor((bytes * 100) / offer.sizeBytes)) : 0;
    if (percent > this.state.otherPercent) this.state = { ...this.state, otherPercent: percent };
  }

  /** What has happened to the receiver in this turn. */
  noteSelf(before: DeviceState): void {
    if (before === this.#around.device || isLeading(this.state.system)) return;
    this.#note(ofReceiver(before, this.#around.device, this.#knownTime));
  }

  /** A request of the transmitter's: what it says is noted, and a check may be answered here; the answer is JSON. */
  answerOther(target: string, body: string): string | undefined {
    return this.#answer(OTHER, target, body);
  }

  /** Likewise one of the receiver's own. */
  answerSelf(target: string, body: string): string | undefined {
    const { onTrial } = this.#around.device.update;
    return this.#answer(SELF, target, body, onTrial);
  }

  /** What the receiver is may have changed. */
  lookAtSelf(): void {
    if (!isLeading(this.state.system)) return;
    const { refused } = this.state.reports[SELF] ?? {};
    const seen = reportOfDevice(this.#around.device.update);
    if (seen) this.#report(SELF, { ...seen, ...(refused ? { refused } : {}) });
  }

  #answer(
    id: typeof SELF | typeof OTHER,
    target: string,
    body: string,
    isPassedOn = false,
  ): string | undefined {
    if (target === "/api/ota/status") return this.#reported(id, body);
    if (target !== "/api/ota/check" || (id === SELF && !isLeading(this.state.system))) return undefined;
    const check = readJsonObject(body);
    if (!check) return undefined;
    if (id === OTHER) this.#check(check);
    // of what the server has ordered, it is to hear the results
    if (!isLeading(this.state.system) || isPassedOn || check.has("order_results")) return undefined;
    return answerToCheck(this.#requestOf(id), this.#offered, this.#time);
  }

  #check(check: NonNullable<ReturnType<typeof readJsonObject>>): void {
    const seen = reportOfCheck(check);
    if (!seen || check.get("device_type") !== OTHER) return;
    if (seen.image !== this.state.otherImage) this.state = { ...this.state, otherImage: seen.image };
    if (!isLeading(this.state.system)) return;
    const { refused } = this.state.reports[OTHER] ?? {};
    this.#report(OTHER, { ...seen, ...(refused ? { refused } : {}), ...this.#fit });
  }

  /** @returns an answer, where the update server does not know what the report is about */
  #reported(id: typeof SELF | typeof OTHER, body: string): string | undefined {
    const seen = reportSeen(body);
    if (!seen) return undefined;
    const { firmwareId, status, message, code } = seen;
    const offer = this.#offered.find((one) => one.id === id && one.answer.firmware_id === firmwareId);
    const report = this.state.reports[id];
    // what was lost on the way comes again: the member tries as long as it is offered the image, and the deadline decides
    if (offer && report && status === "failed" && !isOnTheWay(code))
      this.#report(id, { ...report, refused: { image: offer.image, reason: message || code } });
    if (id === SELF) return undefined;
    this.reported = seen;
    if (!this.state.led.includes(firmwareId))
      this.#note(ofTransmitter(seen, this.state.peer?.version ?? "", this.#knownTime));
    return firmwareId === UPLOAD_FIRMWARE_ID ? "{}" : undefined;
  }

  #note(entry: HistoryEntry | undefined): void {
    const { system } = this.state;
    if (!entry || isLeading(system)) return;
    const history = withEntry(system.history, entry);
    this.state = { ...this.state, system: { ...system, history } };
    this.effects.push({ type: "store", key: HISTORY_KEY, value: writeHistory(history) });
  }

  /** Of the update server, and what was uploaded. */
  get #offered(): readonly MemberOffer[] {
    const { offers } = this.state;
    const { uploaded } = this.#around;
    return uploaded ? [...offers, uploadedOffer(uploaded)] : offers;
  }

  #peer(peer: PeerFacts): void {
    const before = this.state.peer;
    this.state = { ...this.state, peer };
    const report = this.state.reports[OTHER];
    if (!report || before?.isCompatible === peer.isCompatible) return;
    const { isMisfit: _, ...others } = report;
    this.#report(OTHER, { ...others, ...this.#fit });
  }

  get #fit(): Pick<ComponentReport, "isMisfit"> {
    return this.state.peer?.isCompatible ? {} : { isMisfit: true };
  }

  /** The same twice is told once. */
  #report(id: typeof SELF | typeof OTHER, report: ComponentReport): void {
    const before = this.state.reports[id];
    if (before && isSame(before, report)) return;
    this.state = { ...this.state, reports: { ...this.state.reports, [id]: report } };
    this.#system({ type: "componentReported", id, report });
  }

  #requestOf(id: string): ComponentRequest | undefined {
    const { job, reports, ending, savingCount, isBehind } = this.state.system;
    const at = job?.members.findIndex((member) => member.id === id) ?? -1;
    return job && at >= 0 && !ending && savingCount === 0 && !isBehind
      ? requestOf(job, at, reports)
      : undefined;
  }

  // ── the orchestrator

  #system(event: SystemInput): void {
    const [system, effects] = systemStep(this.state.system, this.#stamped(event), this.#knownTime);
    this.state = { ...this.state, system };
    for (const effect of effects) {
      if (effect.type === "raise") this.#progress(effect.event);
      else if ("id" in effect) this.#ask(effect);
      else this.effects.push(effect);
    }
  }

  #ask(request: ComponentRequest): void {
    if (request.type === "stageComponent" && !this.#offered.some(({ image }) => image === request.image))
      // after a restart: the releases are fetched again
      return this.pollSoon();
    if (request.id !== SELF) return; // it asks by itself
    if (request.type === "askComponent") {
      const report = reportOfDevice(this.#around.device.update);
      this.state = { ...this.state, reports: { ...this.state.reports, [SELF]: undefined } };
      if (report) this.#report(SELF, report);
      return;
    }
    this.effects.push({ type: "askSelf", request });
  }

  #progress(event: SystemRaise["event"]): void {
    switch (event.type) {
      case "installationsHeld":
      case "installationsFreed":
        this.effects.push({ type: "tellSelf", event });
        return;
      case "systemProgressed":
        if (event.phase !== undefined) this.#log("info", `system ${event.version}: ${event.phase}`);
        return this.lookAtSelf();
      case "systemRefused":
        return this.#log("warn", `system ${event.version} is not begun: ${event.reason}`);
      case "systemFinished":
        this.state = { ...this.state, offers: [], available: undefined, reports: UNHEARD };
        return this.#log("info", `system ${event.version} is installed on ${this.#whole}`);
      case "systemFailed":
        this.state = { ...this.state, offers: [], reports: UNHEARD };
        return this.#log(
          "warn",
          `system ${event.version} is not installed, both run what they had: ${event.reason}`,
        );
    }
  }

  /** Of the job that has just ended. */
  get #whole(): string {
    const { what = "both" } = this.state.system.history[0] ?? {};
    return what === "both" ? "both devices" : `the ${what}`;
  }

  #log(level: "info" | "warn", message: string): void {
    this.effects.push({ type: "log", level, message });
  }

  // ── the server

  #poll(event: Stamped<Event>): void {
    const [poll, effects] = pollStep(this.state.poll, event, this.#pollSettings, POLL_ATTEMPTS);
    this.state = { ...this.state, poll };
    for (const effect of effects) {
      if (effect.type === "raise") this.#found(effect.event);
      else this.effects.push(effect);
    }
  }

  /** The update server is asked for the system's manifest. */
  pollSoon(): void {
    this.effects.push({ type: "setTimer", timer: "system.poll", delayMs: SOON_MS });
  }

  #found(found: SystemFound): void {
    const { system } = this.state;
    const { version } = found.system;
    this.state = { ...this.state, available: found };
    if (system.job) {
      if (system.job.version === version && this.state.offers.length === 0)
        this.#offers(fetchOffers(found, this.state.fetching.attempt || OFFER_ATTEMPTS, this.#source));
      return;
    }
    this.#log("info", `system ${version} is available`);
    this.lookAtSchedule();
  }

  #offers([fetching, outputs]: readonly [OffersState, readonly OffersOutput[]]): void {
    this.state = { ...this.state, fetching };
    for (const output of outputs) {
      if (output.type === "offersFailed") this.state = { ...this.state, isWanted: false };
      else if (output.type !== "offersReady") this.effects.push(output);
      else {
        const { isWanted } = this.state;
        const led = output.offers.map(({ answer }) => answer.firmware_id);
        this.state = { ...this.state, offers: output.offers, led, otherPercent: 0, isWanted: false };
        if (isWanted) this.#system({ type: "systemOffered", job: output.job });
        else this.#stageAgain();
      }
    }
  }

  /** The releases are there again: who lacks its image is asked with the next tick. */
  #stageAgain(): void {
    this.effects.push({ type: "setTimer", timer: "system.tick", delayMs: SOON_MS });
  }

  get #source() {
    const { server, serverTokens, boot } = this.#around.device.update;
    return { server, headers: authorizationAt(server, serverTokens, boot?.build) };
  }

  get #pollSettings(): PollSettings {
    const { update } = this.#around.device;
    return {
      ...this.#source,
      server: update.online ? update.server : "",
      name: this.#around.settings.system,
      version: lastInstalled(this.state.system.history),
      pollMs: this.#around.settings.pollSeconds * 1000,
      trust: update.trust,
      isFree: update.phase === "idle" && this.state.fetching.found === undefined,
    };
  }

  // ── time

  get #time(): number {
    return timeAt(this.#around.device.update.clock, this.#around.at);
  }

  get #knownTime(): number {
    return toldAt(this.#around.device.update.clock, this.#around.at) ?? 0;
  }

  #stamped<Any>(event: Any): Stamped<Any> {
    const { at, random, freeHeapBytes } = this.#around;
    return { ...event, at, random, freeHeapBytes };
  }
}

const isSystemInput = (event: Event): event is Event & SystemInput =>
  event.type === "booted" ||
  ((event.type === "saved" || event.type === "saveFailed") && event.purpose === "system") ||
  (event.type === "timerFired" && (event.timer as string).startsWith("system."));

const isSame = (a: ComponentReport, b: ComponentReport): boolean =>
  a.image === b.image &&
  a.isOnTrial === b.isOnTrial &&
  a.staged === b.staged &&
  a.isMisfit === b.isMisfit &&
  a.problem === b.problem &&
  a.refused?.image === b.refused?.image;
