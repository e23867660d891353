// The check: sends the server what the device is and what runs, reads the answer, and passes an offer on. It checks only the shape of the
// answer; offer.ts decides about an offer. An answer that is too long is not read at all.

import { spreadMs } from "../backoff.js";
import { heardAt, tell, timeAt, toldAt } from "../clock.js";
import type { Effect } from "../effect.js";
import type { Failure, TlsErrorCode } from "../errors.js";
import type { Raise, ServerTokens, Stamped } from "../event.js";
import { announcedBytes, announcedOffer } from "../http/answer-head.js";
import { retryAfterMs } from "../http/retry-after.js";
import {
  atFirst,
  dropUnstored,
  jsonHeaders,
  otherwise,
  proveShown,
  shownAt,
  type TokenStep,
  takeToken,
} from "../server/server-token.js";
import { resetCause } from "../trial/restart-cause.js";
import { datingTime } from "../trust/freshness.js";
import { type CheckRequest, MAX_CHECK_RESPONSE_BYTES, type OrderResult } from "../wire.js";
import { type CheckAnswer, type OfferAnswer, readCheckAnswer } from "./check-answer.js";
import {
  askFreshness,
  isStatementDue,
  lacksStatement,
  watchFreshness,
  withChance,
} from "./freshness-update.js";
import { evaluateOffer, offerOf } from "./offer.js";
import {
  dateBlock,
  describeBlock,
  isBlockedUnread,
  MAX_PLAIN_ANSWER_BYTES,
  noteOffer,
  type Suspect,
  suspectOf,
} from "./offer-crashes.js";
import { absoluteUrl } from "./offered-address.js";
import { mayStart } from "./reservation.js";
import { revert } from "./revert.js";
import { fetchRoot, mayFetchRoot } from "./root-update.js";
import { isStagedAs } from "./staged.js";
import { abandon, commit } from "./staging.js";
import {
  endOfRelease,
  enter,
  nextAttempt,
  nextCheck,
  type OwnPace,
  STALL_MS,
  type Step,
  type UpdateState,
  withOfferCrashes,
} from "./state.js";

const MIN_POLL_SECONDS = 10;
const MAX_POLL_SECONDS = 86_400;

export function check(state: UpdateState, freeHeapBytes: number, at: number, random: number): Step {
  if (state.server === "") return [state, [nextCheck(state, random)]];
  const serverTokens = atFirst(state.serverTokens);
  const [watched, watching] = watchFreshness(withChance(state, random), at);
  const [next, asked] = ask({ ...watched, serverTokens }, freeHeapBytes);
  return [next, [...watching, ...announceTokens(serverTokens, state.serverTokens), ...asked]];
}

function ask(state: UpdateState, freeHeapBytes: number): Step {
  const attempt = nextAttempt(state);
  return [
    enter(state, { phase: "checking", attempt }),
    [
      { type: "log", level: "debug", message: `checking ${state.server} for updates` },
      {
        type: "startRequest",
        attempt,
        request: {
          method: "POST",
          url: `${state.server}/api/ota/check`,
          headers: jsonHeaders(state.server, state.serverTokens, state.boot?.build),
          body: JSON.stringify(checkRequest(state, freeHeapBytes)),
        },
      },
      { type: "setTimer", timer: "transfer", delayMs: STALL_MS },
    ],
  ];
}

function checkRequest(state: UpdateState, freeHeapBytes: number): CheckRequest | undefined {
  if (!state.boot) return undefined;
  const { identity, image } = state.boot;
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
    reset_reason: resetCause(state.boot),
    free_heap: freeHeapBytes,
    ...(state.rssi === 0 ? {} : { rssi: state.rssi }), // none on a cable
    address: state.address,
    check_seconds: state.checkSeconds,
    ...(state.trust.root ? { root_version: state.trust.root.version } : {}),
    ...(state.freshness.isFrozen ? { frozen: true } : {}),
    ...(state.rootRefused === "" ? {} : { root_refused: state.rootRefused }),
    // not on trial: the firmware that it may roll back to might not support tokens, and would be refused
    ...(state.onTrial ? {} : { keeps_token: true }),
    ...(state.staged ? { staged_sha256: state.staged.imageSha256 } : {}),
    ...(state.abilitiesDigest === "" ? {} : { abilities_digest: state.abilitiesDigest }),
    ...(state.orderResults.length > 0 ? { order_results: state.orderResults } : {}),
    ...state.readings,
  };
}

/**
 * The result of an order is sent soon, because a person waits for it; but no sooner than two checks may follow each other, so that endless
 * orders cannot make a device check without pause. During an update it waits for the check after it.
 */
export function orderFinished(state: UpdateState, result: OrderResult): Step {
  const soon: Effect = { type: "setTimer", timer: "check", delayMs: MIN_POLL_SECONDS * 1000 };
  const orderResults = [...state.orderResults, result];
  return [{ ...state, orderResults }, state.phase === "idle" ? [soon] : []];
}

export function checkingStep(state: UpdateState, event: Stamped): Step {
  switch (event.type) {
    case "responseStarted":
      return answerStarted(withChance(state, event.random), event);
    case "textCollected":
      return checkAnswered(state, event);
    case "responseEnded":
      return checkFailed(state, event.random, "the answer ended early");
    default:
      return [state, []];
  }
}

function answerStarted(
  state: UpdateState,
  { status, headers, at, random, freeHeapBytes }: Stamped & { readonly type: "responseStarted" },
): Step {
  const serverTokens = status === 401 ? otherwise(state.serverTokens, state.server) : undefined;
  if (serverTokens) return askAgain({ ...state, serverTokens }, freeHeapBytes);
  if (status !== 200) {
    // a trial that waited would be rolled back
    const waitMs = state.onTrial ? 0 : retryAfterMs(headers, toldAt(state.clock, at));
    return checkRefused(state, status, waitMs, at, random);
  }
  const sizeBytes = announcedBytes(headers) ?? MAX_CHECK_RESPONSE_BYTES;
  if (sizeBytes > MAX_CHECK_RESPONSE_BYTES) {
    const message = `the answer is ${sizeBytes} bytes, at most ${MAX_CHECK_RESPONSE_BYTES} are read`;
    return checkFailed(state, random, message);
  }
  const collect: Effect = {
    type: "collectResponse",
    attempt: state.attempt,
    maxBytes: sizeBytes,
    as: "text",
  };
  const offer = announcedOffer(headers);
  const isPlain = sizeBytes <= MAX_PLAIN_ANSWER_BYTES || (!offer && announcedBytes(headers) === undefined);
  if (isPlain) return [state, [collect]];
  const suspect = suspectOf(offer?.firmwareId, "", sizeBytes);
  if (isBlockedUnread(state.offerCrashes, suspect, heardAt(state.clock, offer?.time, at), at))
    return skipAnswer(state, suspect, offer, at, random);
  const [noted, noting] = withOfferCrashes(state, noteOffer(state.offerCrashes, suspect));
  return [noted, [...noting, collect]];
}

/** The server has refused one of two tokens: it is shown the other one at once, because a device that sleeps forgets which it was. */
function askAgain(state: UpdateState, freeHeapBytes: number): Step {
  const [next, asked] = ask(state, freeHeapBytes);
  return [
    next,
    [
      { type: "log", level: "warn", message: "server answered 401: trying the other token" },
      { type: "closeRequest", attempt: state.attempt },
      raiseTokens(state.serverTokens),
      ...asked,
    ],
  ];
}

/** `waitMs`: what the server asks for. Whatever would check sooner, waits. */
function checkRefused(state: UpdateState, status: number, waitMs: number, at: number, random: number): Step {
  const reason = describeRefusal(state, status);
  const dropped = dropOrderResults(state, status);
  if (waitMs === 0) return checkFailed(dropped, random, reason);
  const held: UpdateState = { ...dropped, checksFromMs: at + spreadMs(waitMs, random) };
  return checkFailed(held, random, `${reason}, and asks to wait ${waitMs / 1000} s`);
}

/** Only that the server has answered counts, and its time. */
function skipAnswer(
  state: UpdateState,
  suspect: Suspect,
  offer: ReturnType<typeof announcedOffer>,
  at: number,
  random: number,
): Step {
  const idle = enter(state, { phase: "idle", isAnswered: true });
  const [next, dating] = offer ? setClock(idle, offer.time, at) : ([idle, []] as const);
  return [
    next,
    [
      { type: "log", level: "warn", message: `the answer is not read: ${describeBlock(suspect)}` },
      ...dating,
      ...closeAnswered(state),
      nextCheck(next, random),
    ],
  ];
}

const closeAnswered = ({ attempt }: UpdateState): readonly (Effect | Raise)[] => [
  { type: "clearTimer", timer: "transfer" },
  { type: "closeRequest", attempt },
  { type: "raise", event: { type: "serverReached" } },
];

function setClock(state: UpdateState, time: number, at: number): readonly [UpdateState, readonly Effect[]] {
  const [clock, keeping] = tell(state.clock, time, at);
  const [next, dating] = withOfferCrashes(
    { ...state, clock },
    dateBlock(state.offerCrashes, toldAt(clock, at), at),
  );
  return [next, [...keeping, ...dating]];
}

function checkAnswered(state: UpdateState, { at, random, text }: Stamped & { readonly text: string }): Step {
  const answer = readCheckAnswer(text);
  if (!answer) return checkFailed(state, random, "the answer is malformed");
  const [timed, dating] = setClock(state, answer.time, at);
  const [serverTokens, keeping] = tokensAfter(state, answer);
  const polled = enter(timed, {
    phase: "idle",
    isAnswered: true,
    checkSeconds: intervalOf(state.ownPace, answer),
    // the server has taken those of this check, and none come up during a check
    orderResults: [],
    rootRefused: "",
    serverTokens,
  });
  // here, not in a function of its own: what follows an offer is the deepest in XS's stack
  const rootUrl = mayFetchRoot(polled, at) ? answer.root_url : undefined;
  const hasWord = answer.abandon || answer.revert !== undefined;
  const offered = !hasWord && isInstallable(polled, answer, at) ? answer : undefined;
  const isFreshFirst = offered
    ? lacksStatement(polled, at)
    : !hasWord && answer.commit === undefined && isStatementDue(polled, at);
  const [next, effects] =
    rootUrl !== undefined
      ? fetchRoot(polled, absoluteUrl(polled.server, rootUrl))
      : isFreshFirst
        ? askFreshness(withChance(polled, random), offered && offerOf(offered), at, random)
        : offered
          ? evaluateOffer(polled, offered, text.length, at, random)
          : actOn(polled, answer, at, random);
  return [
    next,
    [
      ...dating,
      ...keeping,
      ...announceTokens(serverTokens, state.serverTokens),
      ...closeAnswered(state),
      ...effects,
      // after the offer: what it starts decides which orders may be carried out now
      ...raiseOrders(answer),
      ...(answer.tell_abilities ? ASK_ABILITIES : []),
    ],
  ];
}

const ASK_ABILITIES: readonly Raise[] = Object.freeze([
  Object.freeze({ type: "raise", event: Object.freeze({ type: "abilitiesAsked" }) } as const),
]);

const isInstallable = (state: UpdateState, answer: CheckAnswer, at: number): answer is OfferAnswer =>
  answer.update_available &&
  !state.onTrial &&
  !isStagedAs(state.staged, answer.commit ?? "") &&
  !isRefused(state, answer, at);

/**
 * What an answer asks for that brings nothing to install: to give up what is staged, to go back, to start what is staged. An offer beside that
 * comes again.
 */
function actOn(state: UpdateState, answer: CheckAnswer, at: number, random: number): Step {
  const [free, dropping] = answer.abandon ? abandon(state, "the server has said so", random) : [state, []];
  const mayRevert = answer.revert !== undefined && timeAt(free.clock, at) < free.undoUntil;
  const [reverting, going] = mayRevert ? revert(free, answer.revert) : [free, []];
  if (reverting.phase === "reverting") return [reverting, [...dropping, ...going]];
  if (isStagedAs(free.staged, answer.commit ?? "") && mayStart(free))
    return commit(free, answer.commit ?? "");
  return [free, [...dropping, ...going, nextCheck(free, random)]];
}

/** A 401 usually means that the device was flashed again, and its log is where a person looks first. */
function describeRefusal({ server, serverTokens, boot }: UpdateState, status: number): string {
  if (status !== 401) return `server answered ${status}`;
  const found = shownAt(serverTokens, server)
    ? "does not take this device's token"
    : "requires a token that this device does not have";
  return `server answered 401: it ${found}. If the device was flashed again, forget the old token on the server: on the device's page there, or by "skyslot registration forget-token ${boot?.identity.deviceId ?? ""}"`;
}

const raiseOrders = ({ orders }: CheckAnswer): readonly Raise[] =>
  orders ? [{ type: "raise", event: { type: "ordersReceived", orders } }] : [];

/** Whatever a server rejects in results must not keep a device from its updates: the server sends the orders again. */
function dropOrderResults(state: UpdateState, status: number): UpdateState {
  const isRefused = status >= 400 && status < 500 && status !== 429;
  return isRefused && state.orderResults.length > 0 ? { ...state, orderResults: [] } : state;
}

/** An answer that brings another token does not prove the one that was shown: the server may not know it. */
function tokensAfter(
  { server, serverTokens, onTrial }: UpdateState,
  { device_token: token }: CheckAnswer,
): TokenStep {
  if (token === undefined) return proveShown(serverTokens, server);
  return onTrial ? [serverTokens, []] : takeToken(serverTokens, { server, token });
}

const announceTokens = (after: ServerTokens, before: ServerTokens): readonly Raise[] =>
  after === before ? [] : [raiseTokens(after)];

const raiseTokens = (serverTokens: ServerTokens): Raise => ({
  type: "raise",
  event: { type: "serverTokensChanged", serverTokens },
});

/** What cannot be kept is not shown. */
export function tokenNotStored(state: UpdateState): Step {
  const serverTokens = dropUnstored(state.serverTokens);
  return [{ ...state, serverTokens }, announceTokens(serverTokens, state.serverTokens)];
}

/** Refused before, for a reason that is still good: what has expired by one server's clock may be good by the next answer's. */
function isRefused({ refused, trust, clock }: UpdateState, offer: OfferAnswer, at: number): boolean {
  if (refused?.firmwareId !== offer.firmware_id || refused.releaseEnd !== endOfRelease(offer.release))
    return false;
  return refused.expires === undefined || datingTime(trust, clock, at) > refused.expires;
}

/** An interval set for this device has priority over the server's default, unless the server's is for all devices. */
const intervalOf = ({ seconds, isChosen }: OwnPace, answer: CheckAnswer): number =>
  (isChosen && answer.poll_is_for_all !== true ? undefined : boundedInterval(answer.poll_seconds)) ?? seconds;

const boundedInterval = (seconds: number | undefined) =>
  seconds === undefined
    ? undefined
    : Math.min(MAX_POLL_SECONDS, Math.max(MIN_POLL_SECONDS, Math.round(seconds)));

/** @param tls why, if that was TLS */
export function checkFailed(
  state: UpdateState,
  random: number,
  message: string,
  tls?: Failure<TlsErrorCode>,
): Step {
  const idle = enter(state, { phase: "idle" });
  return [
    idle,
    [
      { type: "log", level: "warn", message: `update check failed: ${message}` },
      { type: "clearTimer", timer: "transfer" },
      { type: "closeRequest", attempt: state.attempt },
      { type: "raise", event: tls ? { type: "serverMissed", tls } : { type: "serverMissed" } },
      nextCheck(idle, random),
    ],
  ];
}
