// From an offer to a job: parses the release, has its signature verified, checks whether it fits this device. Nothing is written to the
// slot before that. The manifest itself is not kept: only its fields are, and the text goes along with the effect that verifies it.

import { provedAfter, toldAt } from "../clock.js";
import type { Failure, Result } from "../errors.js";
import type { Stamped } from "../event.js";
import { checkFresh } from "../trust/freshness.js";
import { MAX_LISTING_RELEASE_LENGTH, MAX_RELEASE_LENGTH, ROOTS_PATH } from "../wire.js";
import type { OfferAnswer } from "./check-answer.js";
import { rulingAt } from "./freshness-update.js";
import { resume } from "./install.js";
import { FRESH_JOB, type Job } from "./job.js";
import { describeBlock, isBlocked, noteOffer, suspectOf } from "./offer-crashes.js";
import { absoluteUrl, offeredAddress } from "./offered-address.js";
import { pushVerified } from "./pushed-update.js";
import { checkRelease, parseRelease, type Release, type SignedRelease } from "./release.js";
import { isReserved } from "./reservation.js";
import { fetchRoot, mayFetchRoot } from "./root-update.js";
import { HELD_BACK, holdBack } from "./setbacks.js";
import { noSlotFailure } from "./slot-support.js";
import { discardStaged, isStagedAs, type Staged } from "./staged.js";
import { commit } from "./staging.js";
import {
  endOfRelease,
  enter,
  errorFields,
  nextAttempt,
  nextCheck,
  type Offer,
  type Refused,
  type Reservation,
  report,
  type Step,
  targetOf,
  type Unverified,
  type UpdateState,
  withOfferCrashes,
} from "./state.js";
import { afterSignature, beginVerification, type Verification, verifyFirst } from "./verification.js";

export function evaluateOffer(
  state: UpdateState,
  answer: OfferAnswer,
  answerBytes: number,
  at: number,
  random: number,
): Step {
  const offer = offerOf(answer);
  if (state.reserved && !answer.hold) return waitForSystem(state, offer, state.reserved, random);
  if (at < state.downloadsFromMs) return waitForServer(state, offer, at, random);
  const problem = addressProblem(state.server, answer);
  if (problem !== undefined) return refuse(state, offer, problem, random);
  const noSlot = state.boot && noSlotFailure(state.boot);
  if (noSlot) return refuse(state, offer, noSlot, random);
  // with pages of digests a manifest is short: a longer one is not even decoded
  const isPaged = answer.digests_url !== undefined;
  const maxLength = isPaged ? MAX_RELEASE_LENGTH : MAX_LISTING_RELEASE_LENGTH;
  const parsed = parseRelease(answer.release, maxLength);
  if (!parsed.ok) return refuse(state, offer, parsed.failure, random);
  return judgeRelease(state, { answer, answerBytes, offer, signed: parsed.value }, at, random);
}

/** An offer whose release can be read. */
interface Legible {
  readonly answer: OfferAnswer;
  readonly answerBytes: number;
  readonly offer: Offer;
  readonly signed: SignedRelease;
}

/** Not part of evaluateOffer: what it keeps would lie in XS's stack while the release is parsed, which is the deepest of all. */
function judgeRelease(
  state: UpdateState,
  { answer, answerBytes, offer, signed }: Legible,
  at: number,
  random: number,
): Step {
  const { blockedImage, staged } = state;
  const { imageSha256 } = signed.release;
  if (state.reserved && isReserved(state, imageSha256, answer.hold))
    return waitForSystem(state, offer, state.reserved, random);
  if (isStagedAs(staged, imageSha256))
    return answer.hold ? [state, [nextCheck(state, random)]] : commit(state, imageSha256);
  if (staged?.from === "push" && at - staged.sinceMs < UPLOAD_FIRST_MS)
    return waitForUpload(state, offer, staged, random);
  if (blockedImage?.imageSha256 === imageSha256 && isInForce(blockedImage, answer, at))
    return [state, [nextCheck(state, random)]];
  const suspect = suspectOf(answer.firmware_id, imageSha256, answerBytes);
  if (isBlocked(state.offerCrashes, suspect, toldAt(state.clock, at), at)) {
    const message = `update to ${answer.version} is skipped: ${describeBlock(suspect)}`;
    return [state, [{ type: "log", level: "warn", message }, nextCheck(state, random)]];
  }
  const [setbacks, holding, isHeldBack] = holdBack(state.setbacks, imageSha256, toldAt(state.clock, at), at);
  if (isHeldBack) {
    const message = `update to ${answer.version} is skipped: ${HELD_BACK}`;
    return [
      { ...state, setbacks },
      [{ type: "log", level: "warn", message }, ...holding, nextCheck(state, random)],
    ];
  }
  const begun = beginVerification(state.trust, signed.signatures, answer.release);
  if (!begun.ok) return refuse(state, offer, begun.failure, random);
  const attempt = nextAttempt(state);
  const { release } = signed;
  const [noted, noting] = withOfferCrashes({ ...state, setbacks }, noteOffer(state.offerCrashes, suspect));
  return [
    enter(noted, {
      phase: "verifying",
      attempt,
      unverified: { kind: "server", offer, release, verification: begun.value },
    }),
    [...holding, ...noting, ...verifyFirst(begun.value, attempt, answer.release)],
  ];
}

/** Where the image comes from, the last attempt was told to come back later: nothing is begun until then. */
function waitForServer(state: UpdateState, { version }: Offer, at: number, random: number): Step {
  const seconds = Math.ceil((state.downloadsFromMs - at) / 1000);
  const message = `update to ${version} waits ${seconds} s more, as its server has asked`;
  return [state, [{ type: "log", level: "info", message }, nextCheck(state, random)]];
}

/** The slot is not free. The server hears nothing of it: its offer is as good after that. */
const waitForSystem = (
  state: UpdateState,
  { version }: Offer,
  { reason }: Reservation,
  random: number,
): Step => [
  state,
  [
    { type: "log", level: "info", message: `update to ${version} waits: ${reason}` },
    nextCheck(state, random),
  ],
];

/**
 * What was rolled back by a person's word waits for another release; but who leads several devices offers it to be held only when a person wants
 * it once more.
 */
const isInForce = (
  { untilMs }: NonNullable<UpdateState["blockedImage"]>,
  { hold }: OfferAnswer,
  at: number,
): boolean => at < untilMs && !(hold && untilMs === Number.POSITIVE_INFINITY);

/** What a person has uploaded to install it next is not replaced by what a server offers, for this time. */
const UPLOAD_FIRST_MS = 3_600_000;

const waitForUpload = (state: UpdateState, offer: Offer, staged: Staged, random: number): Step => [
  state,
  [
    {
      type: "log",
      level: "info",
      message: `update to ${offer.version} waits, because ${staged.version} was uploaded and is staged`,
    },
    nextCheck(state, random),
  ],
];

export const offerOf = (answer: OfferAnswer): Offer => ({
  firmwareId: answer.firmware_id,
  version: answer.version,
  build: answer.build_number,
  downloadUrl: answer.download_url,
  digestsUrl: answer.digests_url,
  releaseEnd: endOfRelease(answer.release),
  ...(answer.hold ? { hold: true } : {}),
});

export function signatureVerified(
  state: UpdateState,
  unverified: Unverified,
  event: Stamped & { readonly good: boolean },
): Step {
  const after = afterSignature(unverified.verification, event.good);
  if (after.ok && after.value !== "signed") return verifyNext(state, unverified, after.value);
  if (unverified.kind === "push")
    return pushVerified(state, unverified, event, after.ok ? undefined : after.failure);
  const { offer, release } = unverified;
  const { boot } = state;
  if (!boot) return [state, []];
  if (!after.ok) return refuse(state, offer, after.failure, event.random);
  const { created, expires } = release;
  const [clock, keeping] = provedAfter(state.clock, created, event.at);
  const ruled = checkFresh(rulingAt(state, event.at), release);
  const checked: Result<Release> = ruled.ok
    ? checkRelease(release, targetOf({ ...state, clock }, boot, event.at))
    : ruled;
  if (!checked.ok) {
    const [idle, effects] = refuse({ ...state, clock }, offer, checked.failure, event.random, expires);
    const { root } = idle.trust;
    const [next, fetching] =
      root && checked.failure.code === "ROOT_TOO_OLD" && mayFetchRoot(idle, event.at)
        ? fetchRoot(idle, `${idle.server}${ROOTS_PATH}${root.version + 1}`)
        : ([idle, []] as const);
    return [next, [...keeping, ...effects, ...fetching]];
  }
  const job: Job = {
    source: {
      kind: "server",
      firmwareId: offer.firmwareId,
      url: absoluteUrl(state.server, offer.downloadUrl),
      digestsUrl: offer.digestsUrl && absoluteUrl(state.server, offer.digestsUrl),
      releaseEnd: offer.releaseEnd,
    },
    release: checked.value,
    signed: true,
    md5: undefined,
    ...FRESH_JOB,
    hold: offer.hold === true,
  };
  const verified: UpdateState = { ...state, clock, staged: undefined };
  const [next, effects] = resume(verified, job);
  return [
    next,
    [
      ...keeping,
      ...(state.staged ? discardStaged(state.attempt) : []),
      {
        type: "log",
        level: "info",
        message: `updating to ${offer.version} build ${offer.build}, ${checked.value.size} bytes`,
      },
      ...report(verified, job, { status: "downloading", step: "verified", bytes_downloaded: 0 }),
      ...effects,
    ],
  ];
}

/** The release has to be signed by one more key. */
function verifyNext(state: UpdateState, unverified: Unverified, verification: Verification): Step {
  const attempt = nextAttempt(state);
  return [
    enter(state, { phase: "verifying", attempt, unverified: { ...unverified, verification } }),
    verifyFirst(verification, attempt, unverified.verification.manifest),
  ];
}

/** Why an offer's addresses cannot be used. */
function addressProblem(
  server: string,
  { download_url, digests_url }: OfferAnswer,
): Failure<"RESPONSE_MALFORMED"> | undefined {
  const all = [
    ["download_url", download_url],
    ["digests_url", digests_url],
  ] as const;
  for (const [field, url] of all) {
    const read = url === undefined ? undefined : offeredAddress(server, url);
    if (read && !read.ok)
      return { code: "RESPONSE_MALFORMED", message: `${field} of the offer: ${read.failure.message}` };
  }
  return undefined;
}

/**
 * Nothing was written, and another download would not help: reported once, not tried again until something else is offered, or by another
 * clock it has not expired.
 */
function refuse(
  state: UpdateState,
  offer: Offer,
  failure: Failure,
  random: number,
  expires?: number | undefined,
): Step {
  const { firmwareId, releaseEnd } = offer;
  const isFinal = failure.code !== "RELEASE_EXPIRED" && failure.code !== "FRESHNESS_MISSING";
  const refused: Refused = isFinal ? { firmwareId, releaseEnd } : { firmwareId, releaseEnd, expires };
  const idle = enter(state, { phase: "idle", refused });
  return [
    idle,
    [
      {
        type: "log",
        level: "error",
        message: `update to ${offer.version} refused: ${failure.message} [${failure.code}]`,
      },
      ...report(idle, offer, {
        status: "failed",
        step: "refused",
        ...errorFields(failure.code, failure.message),
      }),
      { type: "raise", event: { type: "updateFailed", ...failure } },
      nextCheck(idle, random),
    ],
  ];
}
