// An update, from the check to the restart. It decides; the bytes go from the network to the flash as effects, one piece at a time,
// and the next piece is asked for only when the last one is written: memory stays bounded, and every flash operation is a point at
// which power can be cut. After a cut it trusts no notebook: it hashes the slot chunk by chunk and goes on at the first wrong one.
//
//   idle ─ check ─► checking ─ update offered ─► verifying ─ signature good, release judged ─► resuming ─ first wrong chunk ─┐
//    ▲                 │ nothing new                │ refused                                                              ▼
//    └─────────────────┴────────────────────────────┴────────── failed (told, and forgotten until the next check) ◄── requesting ◄┐
//                                                                                                                          ▼    │ retry
//   restarting ◄─ slotArmed ─ arming ◄─ whole image equals the signed digest ─ proving ◄─ last chunk right ──────────── streaming ┘
//
// Arming uses esp_ota_set_boot_partition on a slot written through the flash module, not embedded:update: that module always
// calls esp_ota_begin, which cannot resume and erases the fallback's otadata entry before the first byte has arrived.

import { backoffMs, jitteredMs } from "./backoff.js";
import { TRIAL_REASON_KEY } from "./boot-validation.js";
import { bytesEqual, toHex, utf8Decode } from "./bytes.js";
import type { Effect } from "./effect.js";
import { type Failure, isTransient, type Result, type UpdateErrorCode } from "./errors.js";
import type { Booted, Raise, Stamped } from "./event.js";
import { type ImageReader, newImageReader, readImage } from "./image.js";
import {
  type InstallRecord,
  judgeInstallation,
  type Outcome,
  RECORD_KEY,
  readRecord,
  writeRecord,
} from "./install-record.js";
import {
  chunkCountOf,
  chunkDigest,
  chunkLength,
  judgeRelease,
  parseRelease,
  type Release,
  SECTOR_BYTES,
  type SignedRelease,
} from "./release.js";
import type { Report } from "./report.js";
import { parseVersion } from "./version.js";
import {
  type CheckRequest,
  type CheckResponse,
  MAX_CHECK_RESPONSE_BYTES,
  type UpdateResponse,
} from "./wire.js";

/** Without a byte for so long a transfer counts as stalled. */
const STALL_MS = 30_000;
const RETRY = Object.freeze({ firstMs: 1_000, maximumMs: 60_000 });
/** Tries without a single new chunk before an attempt is given up. */
const MAX_TRIES = 5;
/** Most that is read from the network and written to flash at once. */
const PIECE_BYTES = SECTOR_BYTES;
/** Time for the last report to leave before the restart. */
const RESTART_DELAY_MS = 2_000;
/** The first check after joining comes within this, spread over a fleet that was powered on together. */
const FIRST_CHECK_MS = 2_000;
const MIN_POLL_SECONDS = 10;
const MAX_POLL_SECONDS = 86_400;
/** An image that was rolled back is left alone for so long: what made it fail may pass, but flash wears. */
const HOLD_AFTER_ROLL_BACK_MS = 600_000;
/** A report for each tenth of the image. */
const PROGRESS_STEPS = 10;

/** What is being installed. */
export interface Job {
  readonly offer: UpdateResponse;
  readonly release: Release;
  readonly downloadUrl: string;
  /** Next byte to write; everything before the chunk that it lies in is verified. */
  readonly offset: number;
  readonly verifiedBytes: number;
  /** Bytes that wait in the network adapter. */
  readonly available: number;
  /** Bytes read and handed to the flash, not yet confirmed. */
  readonly pending: Uint8Array | undefined;
  /** The sector at this offset and all before it are erased in this pass. */
  readonly erasedTo: number;
  /** What the verified chunks say of the image. */
  readonly reader: ImageReader;
  /** The same with the bytes since: they may be wrong until their chunk's digest is compared. */
  readonly ahead: ImageReader;
  readonly failureCount: number;
  readonly lastTenth: number;
  readonly lastFailure: Failure | undefined;
  /** The server does not know ranges: take the image from its beginning. */
  readonly wholeOnly: boolean;
}

export type UpdatePhase =
  | "idle"
  | "checking"
  | "verifying"
  | "resuming"
  | "requesting"
  | "streaming"
  | "waiting"
  | "proving"
  | "arming"
  | "restarting";

export interface UpdateState {
  readonly phase: UpdatePhase;
  readonly boot: Booted | undefined;
  readonly server: string;
  readonly checkSeconds: number;
  readonly online: boolean;
  readonly rssi: number;
  readonly address: string;
  /** Even; the report machine's are odd. */
  readonly attempt: number;
  /** A new image on trial may not start another update: esp_ota_begin refuses it, and so do we. */
  readonly onTrial: boolean;
  readonly record: InstallRecord | undefined;
  readonly checkStatus: number;
  readonly checkBody: readonly Uint8Array[];
  readonly checkBytes: number;
  readonly offer: UpdateResponse | undefined;
  readonly signed: SignedRelease | undefined;
  readonly job: Job | undefined;
  /** Firmware that was refused for a reason that a new download cannot cure, and why; not told twice. */
  readonly refused: { readonly firmwareId: number; readonly release: string } | undefined;
  /** SHA-256 of an image that was rolled back, and until when (ms since this boot) it is left alone. */
  readonly held: { readonly imageSha256: string; readonly untilMs: number } | undefined;
  readonly bootCount: number;
  readonly rearming: InstallRecord | undefined;
  /** The last attempt found a server that ignores ranges. */
  readonly rangeIgnored: boolean;
}

export const initialUpdate: UpdateState = Object.freeze({
  phase: "idle",
  boot: undefined,
  server: "",
  checkSeconds: 120,
  online: false,
  rssi: 0,
  address: "",
  attempt: 0,
  onTrial: false,
  record: undefined,
  checkStatus: 0,
  checkBody: Object.freeze([]),
  checkBytes: 0,
  offer: undefined,
  signed: undefined,
  job: undefined,
  refused: undefined,
  held: undefined,
  bootCount: 0,
  rearming: undefined,
  rangeIgnored: false,
});

type Step = readonly [UpdateState, readonly (Effect | Raise)[]];

export function updateStep(state: UpdateState, event: Stamped): Step {
  if (
    "attempt" in event &&
    event.attempt !== state.attempt &&
    event.type !== "wifiJoined" &&
    event.type !== "wifiLost"
  ) {
    return [state, []];
  }
  switch (event.type) {
    case "booted":
      return begin(event);
    case "serverChosen":
      return [{ ...state, server: event.server, checkSeconds: event.checkSeconds }, []];
    case "online":
      return [
        { ...state, online: true, rssi: event.rssi, address: event.address },
        state.phase === "idle"
          ? [{ type: "setTimer", timer: "check", delayMs: Math.round(event.random * FIRST_CHECK_MS) }]
          : state.phase === "waiting"
            ? [{ type: "setTimer", timer: "retry", delayMs: Math.round(event.random * FIRST_CHECK_MS) }]
            : [],
      ];
    case "offline":
      return offline(state, event);
    case "trialPassed":
      return trialPassed(state, event);
    case "trialFailed":
      return stop({ ...state, job: undefined });
    case "reportTaken":
      return reportTaken(state, event.report);
    case "timerFired":
      return timerFired(state, event);
    case "requestFailed":
      return requestFailed(state, event);
    default:
      return inPhase(state, event);
  }
}

/** Events that mean something in one phase only. */
function inPhase(state: UpdateState, event: Stamped): Step {
  if (state.rearming) return rearmStep(state, event);
  switch (state.phase) {
    case "checking":
      return checkingStep(state, event);
    case "verifying":
      return event.type === "signatureVerified" ? signatureVerified(state, event) : [state, []];
    case "resuming":
      return withJob(state, (job) =>
        event.type === "slotHashed" ? resumeHashed(state, job, event) : slotTrouble(state, event),
      );
    case "requesting":
      return withJob(state, (job) =>
        event.type === "responseStarted" ? responseStarted(state, job, event) : [state, []],
      );
    case "streaming":
      return withJob(state, (job) => streamingStep(state, job, event));
    case "proving":
      return withJob(state, (job) =>
        event.type === "slotHashed" ? proved(state, job, event) : slotTrouble(state, event),
      );
    case "arming":
      return withJob(state, (job) =>
        event.type === "slotArmed" ? armed(state, job) : slotTrouble(state, event),
      );
    default:
      return [state, []];
  }
}

const withJob = (state: UpdateState, next: (job: Job) => Step): Step =>
  state.job ? next(state.job) : [state, []];

// ── boot ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

function begin(event: Booted & Stamped): Step {
  const record = readRecord(event.stored[RECORD_KEY]);
  const bootCount = (Number(event.stored.boots) || 0) + 1;
  const outcome = judgeInstallation(
    record,
    event.image,
    event.target?.state ?? "undefined",
    event.stored[TRIAL_REASON_KEY],
    event.resetReason,
  );
  const state: UpdateState = {
    ...initialUpdate,
    boot: event,
    bootCount,
    record: outcome.kind === "none" ? undefined : outcome.record,
    onTrial: event.image.slotState === "pending_verify",
  };
  const [next, effects] = concluded(state, outcome, event.at);
  return [next, [{ type: "store", key: "boots", value: `${bootCount}` }, ...effects]];
}

function concluded(state: UpdateState, outcome: Outcome, at: number): Step {
  switch (outcome.kind) {
    case "none":
      return [state, []];
    case "onTrial":
      return [state, [report(state, outcome.record, { status: "installing", step: "trial" })]];
    case "validated":
      return [state, [report(state, outcome.record, { status: "success", step: "validated" })]];
    case "rearm": {
      const attempt = state.attempt + 2;
      return [
        { ...state, attempt, phase: "arming", rearming: outcome.record },
        [
          {
            type: "log",
            level: "warn",
            message: `power was lost during the trial of ${outcome.record.version}, trying once more`,
          },
          { type: "store", key: RECORD_KEY, value: writeRecord(outcome.record) },
          { type: "armSlot", attempt },
        ],
      ];
    }
    case "rolledBack":
      return [
        {
          ...state,
          held: { imageSha256: outcome.record.imageSha256, untilMs: at + HOLD_AFTER_ROLL_BACK_MS },
        },
        [
          {
            type: "log",
            level: "error",
            message: `${outcome.record.version} was rolled back: ${outcome.reason}`,
          },
          report(state, outcome.record, {
            status: "failed",
            step: "rolled back",
            ...told("ROLLED_BACK", outcome.reason),
          }),
        ],
      ];
  }
}

/** The slot that holds the image of a trial which power ended is armed again; nothing else happens meanwhile. */
function rearmStep(state: UpdateState, event: Stamped): Step {
  if (event.type === "slotArmed") return [{ ...state, phase: "restarting" }, [{ type: "restart" }]];
  if (event.type !== "slotFailed" || !state.rearming) return [state, []];
  const idle: UpdateState = { ...state, phase: "idle", rearming: undefined };
  const reason = `power was lost during the trial run, and its slot could not be armed again: ${event.message}`;
  return [
    idle,
    [
      report(idle, state.rearming, { status: "failed", step: "rolled back", ...told("ROLLED_BACK", reason) }),
      nextCheck(idle, 0),
    ],
  ];
}

function trialPassed(state: UpdateState, event: Stamped): Step {
  const boot = state.boot && { ...state.boot, image: { ...state.boot.image, slotState: "valid" as const } };
  const valid: UpdateState = { ...state, boot, onTrial: false };
  const told = state.record ? [report(valid, state.record, { status: "success", step: "validated" })] : [];
  return [valid, [...told, ...(valid.phase === "idle" ? [nextCheck(valid, event.random)] : [])]];
}

/** The result has arrived: the record has served. */
function reportTaken(state: UpdateState, taken: Report): Step {
  const { record } = state;
  if (!record || taken.firmware_id !== record.firmwareId) return [state, []];
  if (taken.status !== "success" && taken.status !== "failed") return [state, []];
  return [
    { ...state, record: undefined },
    [
      { type: "forget", key: RECORD_KEY },
      { type: "forget", key: TRIAL_REASON_KEY },
    ],
  ];
}

// ── check ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

function timerFired(state: UpdateState, event: Stamped & { readonly type: "timerFired" }): Step {
  switch (event.timer) {
    case "check":
      return state.phase === "idle" && state.online ? check(state, event.freeHeapBytes) : [state, []];
    case "transfer":
      return stalled(state, event);
    case "retry":
      return state.phase === "waiting" && state.online && state.job ? resume(state, state.job) : [state, []];
    case "restart":
      return state.phase === "restarting" ? [state, [{ type: "restart" }]] : [state, []];
    default:
      return [state, []];
  }
}

function check(state: UpdateState, freeHeapBytes: number): Step {
  const attempt = state.attempt + 2;
  return [
    { ...state, phase: "checking", attempt, checkStatus: 0, checkBody: [], checkBytes: 0 },
    [
      { type: "log", level: "debug", message: `checking ${state.server} for updates` },
      {
        type: "startRequest",
        attempt,
        request: {
          method: "POST",
          url: `${state.server}/api/ota/check`,
          headers: { "content-type": "application/json" },
          body: JSON.stringify(checkRequest(state, freeHeapBytes)),
        },
      },
      { type: "setTimer", timer: "transfer", delayMs: STALL_MS },
    ],
  ];
}

function checkRequest(state: UpdateState, freeHeapBytes: number): CheckRequest | undefined {
  if (!state.boot) return undefined;
  const { identity, image, resetReason } = state.boot;
  return {
    device_id: identity.deviceId,
    device_type: identity.type,
    current_version: image.version,
    current_build: image.build,
    hardware: identity.hardware,
    chip: identity.chip,
    image_sha256: image.imageSha256,
    slot: image.slot,
    slot_state: image.slotState,
    boot_count: state.bootCount,
    reset_reason: resetReason,
    free_heap: freeHeapBytes,
    rssi: state.rssi,
    address: state.address,
  };
}

function checkingStep(state: UpdateState, event: Stamped): Step {
  switch (event.type) {
    case "responseStarted":
      return [{ ...state, checkStatus: event.status }, []];
    case "responseReadable":
      return [state, [{ type: "readResponse", attempt: state.attempt, maxBytes: event.count }]];
    case "responseData": {
      const checkBytes = state.checkBytes + event.bytes.length;
      if (checkBytes > MAX_CHECK_RESPONSE_BYTES) {
        return checkFailed(state, event.random, `answer is longer than ${MAX_CHECK_RESPONSE_BYTES} bytes`);
      }
      return [{ ...state, checkBytes, checkBody: [...state.checkBody, event.bytes] }, []];
    }
    case "responseEnded":
      return checkAnswered(state, event);
    default:
      return [state, []];
  }
}

function checkAnswered(state: UpdateState, { at, random }: Stamped): Step {
  if (state.checkStatus !== 200) return checkFailed(state, random, `server answered ${state.checkStatus}`);
  const answer = readCheckResponse(state.checkBody, state.checkBytes);
  if (!answer) return checkFailed(state, random, "answer is not what a check is answered with");
  const polled: UpdateState = {
    ...state,
    phase: "idle",
    checkBody: [],
    checkBytes: 0,
    checkSeconds: boundedPoll(answer.poll_seconds) ?? state.checkSeconds,
  };
  const reached: readonly (Effect | Raise)[] = [
    { type: "clearTimer", timer: "transfer" },
    { type: "closeRequest", attempt: state.attempt },
    { type: "raise", event: { type: "serverReached" } },
  ];
  if (!answer.update_available || state.onTrial || isRefused(state, answer)) {
    return [polled, [...reached, nextCheck(polled, random)]];
  }
  const [next, effects] = considerOffer(polled, answer, at, random);
  return [next, [...reached, ...effects]];
}

const isRefused = (state: UpdateState, offer: UpdateResponse) =>
  state.refused?.firmwareId === offer.firmware_id && state.refused.release === offer.release;

const boundedPoll = (seconds: number | undefined) =>
  seconds === undefined
    ? undefined
    : Math.min(MAX_POLL_SECONDS, Math.max(MIN_POLL_SECONDS, Math.round(seconds)));

/** The answer, if every field that we use has its type and a sane size. */
function readCheckResponse(body: readonly Uint8Array[], sizeBytes: number): CheckResponse | undefined {
  const text = utf8Decode(concatenate(body, sizeBytes));
  if (text === undefined) return undefined;
  let value: Partial<Omit<UpdateResponse, "update_available">> & { readonly update_available?: unknown };
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || typeof value.time !== "number") return undefined;
  if (value.poll_seconds !== undefined && typeof value.poll_seconds !== "number") return undefined;
  const poll = value.poll_seconds === undefined ? {} : { poll_seconds: value.poll_seconds };
  if (value.update_available === false) return { update_available: false, time: value.time, ...poll };
  if (
    value.update_available !== true ||
    typeof value.firmware_id !== "number" ||
    typeof value.version !== "string"
  )
    return undefined;
  if (
    typeof value.download_url !== "string" ||
    value.download_url.length > 500 ||
    typeof value.release !== "string"
  )
    return undefined;
  return {
    update_available: true,
    time: value.time,
    ...poll,
    firmware_id: value.firmware_id,
    version: value.version,
    build_number: value.build_number ?? 0,
    file_size: value.file_size ?? 0,
    file_hash: value.file_hash ?? "",
    download_url: value.download_url,
    release: value.release,
  };
}

function concatenate(pieces: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const whole = new Uint8Array(sizeBytes);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}

function checkFailed(state: UpdateState, random: number, message: string): Step {
  const idle: UpdateState = { ...state, phase: "idle", checkBody: [], checkBytes: 0 };
  return [
    idle,
    [
      { type: "log", level: "warn", message: `update check failed: ${message}` },
      { type: "clearTimer", timer: "transfer" },
      { type: "closeRequest", attempt: state.attempt },
      nextCheck(idle, random),
    ],
  ];
}

const nextCheck = (state: UpdateState, random: number): Effect => ({
  type: "setTimer",
  timer: "check",
  delayMs: jitteredMs(state.checkSeconds * 1000, random),
});

// ── release ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

function considerOffer(state: UpdateState, offer: UpdateResponse, at: number, random: number): Step {
  const offered: UpdateState = { ...state, offer };
  const parsed = parseRelease(offer.release);
  if (!parsed.ok) return refuse(offered, parsed.failure, random);
  const signed = parsed.value;
  const { held } = state;
  if (held && held.imageSha256 === signed.release.imageSha256 && at < held.untilMs)
    return [state, [nextCheck(state, random)]];
  if (!state.boot?.build.keyIds.includes(signed.keyId)) {
    return refuse(
      offered,
      {
        code: "KEY_UNKNOWN",
        message: `release is signed by key ${signed.keyId}, which this firmware does not trust`,
      },
      random,
    );
  }
  const attempt = state.attempt + 2;
  return [
    { ...offered, phase: "verifying", attempt, signed },
    [
      {
        type: "verifySignature",
        attempt,
        keyId: signed.keyId,
        signed: signed.signed,
        signature: signed.signature,
      },
    ],
  ];
}

function signatureVerified(state: UpdateState, event: Stamped & { readonly good: boolean }): Step {
  const { signed, offer, boot } = state;
  if (!signed || !offer || !boot) return [state, []];
  if (!event.good) {
    return refuse(
      state,
      { code: "SIGNATURE_INVALID", message: `signature by key ${signed.keyId} does not fit the release` },
      event.random,
    );
  }
  const judged: Result<Release> = judgeRelease(signed.release, {
    identity: boot.identity,
    image: boot.image,
    slotBytes: boot.target?.sizeBytes ?? 0,
    time: offer.time,
  });
  if (!judged.ok) return refuse(state, judged.failure, event.random);
  const job: Job = {
    offer,
    release: judged.value,
    downloadUrl: absoluteUrl(state.server, offer.download_url),
    offset: 0,
    verifiedBytes: 0,
    available: 0,
    pending: undefined,
    erasedTo: 0,
    reader: newImageReader,
    ahead: newImageReader,
    failureCount: 0,
    lastTenth: 0,
    lastFailure: undefined,
    wholeOnly: state.rangeIgnored,
  };
  const verified: UpdateState = { ...state, signed: undefined, offer: undefined, rangeIgnored: false };
  const [next, effects] = resume(verified, job);
  return [
    next,
    [
      {
        type: "log",
        level: "info",
        message: `updating to ${offer.version} build ${offer.build_number}, ${judged.value.size} bytes`,
      },
      report(verified, job, { status: "downloading", step: "verified", bytes_downloaded: 0 }),
      ...effects,
    ],
  ];
}

const absoluteUrl = (server: string, url: string) =>
  url.startsWith("/") ? `${originOf(server)}${url}` : url;
const originOf = (server: string) => /^https?:\/\/[^/]+/.exec(server)?.[0] ?? server;

/** Nothing was written, and another download would not help: told once, not tried again until something else is offered. */
function refuse(state: UpdateState, failure: Failure, random: number): Step {
  const { offer } = state;
  if (!offer) return [state, []];
  const idle: UpdateState = {
    ...state,
    phase: "idle",
    offer: undefined,
    signed: undefined,
    refused: { firmwareId: offer.firmware_id, release: offer.release },
  };
  return [
    idle,
    [
      {
        type: "log",
        level: "error",
        message: `update to ${offer.version} refused: ${failure.message} [${failure.code}]`,
      },
      report(
        idle,
        { firmwareId: offer.firmware_id },
        { status: "failed", step: "refused", ...told(failure.code, failure.message) },
      ),
      { type: "raise", event: { type: "updateFailed", ...failure } },
      nextCheck(idle, random),
    ],
  ];
}

// ── resume ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Reads the slot back from its beginning: what is there and right need not be fetched again. */
function resume(state: UpdateState, job: Job): Step {
  const fresh: Job = {
    ...job,
    offset: job.verifiedBytes,
    available: 0,
    pending: undefined,
    erasedTo: job.verifiedBytes,
    ahead: job.reader,
  };
  if (job.wholeOnly) {
    return request(state, {
      ...fresh,
      offset: 0,
      verifiedBytes: 0,
      erasedTo: 0,
      reader: newImageReader,
      ahead: newImageReader,
    });
  }
  if (job.verifiedBytes > 0) return request(state, fresh);
  return hashChunk({ ...state, phase: "resuming" }, fresh, 0);
}

function hashChunk(state: UpdateState, job: Job, index: number): Step {
  const attempt = state.attempt + 2;
  const offset = index * job.release.chunkSize;
  return [
    { ...state, attempt, job },
    [{ type: "hashSlot", attempt, offset, length: chunkLength(job.release, index) }],
  ];
}

function resumeHashed(state: UpdateState, job: Job, event: { readonly digest: Uint8Array }): Step {
  const index = Math.floor(job.verifiedBytes / job.release.chunkSize);
  if (!bytesEqual(event.digest, chunkDigest(job.release, index))) return request(state, job);
  const verifiedBytes = job.verifiedBytes + chunkLength(job.release, index);
  const next: Job = { ...job, verifiedBytes, offset: verifiedBytes, erasedTo: verifiedBytes };
  if (index + 1 < chunkCountOf(job.release)) return hashChunk(state, next, index + 1);
  return prove(state, next);
}

// ── transfer ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

function request(state: UpdateState, job: Job): Step {
  const attempt = state.attempt + 2;
  const headers: Record<string, string> = job.offset > 0 ? { range: `bytes=${job.offset}-` } : {};
  return [
    { ...state, phase: "requesting", attempt, job },
    [
      ...(job.offset > 0
        ? [
            {
              type: "log",
              level: "info",
              message: `going on at byte ${job.offset} of ${job.release.size}`,
            } as const,
          ]
        : []),
      { type: "startRequest", attempt, request: { method: "GET", url: job.downloadUrl, headers } },
      { type: "setTimer", timer: "transfer", delayMs: STALL_MS },
    ],
  ];
}

function responseStarted(
  state: UpdateState,
  job: Job,
  event: Stamped & { readonly status: number; readonly headers: Readonly<Record<string, string>> },
): Step {
  const { size } = job.release;
  const left = size - job.offset;
  const length = Number(event.headers["content-length"]);
  if (event.status === 200 && job.offset > 0) {
    // whatever it sends would land at the wrong place: throw nothing away but this answer, and ask for the whole image next time
    const failure = {
      code: "RANGE_IGNORED",
      message: `server answered 200 to a request for bytes ${job.offset} to ${size - 1}`,
    } as const;
    return endAttempt({ ...state, rangeIgnored: true }, job, failure, event.random);
  }
  if (event.status !== 200 && event.status !== 206) {
    return retryLater(
      state,
      job,
      { code: "HTTP_STATUS", message: `server answered ${event.status} to the download` },
      event.random,
    );
  }
  if (event.status === 206 && !rangeFits(event.headers["content-range"], job.offset, size)) {
    const message = `server answered range "${event.headers["content-range"] ?? ""}" to a request for byte ${job.offset} of ${size}`;
    return retryLater(state, job, { code: "RANGE_IGNORED", message }, event.random);
  }
  if (length !== left) {
    const message = `server announces ${event.headers["content-length"] ?? "no"} bytes, ${left} are left of ${size}`;
    return retryLater(state, job, { code: "BODY_TRUNCATED", message }, event.random);
  }
  return [{ ...state, phase: "streaming" }, []];
}

function rangeFits(header: string | undefined, offset: number, size: number): boolean {
  return header === `bytes ${offset}-${size - 1}/${size}`;
}

function streamingStep(state: UpdateState, job: Job, event: Stamped): Step {
  switch (event.type) {
    case "responseReadable": {
      const next: Job = { ...job, available: event.count };
      const busy = job.pending !== undefined || job.available > 0;
      return busy ? [{ ...state, job: next }, []] : read(state, next);
    }
    case "responseData":
      return take(state, job, event);
    case "slotErased":
      return write(state, { ...job, erasedTo: event.offset + SECTOR_BYTES });
    case "slotWritten":
      return written(state, job);
    case "slotHashed":
      return chunkHashed(state, job, event);
    case "responseEnded":
      return job.verifiedBytes < job.release.size &&
        job.offset + (job.pending?.length ?? 0) < job.release.size
        ? retryLater(state, job, truncated(job), event.random)
        : [state, []];
    default:
      return slotTrouble(state, event);
  }
}

const truncated = (job: Job): Failure => ({
  code: "BODY_TRUNCATED",
  message: `connection ended at byte ${job.offset} of ${job.release.size}`,
});

/** A piece ends at the sector's end at the latest, so that one erase comes before one write. */
function read(state: UpdateState, job: Job): Step {
  if (job.available <= 0) return [{ ...state, job }, []];
  const toSectorEnd = PIECE_BYTES - (job.offset % PIECE_BYTES);
  const toChunkEnd = job.release.chunkSize - (job.offset % job.release.chunkSize);
  const maxBytes = Math.min(job.available, toSectorEnd, toChunkEnd, job.release.size - job.offset);
  return [{ ...state, job }, [{ type: "readResponse", attempt: state.attempt, maxBytes }]];
}

function take(state: UpdateState, job: Job, event: Stamped & { readonly bytes: Uint8Array }): Step {
  const ahead = readImage(job.ahead, job.offset, event.bytes);
  const next: Job = { ...job, ahead, pending: event.bytes, available: job.available - event.bytes.length };
  const [after, effects] = write(state, next);
  return [after, [{ type: "setTimer", timer: "transfer", delayMs: STALL_MS }, ...effects]];
}

/** The signed manifest and the image's own description must tell the same: known after the first chunk. */
function describeMismatch(reader: ImageReader, release: Release): Failure | undefined {
  if (reader.error) return { code: "IMAGE_MALFORMED", message: reader.error };
  const { description, lengthBytes } = reader;
  if (description && description.chip !== release.chip) {
    return {
      code: "WRONG_CHIP",
      message: `image is for chip ${description.chip}, its release says ${release.chip}`,
    };
  }
  const version = description && parseVersion(description.version);
  if (
    description &&
    (!version || `${version.major}.${version.minor}.${version.patch}` !== release.version.split("-")[0])
  ) {
    return {
      code: "IMAGE_MISMATCH",
      message: `image says version ${description.version}, its release says ${release.version}`,
    };
  }
  if (lengthBytes !== undefined && lengthBytes > release.size) {
    return {
      code: "IMAGE_MALFORMED",
      message: `image's segments end at ${lengthBytes}, the file is ${release.size} bytes`,
    };
  }
  return undefined;
}

function write(state: UpdateState, job: Job): Step {
  const { pending, offset } = job;
  if (!pending) return [state, []];
  const effect: Effect =
    offset >= job.erasedTo
      ? { type: "eraseSlot", attempt: state.attempt, offset: offset - (offset % SECTOR_BYTES) }
      : { type: "writeSlot", attempt: state.attempt, offset, bytes: pending };
  return [{ ...state, job }, [effect]];
}

function written(state: UpdateState, job: Job): Step {
  const offset = job.offset + (job.pending?.length ?? 0);
  const next: Job = { ...job, offset, pending: undefined };
  const { chunkSize, size } = job.release;
  if (offset < size && offset % chunkSize !== 0) return read(state, next);
  // the chunk is complete: read it back from the flash, not from memory
  const start = job.verifiedBytes;
  return [
    { ...state, job: { ...next, pending: EMPTY } },
    [{ type: "hashSlot", attempt: state.attempt, offset: start, length: offset - start }],
  ];
}

/** Marks the time of a chunk's hashing as busy, so that an arriving byte starts no second read. */
const EMPTY = new Uint8Array(0);

function chunkHashed(state: UpdateState, job: Job, event: Stamped & { readonly digest: Uint8Array }): Step {
  const index = Math.floor(job.verifiedBytes / job.release.chunkSize);
  if (!bytesEqual(event.digest, chunkDigest(job.release, index))) {
    const message = `bytes ${job.verifiedBytes} to ${job.offset - 1} do not have the digest that the release promises`;
    return retryLater(state, job, { code: "CHUNK_MISMATCH", message }, event.random);
  }
  const mismatch = describeMismatch(job.ahead, job.release);
  if (mismatch) return endAttempt(state, job, mismatch, event.random);
  const done: Job = {
    ...job,
    reader: job.ahead,
    pending: undefined,
    verifiedBytes: job.offset,
    failureCount: 0,
  };
  if (done.verifiedBytes >= job.release.size) {
    const [next, effects] = prove(state, done);
    return [next, [{ type: "closeRequest", attempt: state.attempt }, ...effects]];
  }
  const [told, progress] = progressOf(state, done);
  const [next, effects] = read(state, told);
  return [next, [...progress, ...effects]];
}

function progressOf(state: UpdateState, job: Job): readonly [Job, readonly Raise[]] {
  const tenth = Math.floor((job.verifiedBytes * PROGRESS_STEPS) / job.release.size);
  if (tenth <= job.lastTenth) return [job, []];
  return [
    { ...job, lastTenth: tenth },
    [report(state, job, { status: "downloading", step: "downloading", bytes_downloaded: job.verifiedBytes })],
  ];
}

// ── prove, arm, restart ─────────────────────────────────────────────────────────────────────────────────────────────────────

function prove(state: UpdateState, job: Job): Step {
  const attempt = state.attempt + 2;
  return [
    { ...state, phase: "proving", attempt, job },
    [
      { type: "clearTimer", timer: "transfer" },
      { type: "hashSlot", attempt, offset: 0, length: job.release.size },
    ],
  ];
}

function proved(state: UpdateState, job: Job, event: Stamped & { readonly digest: Uint8Array }): Step {
  const { release } = job;
  if (toHex(event.digest) !== release.sha256) {
    return endAttempt(
      state,
      job,
      {
        code: "IMAGE_MISMATCH",
        message: `slot has SHA-256 ${toHex(event.digest)}, the release says ${release.sha256}`,
      },
      event.random,
    );
  }
  const attempt = state.attempt + 2;
  const record: InstallRecord = {
    firmwareId: job.offer.firmware_id,
    version: release.version,
    build: release.build,
    imageSha256: release.imageSha256,
    slot: state.boot?.target?.label ?? "",
    powerLosses: 0,
  };
  return [
    { ...state, phase: "arming", attempt, record },
    [
      report(state, job, { status: "installing", step: "verifying", bytes_downloaded: release.size }),
      { type: "forget", key: TRIAL_REASON_KEY },
      { type: "store", key: RECORD_KEY, value: writeRecord(record) },
      { type: "armSlot", attempt },
    ],
  ];
}

function armed(state: UpdateState, job: Job): Step {
  return [
    { ...state, phase: "restarting" },
    [
      {
        type: "log",
        level: "info",
        message: `${job.release.version} is in ${state.boot?.target?.label ?? "its slot"}, restarting`,
      },
      report(state, job, { status: "installing", step: "armed", bytes_downloaded: job.release.size }),
      { type: "setTimer", timer: "restart", delayMs: RESTART_DELAY_MS },
    ],
  ];
}

// ── trouble ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

function requestFailed(state: UpdateState, event: Stamped & { readonly message: string }): Step {
  if (state.phase === "checking") return checkFailed(state, event.random, event.message);
  const { job } = state;
  if (!job || (state.phase !== "requesting" && state.phase !== "streaming")) return [state, []];
  if (state.phase === "streaming" && job.offset + (job.pending?.length ?? 0) >= job.release.size)
    return [state, []];
  const failure: Failure =
    state.phase === "streaming" ? truncated(job) : { code: "CONNECT_FAILED", message: event.message };
  return retryLater(state, job, failure, event.random);
}

function stalled(state: UpdateState, event: Stamped): Step {
  const seconds = STALL_MS / 1000;
  if (state.phase === "checking") return checkFailed(state, event.random, `no answer within ${seconds} s`);
  const { job } = state;
  if (!job || (state.phase !== "requesting" && state.phase !== "streaming")) return [state, []];
  const failure = {
    code: "SERVER_STALLED",
    message: `no byte for ${seconds} s at byte ${job.offset} of ${job.release.size}`,
  } as const;
  return retryLater(state, job, failure, event.random);
}

function offline(state: UpdateState, event: Stamped): Step {
  const down: UpdateState = { ...state, online: false };
  if (state.phase === "checking") return checkFailed(down, event.random, "the network was lost");
  const { job } = state;
  if (!job || (state.phase !== "requesting" && state.phase !== "streaming")) return [down, []];
  return retryLater(down, job, { code: "CONNECT_FAILED", message: "the network was lost" }, event.random);
}

function slotTrouble(state: UpdateState, event: Stamped): Step {
  if (event.type !== "slotFailed" || !state.job) return [state, []];
  const code: UpdateErrorCode = state.phase === "arming" ? "ARM_FAILED" : "FLASH_FAILED";
  return endAttempt(state, state.job, { code, message: event.message }, event.random);
}

/** Goes on after a pause from the last verified chunk; gives up after 5 tries without a new one. */
function retryLater(state: UpdateState, job: Job, failure: Failure, random: number): Step {
  const failureCount = job.failureCount + 1;
  if (!isTransient(failure.code) || failureCount >= MAX_TRIES) {
    return endAttempt(
      state,
      job,
      { ...failure, message: `${failure.message}; gave up after ${failureCount} tries` },
      random,
    );
  }
  const attempt = state.attempt + 2;
  const next: Job = { ...job, failureCount, lastFailure: failure, pending: undefined, available: 0 };
  return [
    { ...state, phase: "waiting", attempt, job: next },
    [
      { type: "log", level: "warn", message: `${failure.message} [${failure.code}], trying again` },
      { type: "clearTimer", timer: "transfer" },
      { type: "closeRequest", attempt: state.attempt },
      { type: "setTimer", timer: "retry", delayMs: backoffMs(RETRY, failureCount, random) },
    ],
  ];
}

/** Ends the attempt: the running firmware stays, the slot stays unarmed, the server is told why. */
function endAttempt(state: UpdateState, job: Job, failure: Failure, random: number): Step {
  const refused = isTransient(failure.code)
    ? state.refused
    : { firmwareId: job.offer.firmware_id, release: job.offer.release };
  const idle: UpdateState = {
    ...state,
    phase: "idle",
    job: undefined,
    record: undefined,
    attempt: state.attempt + 2,
    refused,
  };
  return [
    idle,
    [
      {
        type: "log",
        level: "error",
        message: `update to ${job.release.version} failed: ${failure.message} [${failure.code}]`,
      },
      { type: "clearTimer", timer: "transfer" },
      { type: "clearTimer", timer: "retry" },
      { type: "closeRequest", attempt: state.attempt },
      ...(state.phase === "arming" ? [{ type: "forget", key: RECORD_KEY } as const] : []),
      report(idle, job, {
        status: "failed",
        step: "failed",
        bytes_downloaded: job.verifiedBytes,
        ...told(failure.code, failure.message),
      }),
      { type: "raise", event: { type: "updateFailed", ...failure } },
      nextCheck(idle, random),
    ],
  ];
}

const stop = (state: UpdateState): Step => [
  { ...state, phase: "idle" },
  [{ type: "closeRequest", attempt: state.attempt }],
];

// ── reports ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const told = (code: UpdateErrorCode, message: string) => ({
  error_code: code,
  error_message: message.slice(0, 500),
});

function report(
  state: UpdateState,
  about: Job | { readonly firmwareId: number },
  fields: Omit<Report, "firmware_id" | "image_sha256" | "slot_state">,
): Raise {
  const firmwareId = "firmwareId" in about ? about.firmwareId : about.offer.firmware_id;
  const image = state.boot?.image;
  const evidence = image ? { image_sha256: image.imageSha256, slot_state: image.slotState } : {};
  return {
    type: "raise",
    event: { type: "reportMade", report: { firmware_id: firmwareId, ...fields, ...evidence } },
  };
}
