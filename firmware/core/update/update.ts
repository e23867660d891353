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
// resuming and streaming step aside to fetching when they come to a chunk whose digest is in a page that is not there.
//
// Arming uses esp_ota_set_boot_partition on a slot written through the flash module, not embedded:update: that module always
// calls esp_ota_begin, which cannot resume and erases the fallback's otadata entry before the first byte has arrived.

import type { Failure } from "../errors.js";
import type { Stamped } from "../event.js";
import { check, checkFailed, checkingStep, orderJudged } from "./check.js";
import { fetchingStep } from "./digest-fetch.js";
import { pushTimedOut, retryLater, slotTrouble, truncated } from "./failure.js";
import { armed, goOn, proved, resume, resumeHashed } from "./install.js";
import { signatureVerified } from "./offer.js";
import { endOffer } from "./offer-guard.js";
import { begin, rearmStep, reportTaken, trialPassed } from "./outcome.js";
import { considerPush } from "./pushed-update.js";
import { enter, type Installing, STALL_MS, type Step, type UpdateState, withGuard } from "./state.js";
import { isAllRead, responseStarted, streamingStep } from "./transfer.js";

export { initialUpdate, type UpdateState } from "./state.js";

/** The first check after joining comes within this, spread over a fleet that was powered on together. */
const FIRST_CHECK_MS = 2_000;

export function updateStep(state: UpdateState, event: Stamped): Step {
  const [next, effects] = heard(state, event);
  const isOver = next.phase === "idle" || next.phase === "restarting";
  if (!isOver || next === state || !next.guard.open) return [next, effects];
  const [after, forgetting] = withGuard(next, endOffer(next.guard));
  return [after, [...effects, ...forgetting]];
}

function heard(state: UpdateState, event: Stamped): Step {
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
      return [
        {
          ...state,
          server: event.server,
          checkSeconds: event.checkSeconds,
          ownPace: { seconds: event.checkSeconds, isChosen: event.hasOwnPace },
          // Orders are one server's: another is told nothing of them.
          orderResults: event.server === state.server ? state.orderResults : [],
        },
        [],
      ];
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
    case "pushOffered":
      return considerPush(state, event.offer, event.at, event.random);
    case "trialFailed":
      return stop(state);
    case "reportTaken":
      return reportTaken(state, event.report);
    case "readingsTaken":
      return [{ ...state, readings: event.readings }, []];
    case "orderJudged":
      return orderJudged(state, event.result);
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
    case "rearming":
      return rearmStep(state, state.rearming, event);
    case "fetching":
      return fetchingStep(state, event, goOn);
    case "resuming":
      return event.type === "slotHashed" ? resumeHashed(state, event) : slotTrouble(state, event);
    case "requesting":
      return event.type === "responseStarted" ? responseStarted(state, event) : [state, []];
    case "streaming":
      return streamingStep(state, event);
    case "proving":
      return event.type === "slotHashed" ? proved(state, event) : slotTrouble(state, event);
    case "arming":
      return event.type === "slotArmed" ? armed(state) : slotTrouble(state, event);
  }
}

function timerFired(state: UpdateState, event: Stamped & { readonly type: "timerFired" }): Step {
  switch (event.timer) {
    case "check":
      return state.phase === "idle" && state.online ? check(state, event.freeHeapBytes) : [state, []];
    case "transfer":
      return stalled(state, event);
    case "retry":
      return state.phase === "waiting" && state.online ? resume(state, state.job) : [state, []];
    case "restart":
      return state.phase === "restarting" ? [state, [{ type: "restart", reason: "update" }]] : [state, []];
    default:
      return [state, []];
  }
}

/** Something is to come over the network. */
const isTransferring = (state: UpdateState): state is Installing =>
  state.phase === "fetching" || state.phase === "requesting" || state.phase === "streaming";

function requestFailed(state: UpdateState, event: Stamped & { readonly message: string }): Step {
  if (state.phase === "checking") return checkFailed(state, event.random, event.message);
  if (!isTransferring(state)) return [state, []];
  const { job } = state;
  if (state.phase === "streaming" && isAllRead(job)) return [state, []];
  const failure: Failure =
    state.phase === "streaming" ? truncated(job) : { code: "CONNECT_FAILED", message: event.message };
  return retryLater(state, job, failure, event.random);
}

function stalled(state: UpdateState, event: Stamped): Step {
  const seconds = STALL_MS / 1000;
  if (state.phase === "checking") return checkFailed(state, event.random, `no answer within ${seconds} s`);
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
  if (!isTransferring(down)) return [down, []];
  return retryLater(
    down,
    down.job,
    { code: "CONNECT_FAILED", message: "the network was lost" },
    event.random,
  );
}

const stop = (state: UpdateState): Step => [
  enter(state, { phase: "idle" }),
  [{ type: "closeRequest", attempt: state.attempt }],
];
