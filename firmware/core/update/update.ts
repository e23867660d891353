// The update machine, from the check to the restart. It decides; the bytes go from the network to the flash as effects, one piece at a
// time, and the next piece is requested only when the last one has been written: memory stays bounded, and power can be cut at any flash
// operation. After a power cut there is no stored progress to trust: it hashes the slot chunk by chunk and resumes at the first wrong one.
//
//   idle ─ check ─► checking ─ update offered ─► verifying ─ signature good, release fits ───► resuming ─ first wrong chunk ─┐
//    ▲                 │ nothing new                │ refused                                                              ▼
//    └─────────────────┴────────────────────────────┴────────── failed (reported; idle until the next check)      ◄── requesting ◄┐
//                                                                                                                          ▼    │ retry
//   restarting ◄─ slotArmed ─ arming ◄─ whole image equals the signed digest ─ proving ◄─ last chunk right ──────────── streaming ┘
//
// An image that is held goes from proving to staging instead, and waits: staging.ts.
// An order of the device that leads several brings the image before back: revert.ts; while they are updated nothing else is installed: reservation.ts.
// resuming and streaming go to fetching when the digest of the next chunk is in a page that has not been fetched.
// An answer that names a newer trust root has it fetched first, and the offer comes again with the check after that: root-update.ts.
// Where the root names keys for them, an offer waits for a statement of freshness, and comes again likewise: freshness-update.ts.
// Right after a boot that has to arm the slot again (after-install.ts): rearming ─ slotArmed ─► restarting.
//
// Arming uses esp_ota_set_boot_partition on a slot written through the flash module, not embedded:update: that module always
// calls esp_ota_begin, which cannot resume and erases the fallback's otadata entry before the first byte has arrived.

import { forgetTold } from "../clock.js";
import type { Effect } from "../effect.js";
import type { Failure } from "../errors.js";
import type { Stamped } from "../event.js";
import { OTHER_TOKEN_KEY } from "../server/server-token.js";
import { rearmStep, reportTaken, trialPassed, updateBooted } from "./after-install.js";
import { check, checkFailed, checkingStep, orderFinished, tokenNotStored } from "./check.js";
import { fetchingStep } from "./digest-fetch.js";
import { fetchingStatementStep, statementMissed, verifyingStatementStep } from "./freshness-update.js";
import { armed, checkNextChunk, chunkStored, proved, resume, resumedChunkHashed } from "./install.js";
import { signatureVerified } from "./offer.js";
import { clearOffer } from "./offer-crashes.js";
import { evaluatePush } from "./pushed-update.js";
import { reserve } from "./reserve.js";
import { bodyTruncated, handleSlotFailure, pushTimedOut, retryLater } from "./retry.js";
import { revert, revertChecked } from "./revert.js";
import {
  fetchingRootStep,
  giveRoot,
  rootNotFetched,
  storingRootStep,
  verifyingRootStep,
} from "./root-update.js";
import { abandon, commit, stagedStep, stagingStep, watchStaged } from "./staging.js";
import {
  enter,
  FIRST_CHECK_MS,
  firstCheck,
  type Installing,
  nextCheck,
  STALL_MS,
  type Step,
  type UpdateState,
  withOfferCrashes,
} from "./state.js";
import { isAllRead, responseStarted, streamingStep } from "./transfer.js";

export { initialUpdate, type UpdateState } from "./state.js";

export function updateStep(state: UpdateState, event: Stamped): Step {
  const [next, effects] = handle(state, event);
  const isOver = next.phase === "idle" || next.phase === "restarting";
  if (!isOver || next === state || !next.offerCrashes.current) return [next, effects];
  const [after, clearing] = withOfferCrashes(next, clearOffer(next.offerCrashes));
  return [after, [...effects, ...clearing]];
}

function handle(state: UpdateState, event: Stamped): Step {
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
      return updateBooted(event);
    case "serverChosen":
      return serverChosen(state, event);
    case "online":
      return [
        { ...state, online: true, rssi: event.rssi, address: event.address },
        state.phase === "idle"
          ? [firstCheck(event.random)]
          : state.phase === "waiting"
            ? [{ type: "setTimer", timer: "retry", delayMs: Math.round(event.random * FIRST_CHECK_MS) }]
            : [],
      ];
    case "offline":
      return offline(state, event);
    case "trialPassed":
      return trialPassed(state, event);
    case "pushOffered":
      return evaluatePush(state, event.offer, event.at, event.random);
    case "trialFailed":
      return abort(state);
    case "commitRequested":
      return commit(state, event.imageSha256);
    case "abandonRequested":
      return abandon(state, event.reason, event.random);
    case "revertRequested":
      return revert(state, event.imageSha256);
    case "installationsHeld":
      return reserve(state, { reason: event.reason, images: event.images }, event.random);
    case "installationsFreed":
      return [{ ...state, reserved: undefined }, []];
    case "rootGiven":
      return giveRoot(state, event);
    case "reportTaken":
      return reportTaken(state, event.report);
    case "storeFailed":
      return event.key === OTHER_TOKEN_KEY ? tokenNotStored(state) : [state, []];
    case "readingsTaken":
      return [{ ...state, readings: event.readings }, []];
    case "abilitiesChanged":
      return [{ ...state, abilitiesDigest: event.digest }, []];
    case "orderFinished":
      return orderFinished(state, event.result);
    case "timerFired":
      return timerFired(state, event);
    case "requestFailed":
      return requestFailed(state, event);
    default:
      return handleInPhase(state, event);
  }
}

/** An answer of another server that is under way is not awaited: its token and its orders would count as of this one. */
function serverChosen(state: UpdateState, event: Stamped & { readonly type: "serverChosen" }): Step {
  const { server, checkSeconds, hasOwnPace, random } = event;
  const paced: UpdateState = {
    ...state,
    checkSeconds,
    ownPace: { seconds: checkSeconds, isChosen: hasOwnPace },
  };
  // a shorter pace holds at once: the timer may have been set for the longer one a moment ago
  const isSooner = checkSeconds < state.checkSeconds && state.phase === "idle" && state.online;
  if (server === state.server) return [paced, isSooner ? [nextCheck(paced, random)] : []];
  // orders belong to one server, and so does what it has asked for
  const moved: UpdateState = { ...paced, server, orderResults: [], checksFromMs: 0, downloadsFromMs: 0 };
  if (state.phase === "checking") return checkFailed(moved, random, "another server was chosen");
  return [moved, state.checksFromMs > event.at && state.phase === "idle" ? [nextCheck(moved, random)] : []];
}

/** Events that mean something in one phase only. */
function handleInPhase(state: UpdateState, event: Stamped): Step {
  switch (state.phase) {
    case "idle":
    case "waiting":
    case "restarting":
      return [state, []];
    case "checking":
      return checkingStep(state, event);
    case "verifying":
      return event.type === "signatureVerified"
        ? signatureVerified(state, state.unverified, event)
        : [state, []];
    case "fetchingRoot":
      return fetchingRootStep(state, event);
    case "verifyingRoot":
      return verifyingRootStep(state, state.rotation, event);
    case "storingRoot":
      return storingRootStep(state, state.rotation, event);
    case "fetchingStatement":
      return fetchingStatementStep(state, state.asking, event);
    case "verifyingStatement":
      return verifyingStatementStep(state, state.asking, event);
    case "rearming":
      return rearmStep(state, state.rearming, event);
    case "fetching":
      return fetchingStep(state, event, checkNextChunk);
    case "resuming":
      return event.type === "slotHashed" ? resumedChunkHashed(state, event) : handleSlotFailure(state, event);
    case "requesting":
      return event.type === "responseStarted" ? responseStarted(state, event) : besideStep(state, event);
    case "streaming":
      return isBeside(event) ? besideStep(state, event) : streamingStep(state, event);
    case "proving":
      return event.type === "slotHashed" ? proved(state, event) : handleSlotFailure(state, event);
    case "arming":
      return event.type === "slotArmed" ? armed(state) : handleSlotFailure(state, event);
    case "staging":
      return stagingStep(state, event);
    case "reverting":
      return event.type === "rollBackChecked" && event.connection === 0
        ? revertChecked(state, event.possible, event.random)
        : [state, []];
    case "restoring":
    case "committing":
    case "armingStaged":
      return state.staged ? stagedStep(state, state.staged, event) : [state, []];
  }
}

/** Whether it tells that a part of the image has come by another way than as an answer. */
const isBeside = ({ type }: Stamped): boolean => type === "chunkProgress" || type === "chunkStored";

function besideStep(state: Installing, { type }: Stamped): Step {
  if (type === "chunkStored") return chunkStored(state);
  const isDownload = state.job.source.kind === "server";
  return [
    state,
    type === "chunkProgress" && isDownload
      ? [{ type: "setTimer", timer: "transfer", delayMs: STALL_MS }]
      : [],
  ];
}

function timerFired(state: UpdateState, event: Stamped & { readonly type: "timerFired" }): Step {
  switch (event.timer) {
    case "check":
      if (state.phase !== "idle" || !state.online) return [state, []];
      return event.at < state.checksFromMs
        ? [state, [laterTimer("check", state.checksFromMs, event.at)]]
        : checkNow(state, event);
    case "transfer":
      return stalled(state, event);
    case "retry":
      if (state.phase !== "waiting" || !state.online) return [state, []];
      return event.at < state.downloadsFromMs
        ? [state, [laterTimer("retry", state.downloadsFromMs, event.at)]]
        : resume(state, state.job);
    case "restart":
      return state.phase === "restarting" ? [state, [{ type: "restart", reason: "update" }]] : [state, []];
    default:
      return [state, []];
  }
}

function checkNow(state: UpdateState, { at, freeHeapBytes, random }: Stamped): Step {
  const [watched, watching] = watchStaged(state, at);
  const [next, effects] = check(watched, freeHeapBytes, at, random);
  return [next, [...watching, ...effects]];
}

/** A server has asked for patience, and whatever has set the timer did not know. */
const laterTimer = (timer: "check" | "retry", dueMs: number, at: number): Effect => ({
  type: "setTimer",
  timer,
  delayMs: dueMs - at,
});

/** Waits for bytes from the network. */
const isTransferring = (state: UpdateState): state is Installing =>
  state.phase === "fetching" || state.phase === "requesting" || state.phase === "streaming";

function requestFailed(
  before: UpdateState,
  event: Extract<Stamped, { readonly type: "requestFailed" }>,
): Step {
  const state = event.code === "TLS_NOT_YET_VALID" ? { ...before, clock: forgetTold(before.clock) } : before;
  const { code } = event;
  const tls = code && { code, message: `${event.message}.` };
  if (state.phase === "checking") return checkFailed(state, event.random, told(event), tls);
  if (state.phase === "fetchingRoot") return rootNotFetched(state, event, told(event));
  if (state.phase === "fetchingStatement") return statementMissed(state, state.asking, event, told(event));
  if (!isTransferring(state)) return [state, []];
  const { job } = state;
  if (state.phase === "streaming" && isAllRead(job)) return [state, []];
  const failure: Failure =
    state.phase === "streaming" && !event.code
      ? bodyTruncated(job)
      : {
          code: event.code ?? (event.isConnected ? "RESPONSE_MALFORMED" : "CONNECT_FAILED"),
          message: event.message,
        };
  return retryLater(state, job, failure, event.random);
}

/** With its code, by which a person finds what helps. */
const told = ({ code, message }: Extract<Stamped, { readonly type: "requestFailed" }>): string =>
  code ? `${code}: ${message}` : message;

function stalled(state: UpdateState, event: Stamped): Step {
  const seconds = STALL_MS / 1000;
  if (state.phase === "checking") return checkFailed(state, event.random, `no answer within ${seconds} s`);
  if (state.phase === "fetchingRoot") return rootNotFetched(state, event, `no answer within ${seconds} s`);
  if (state.phase === "fetchingStatement")
    return statementMissed(state, state.asking, event, `no answer within ${seconds} s`);
  if (!isTransferring(state)) return [state, []];
  const { job } = state;
  if (job.source.kind === "push") return pushTimedOut(state, job, event.random);
  const failure = {
    code: "SERVER_STALLED",
    message: `no byte for ${seconds} s at byte ${job.offset} of ${job.release.size}`,
  } as const;
  return retryLater(state, job, failure, event.random);
}

function offline(state: UpdateState, event: Stamped): Step {
  const down: UpdateState = { ...state, online: false };
  if (state.phase === "checking") return checkFailed(down, event.random, "the network was lost");
  if (state.phase === "fetchingRoot") return rootNotFetched(down, event, "the network was lost");
  if (state.phase === "fetchingStatement")
    return statementMissed(down, state.asking, event, "the network was lost");
  if (!isTransferring(down)) return [down, []];
  return retryLater(
    down,
    down.job,
    { code: "CONNECT_FAILED", message: "the network was lost" },
    event.random,
  );
}

const abort = (state: UpdateState): Step => [
  enter(state, { phase: "idle" }),
  [{ type: "closeRequest", attempt: state.attempt }],
];
