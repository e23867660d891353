// An update that a client in the local network pushes: from the offer to the job, and the answers to its sender. Transfer, final check and
// arming are those of every update. The device never retries a push: its sender can.

import { provedAfter, toldAt } from "../clock.js";
import type { Effect, HttpResponse } from "../effect.js";
import type { Failure, Result, UpdateErrorCode } from "../errors.js";
import type { Booted, Identity, PushOffer, StagedImage, Stamped } from "../event.js";
import { pushRefusal as refusal, uploadAnswer } from "../http/answer.js";

import { FRESH_JOB, type Job, type PushSource } from "./job.js";
import { describeBlock, isBlocked, noteOffer, type Suspect, suspectOf } from "./offer-crashes.js";
import { busyReason, makeRoom } from "./push-place.js";
import { checkRelease, parseRelease, type Release, SECTOR_BYTES, type SignedRelease } from "./release.js";
import { reservedFor } from "./reservation.js";
import { noSlotFailure } from "./slot-support.js";
import { discardStaged } from "./staged.js";
import {
  endOfRelease,
  enter,
  nextAttempt,
  nextCheck,
  STALL_MS,
  type Step,
  targetOf,
  type Unverified,
  type UpdateState,
  withOfferCrashes,
} from "./state.js";
import { beginVerification, verifyFirst } from "./verification.js";
import { readRunningVersion } from "./version.js";

/** Time for the answer to be sent before the restart. */
export const PUSH_RESTART_DELAY_MS = 1_000;

/** A push with valid credentials (local/push.ts): accepted unless it has to wait (push-place.ts). */
export function evaluatePush(state: UpdateState, offer: PushOffer, at: number, random: number): Step {
  const busy = reservedFor(state) ?? busyReason(state) ?? (state.boot && noSlotFailure(state.boot)?.message);
  if (busy !== undefined) return [state, [answer(offer, 409, busy)]];
  // before its release is read, which may be what restarts the device
  const suspect = suspectOf(undefined, imageIdOf(offer), 0);
  if (isBlocked(state.offerCrashes, suspect, toldAt(state.clock, at), at))
    return blocked(state, offer, suspect, random);
  const parsed = offer.release === undefined ? undefined : parseRelease(offer.release);
  return takePush(state, { offer, suspect, parsed }, random);
}

function blocked(state: UpdateState, offer: PushOffer, suspect: Suspect, random: number): Step {
  const [dropped, dropping] = makeRoom(state);
  const failure = { code: "OFFER_CRASHES", message: describeBlock(suspect) } as const;
  return withFreed(dropping, refusePush(dropped, offer, failure, random));
}

/** An image that may be taken, and its release as far as it can be read; without one: nothing. */
interface Read {
  readonly offer: PushOffer;
  readonly suspect: Suspect;
  readonly parsed: Result<SignedRelease> | undefined;
}

/** Not part of evaluatePush: what it keeps would lie in XS's stack while the release is parsed, which is the deepest of all. */
function takePush(state: UpdateState, { offer, suspect, parsed }: Read, random: number): Step {
  const [dropped, dropping] = makeRoom(state);
  const [free, noting] = withOfferCrashes(dropped, noteOffer(state.offerCrashes, suspect));
  const freed = [...dropping, ...noting];
  if (offer.release === undefined || !parsed) return withFreed(freed, startPush(free, offer, undefined));
  if (!parsed.ok) return withFreed(freed, refusePush(free, offer, parsed.failure, random));
  const { signatures, release } = parsed.value;
  const begun = beginVerification(state.trust, signatures, offer.release);
  if (!begun.ok) return withFreed(freed, refusePush(free, offer, begun.failure, random));
  const attempt = nextAttempt(free);
  return [
    // without the manifest: the effect has it
    enter(free, {
      phase: "verifying",
      attempt,
      unverified: { kind: "push", offer: withoutRelease(offer), release, verification: begun.value },
    }),
    [...freed, ...verifyFirst(begun.value, attempt, offer.release)],
  ];
}

/** Identifies the image: its release's signature, its MD5, or at least its length. */
const imageIdOf = (offer: PushOffer): string =>
  (offer.release && endOfRelease(offer.release)) ?? md5Of(offer) ?? `${offer.sizeBytes}`;

const md5Of = ({ espota, mesh }: PushOffer): string | undefined => espota?.md5 ?? mesh?.md5;

const withoutRelease = ({ release: _, ...offer }: PushOffer): PushOffer => offer;

const withFreed = (freed: readonly Effect[], [state, effects]: Step): Step => [state, [...freed, ...effects]];

/** A pushed release is signed, unless there is a failure. */
export function pushVerified(
  state: UpdateState,
  { offer, release }: Pick<Extract<Unverified, { readonly kind: "push" }>, "offer" | "release">,
  event: Stamped,
  failure: Failure | undefined,
): Step {
  const { boot } = state;
  if (!boot) return [state, []];
  if (failure) return refusePush(state, offer, failure, event.random);
  const [clock, keeping] = provedAfter(state.clock, release.created, event.at);
  return withFreed(keeping, releaseVerified({ ...state, clock }, { offer, release }, boot, event));
}

function releaseVerified(
  state: UpdateState,
  { offer, release }: Pick<Extract<Unverified, { readonly kind: "push" }>, "offer" | "release">,
  boot: Booted,
  event: Stamped,
): Step {
  const checked = checkRelease(release, targetOf(state, boot, event.at));
  if (!checked.ok) return refusePush(state, offer, checked.failure, event.random);
  const { size } = checked.value;
  if (size !== offer.sizeBytes && !offer.mesh) {
    const message = `body is ${offer.sizeBytes} bytes, its release says ${size}`;
    return refusePush(state, offer, { code: "IMAGE_MISMATCH", message }, event.random);
  }
  const { sha256 = checked.value.sha256 } = offer;
  if (sha256 !== checked.value.sha256) {
    const message = "the release is of another image than the one that the answer to the challenge is about";
    return refusePush(state, offer, { code: "IMAGE_MISMATCH", message }, event.random);
  }
  return startPush(state, offer, checked.value);
}

/** Nothing was written. */
function refusePush(state: UpdateState, offer: PushOffer, failure: Failure, random: number): Step {
  const idle = enter(state, { phase: "idle" });
  return [
    idle,
    [
      { type: "log", level: "error", message: `pushed image refused: ${failure.message} [${failure.code}]` },
      answer(offer, pushStatus(failure.code), failure.message),
      nextCheck(idle, random),
    ],
  ];
}

/** Asks the sender for the body. */
function startPush(state: UpdateState, offer: PushOffer, release: Release | undefined): Step {
  if (!state.boot) return [state, []];
  const attempt = nextAttempt(state);
  const sizeBytes = release?.size ?? offer.sizeBytes;
  const hold = offer.hold === true;
  const job: Job = {
    source: {
      kind: "push",
      connection: offer.connection,
      acknowledged: offer.espota !== undefined,
      ...(offer.isJson ? { isJson: true } : {}),
      ...(offer.mesh ? { isSlow: true } : {}),
      ...(hold ? { isUpload: true } : {}),
    },
    release: release ?? unsignedRelease(state.boot.identity, sizeBytes, offer.sha256),
    signed: release !== undefined,
    md5: md5Of(offer),
    ...FRESH_JOB,
    hold,
    rangeEnd: sizeBytes,
    wholeOnly: true,
  };
  const { connection, espota } = offer;
  return [
    enter(state, { phase: "streaming", attempt, job, staged: undefined }),
    [
      ...(state.staged ? discardStaged(state.attempt) : []),
      {
        type: "log",
        level: "info",
        message: `receiving a pushed image of ${offer.mesh ? "at most " : ""}${sizeBytes} bytes, ${release?.version ?? "unsigned"}`,
      },
      { type: "setTimer", timer: "transfer", delayMs: STALL_MS },
      ...(espota
        ? ([
            { type: "sendDatagram", address: espota.address, port: espota.replyPort, text: "OK" },
            { type: "connectPush", connection, address: espota.address, port: espota.port },
          ] as const)
        : ([{ type: "continuePush", connection }] as const)),
    ],
  ];
}

const NO_BYTES = new Uint8Array(0);

/** What is known of an image without a release; version and build follow with its description. */
const unsignedRelease = ({ type, hardware, chip }: Identity, size: number, sha256 = ""): Release => ({
  type,
  hardware,
  chip,
  version: "",
  parsedVersion: readRunningVersion(""),
  build: 0,
  size,
  sha256,
  imageSha256: "",
  chunkSize: SECTOR_BYTES,
  digestsOf: "nothing",
  digests: NO_BYTES,
  securityVersion: 0,
  protocolVersion: 0,
  created: 0,
});

/** An answer before there is a job. */
export const answer = (
  { connection, espota, isJson, hold }: PushOffer,
  status: number,
  message: string,
): Effect =>
  espota
    ? { type: "sendDatagram", address: espota.address, port: espota.replyPort, text: espotaError(message) }
    : {
        type: "answerPush",
        connection,
        response: hold ? uploadAnswer(status, message) : refusal(isJson === true, status, message),
      };

/** The answer when the image is armed. */
export function pushSucceeded(state: UpdateState, source: PushSource, { version, build }: Release): Effect {
  const { connection } = source;
  if (source.acknowledged) return { type: "answerPush", connection, response: plain(200, "OK") };
  if (!source.isJson) return { type: "answerPush", connection, response: plain(200, SUCCESS) };
  const slot = state.boot?.target?.label ?? "";
  const body = JSON.stringify({ ok: true, version, build, slot, restart_ms: PUSH_RESTART_DELAY_MS });
  const headers = { "content-type": "application/json" };
  return { type: "answerPush", connection, response: { status: 200, headers, body } };
}

/** What scripts for other devices look for. */
const SUCCESS = "OTA update successful, rebooting...\n";

/** The answer when the image is staged. */
export const pushStaged = (
  { connection }: PushSource,
  { type, size, sha256 }: Release,
  { version, build, imageSha256 }: StagedImage,
): Effect => ({
  type: "answerPush",
  connection,
  response: uploadAnswer(200, `${version} is staged: install it now, or upload another`, {
    size,
    version,
    build,
    type,
    ...(sha256 === "" ? {} : { sha256 }),
    imageSha256,
  }),
});

/** The answer when the running firmware stays. */
export const pushFailed = (source: PushSource, { code, message }: Failure): Effect => ({
  type: "answerPush",
  connection: source.connection,
  response: source.acknowledged
    ? plain(pushStatus(code), espotaError(message))
    : source.isUpload
      ? uploadAnswer(pushStatus(code), message, { code })
      : refusal(source.isJson === true, pushStatus(code), message),
});

/** espota prints the text as it is, and takes any OK in it for success. */
const espotaError = (message: string) => `ERROR: ${message.replaceAll("OK", "ok")}`;

const plain = (status: number, body: string): HttpResponse => ({
  status,
  headers: { "content-type": "text/plain; charset=utf-8" },
  body,
});

/** As an HTTP status: 422 for a wrong image or release, 5xx for a failure of the device. */
const pushStatus = (code: UpdateErrorCode): number => STATUS[code] ?? 422;
const STATUS: Readonly<Partial<Record<UpdateErrorCode, number>>> = Object.freeze({
  IMAGE_TOO_LARGE: 413,
  OFFER_CRASHES: 409,
  ABANDONED: 409,
  BODY_TRUNCATED: 400,
  CONNECT_FAILED: 400,
  SERVER_STALLED: 408,
  FLASH_FAILED: 500,
  ARM_FAILED: 500,
});
