// The check: tells the server who asks and what runs, reads the answer, and hands an offer on. Trusts nothing in the answer but
// its shape; whether an offer is taken is update/offer.ts's business. An answer that is too long is not read at all.

import type { Effect } from "../effect.js";
import type { Raise, ServerToken, Stamped } from "../event.js";
import { announcedBytes, announcedOffer } from "../http/answer-head.js";
import { readOrders } from "../server/orders.js";
import { isServerToken, jsonHeaders, storeServerToken } from "../server/server-token.js";
import { resetCause } from "../trial/restart-cause.js";
import {
  type CheckRequest,
  MAX_CHECK_RESPONSE_BYTES,
  type NoUpdateResponse,
  type OrderResult,
  type UpdateResponse,
} from "../wire.js";
import { considerOffer } from "./offer.js";
import {
  beginOffer,
  dateHold,
  describeHold,
  isLeftUnread,
  MAX_PLAIN_ANSWER_BYTES,
  type Suspect,
  suspectOf,
} from "./offer-guard.js";
import { PUSHED } from "./record.js";
import {
  endOfRelease,
  enter,
  nextAttempt,
  nextCheck,
  type OfferAnswer,
  type OwnPace,
  STALL_MS,
  type Step,
  type UpdateState,
  withGuard,
} from "./state.js";

/** What a device reads of an answer. */
type Answer = NoUpdateResponse | OfferAnswer;

const MIN_POLL_SECONDS = 10;
const MAX_POLL_SECONDS = 86_400;

export function check(state: UpdateState, freeHeapBytes: number): Step {
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
          headers: jsonHeaders(state.server, state.serverToken, state.boot?.build),
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
    ...(state.rssi === 0 ? {} : { rssi: state.rssi }), // a cable has none
    address: state.address,
    check_seconds: state.checkSeconds,
    // Not on trial: the firmware that it may fall back to might not know of tokens, and be refused for it.
    ...(state.onTrial ? {} : { keeps_token: true }),
    ...(state.orderResults.length > 0 ? { order_results: state.orderResults } : {}),
    ...state.readings,
  };
}

/**
 * What became of an order is told soon: somebody waits for it. No sooner than any check may follow another: orders without end do not
 * make a device ask without pause. Nothing is lost where an update is under way: the check after it tells.
 */
export function orderJudged(state: UpdateState, result: OrderResult): Step {
  const soon: Effect = { type: "setTimer", timer: "check", delayMs: MIN_POLL_SECONDS * 1000 };
  const orderResults = [...state.orderResults, result];
  return [{ ...state, orderResults }, state.phase === "idle" ? [soon] : []];
}

export function checkingStep(state: UpdateState, event: Stamped): Step {
  switch (event.type) {
    case "responseStarted":
      return answerStarted(state, event);
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
  { status, headers, at, random }: Stamped & { readonly type: "responseStarted" },
): Step {
  if (status !== 200) return checkFailed(withoutRefused(state, status), random, refusal(state, status));
  const sizeBytes = announcedBytes(headers);
  if (sizeBytes === undefined) return checkFailed(state, random, "the answer does not say how long it is");
  if (sizeBytes > MAX_CHECK_RESPONSE_BYTES) {
    const message = `the answer is ${sizeBytes} bytes, at most ${MAX_CHECK_RESPONSE_BYTES} are read`;
    return checkFailed(state, random, message);
  }
  const collect: Effect = { type: "collectResponse", attempt: state.attempt, sizeBytes, as: "text" };
  if (sizeBytes <= MAX_PLAIN_ANSWER_BYTES) return [state, [collect]];
  const offer = announcedOffer(headers);
  const suspect = suspectOf(offer?.firmwareId ?? PUSHED, "", sizeBytes);
  if (isLeftUnread(state.guard, suspect, offer?.time, at))
    return leftUnread(state, suspect, offer, at, random);
  const [noted, noting] = withGuard(state, beginOffer(state.guard, suspect));
  return [noted, [...noting, collect]];
}

/** The server has answered, and that is all that is taken from it. */
function leftUnread(
  state: UpdateState,
  suspect: Suspect,
  offer: ReturnType<typeof announcedOffer>,
  at: number,
  random: number,
): Step {
  const idle = enter(state, { phase: "idle" });
  const [next, dating] = offer ? timeTold(idle, offer.time, at) : ([idle, []] as const);
  return [
    next,
    [
      { type: "log", level: "warn", message: `the answer is left unread: ${describeHold(suspect)}` },
      ...dating,
      ...answered(state),
      nextCheck(next, random),
    ],
  ];
}

const answered = ({ attempt }: UpdateState): readonly (Effect | Raise)[] => [
  { type: "clearTimer", timer: "transfer" },
  { type: "closeRequest", attempt },
  { type: "raise", event: { type: "serverReached" } },
];

const timeTold = (state: UpdateState, time: number, at: number) =>
  withGuard({ ...state, clock: { time, at } }, dateHold(state.guard, time));

function checkAnswered(state: UpdateState, { at, random, text }: Stamped & { readonly text: string }): Step {
  const answer = readCheckResponse(text);
  if (!answer) return checkFailed(state, random, "answer is not what a check is answered with");
  const [timed, dating] = timeTold(state, answer.time, at);
  const polled = enter(timed, {
    phase: "idle",
    checkSeconds: paceOf(state.ownPace, answer),
    // The server has taken those of this check: nothing is judged while a check is under way.
    orderResults: [],
    ...given(state, answer),
  });
  const reached: readonly (Effect | Raise)[] = [
    ...dating,
    ...keep(polled.serverToken, state.serverToken),
    ...answered(state),
  ];
  const [next, effects] =
    !answer.update_available || state.onTrial || isRefused(state, answer)
      ? [polled, [nextCheck(polled, random)]]
      : considerOffer(polled, answer, text.length, at, random);
  // Behind an offer: what it begins decides what may be done meanwhile.
  return [next, [...reached, ...effects, ...ordered(answer)]];
}

/** Most of the time a device is refused because it was flashed anew: its log is where somebody looks first. */
function refusal({ server, serverToken, boot }: UpdateState, status: number): string {
  if (status !== 401) return `server answered ${status}`;
  const found =
    serverToken?.server === server
      ? "does not take this device's token"
      : "wants a token that this device does not have";
  return `server answered 401: it ${found}. If the device was flashed anew, forget the old token on the server: on the device's page there, or by "skyslot registration forget-token ${boot?.identity.deviceId ?? ""}"`;
}

const ordered = ({ orders }: Answer): readonly Raise[] =>
  orders ? [{ type: "raise", event: { type: "ordersReceived", orders } }] : [];

/** Whatever a server may find wrong with results, they never stand between a device and its updates: it sends the orders again. */
function withoutRefused(state: UpdateState, status: number): UpdateState {
  const isRefused = status >= 400 && status < 500 && status !== 429;
  return isRefused && state.orderResults.length > 0 ? { ...state, orderResults: [] } : state;
}

const given = ({ server, onTrial }: UpdateState, { device_token: token }: Answer) =>
  token === undefined || onTrial ? {} : { serverToken: { server, token } };

/** Stored before anything is sent with it. */
const keep = (
  token: ServerToken | undefined,
  before: ServerToken | undefined,
): readonly (Effect | Raise)[] =>
  token === undefined || token === before
    ? []
    : [storeServerToken(token), { type: "raise", event: { type: "serverTokenGiven", serverToken: token } }];

const isRefused = (state: UpdateState, offer: OfferAnswer) =>
  state.refused?.firmwareId === offer.firmware_id && state.refused.releaseEnd === endOfRelease(offer.release);

/** What was chosen for this device wins over the server's default, unless the server means everybody. */
const paceOf = ({ seconds, isChosen }: OwnPace, answer: Answer): number =>
  (isChosen && answer.poll_is_for_all !== true ? undefined : boundedPoll(answer.poll_seconds)) ?? seconds;

const boundedPoll = (seconds: number | undefined) =>
  seconds === undefined
    ? undefined
    : Math.min(MAX_POLL_SECONDS, Math.max(MIN_POLL_SECONDS, Math.round(seconds)));

/** The answer, if every field that we use has its type and a sane size. */
function readCheckResponse(text: string): Answer | undefined {
  let value: Partial<Record<keyof UpdateResponse, unknown>>;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || typeof value.time !== "number") return undefined;
  const { time, poll_seconds, device_token } = value;
  if (poll_seconds !== undefined && typeof poll_seconds !== "number") return undefined;
  const orders = readOrders(value.orders);
  const more = {
    time,
    ...(orders.length > 0 ? { orders } : {}),
    ...(poll_seconds === undefined ? {} : { poll_seconds }),
    ...(value.poll_is_for_all === true ? { poll_is_for_all: true } : {}),
    ...(isServerToken(device_token) ? { device_token } : {}),
  };
  if (value.update_available === false) return { update_available: false, ...more };
  const offer = value.update_available === true ? readOffer(value) : undefined;
  return offer && { update_available: true, ...more, ...offer };
}

function readOffer(
  value: Partial<Record<keyof UpdateResponse, unknown>>,
): Omit<OfferAnswer, "update_available" | "time"> | undefined {
  const { firmware_id, version, build_number = 0, download_url, digests_url, release } = value;
  if (!isCount(firmware_id) || firmware_id === PUSHED || !isCount(build_number)) return undefined;
  if (!isText(version, MAX_VERSION_LENGTH) || !isText(download_url, MAX_URL_LENGTH)) return undefined;
  // how long a manifest may be depends on its format: parseRelease says so, and the server is told
  if (typeof release !== "string") return undefined;
  const offer = { firmware_id, version, build_number, download_url, release };
  if (digests_url === undefined) return offer;
  return isText(digests_url, MAX_URL_LENGTH) ? { ...offer, digests_url } : undefined;
}

const MAX_VERSION_LENGTH = 48;
const MAX_URL_LENGTH = 500;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isText = (value: unknown, maxLength: number): value is string =>
  typeof value === "string" && value.length <= maxLength;

export function checkFailed(state: UpdateState, random: number, message: string): Step {
  const idle = enter(state, { phase: "idle" });
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
