// The trust root is replaced over the air, or by a file that its owner sends: fetched, verified signature by signature, stored, and only then in
// force. One version at a time; the check after it asks for the next one. Nothing is installed meanwhile. A power cut leaves the old root or the
// new one, since it is one string in NVS. What is staged may be signed by a key that the new root has revoked, so it is given up before that is
// stored: a power cut between the two leaves the old root and nothing staged.
//
//   checking ─ root_url ─► fetchingRoot ─ text ─► verifyingRoot ─ elected ─► storingRoot ─ saved ─► idle, in force, checks at once
//   idle, checking ─ rootGiven ───────────────────────▲    └──── refused ────────┴── not ─► idle; not fetched again for an hour

import type { Effect } from "../effect.js";
import type { Failure } from "../errors.js";
import type { Raise, Root, Stamped } from "../event.js";
import { json } from "../http/answer.js";
import { announcedBytes } from "../http/answer-head.js";
import { datingTime, freshnessWithRoot } from "../trust/freshness.js";
import { afterVote, nominate, verifyVote } from "../trust/rotation.js";
import { ROOT_KEY, type Trust } from "../trust/trust.js";
import { MAX_ROOT_LENGTH, MAX_ROOT_REFUSED_LENGTH } from "../wire.js";
import { abandon, endCheck } from "./staging.js";
import {
  enter,
  nextAttempt,
  nextCheck,
  type Rotation,
  STALL_MS,
  type Step,
  type UpdateState,
} from "./state.js";

/** What was refused is refused again; meanwhile offers are looked at, so that a bad root does not keep a device from its updates. */
const REFUSED_MS = 3_600_000;
const UNREACHED_MS = 600_000;

/** Whether a newer root is fetched now: not before the trial of a new image, nor while several devices are updated together. */
export const mayFetchRoot = ({ trust, onTrial, reserved, rootsFromMs }: UpdateState, at: number): boolean =>
  trust.root !== undefined && !onTrial && !reserved && at >= rootsFromMs;

export function fetchRoot(state: UpdateState, url: string): Step {
  const attempt = nextAttempt(state);
  return [
    enter(state, { phase: "fetchingRoot", attempt }),
    [
      { type: "startRequest", attempt, request: { method: "GET", url, headers: {} } },
      { type: "setTimer", timer: "transfer", delayMs: STALL_MS },
    ],
  ];
}

export function fetchingRootStep(state: UpdateState, event: Stamped): Step {
  switch (event.type) {
    case "responseStarted": {
      const { status, headers } = event;
      if (status !== 200) return rootNotFetched(state, event, `the server answered ${status}`);
      const sizeBytes = announcedBytes(headers) ?? MAX_ROOT_LENGTH;
      if (sizeBytes > MAX_ROOT_LENGTH)
        return rootNotFetched(state, event, `it is ${sizeBytes} bytes, at most ${MAX_ROOT_LENGTH} are read`);
      return [state, [{ type: "collectResponse", attempt: state.attempt, maxBytes: sizeBytes, as: "text" }]];
    }
    case "textCollected": {
      const [next, effects] = begin(state, event.text, 0, event);
      return [next, [...close(state), ...effects]];
    }
    case "responseEnded":
      return rootNotFetched(state, event, "the answer ended early");
    default:
      return [state, []];
  }
}

/** The server, or the way to it, has failed. */
export function rootNotFetched(state: UpdateState, { at, random }: Stamped, why: string): Step {
  const idle = enter(state, { phase: "idle", rootsFromMs: at + UNREACHED_MS });
  return [
    idle,
    [
      { type: "log", level: "warn", message: `the next trust root was not fetched: ${why}` },
      ...close(state),
      nextCheck(idle, random),
    ],
  ];
}

const close = ({ attempt }: UpdateState): readonly Effect[] => [
  { type: "clearTimer", timer: "transfer" },
  { type: "closeRequest", attempt },
];

/** A person has sent it. */
export function giveRoot(
  state: UpdateState,
  event: Stamped & { readonly connection: number; readonly text: string },
): Step {
  const { connection, text } = event;
  if (state.phase !== "idle" && state.phase !== "checking")
    return [state, [told(connection, 409, "BUSY", "The device is being updated. Send it again later.")]];
  const [next, effects] = begin(state, text, connection, event);
  return [next, [...endCheck(state), ...effects]];
}

function begin(state: UpdateState, text: string, connection: number, event: Stamped): Step {
  const { root: held } = state.trust;
  if (!held) return refuseRoot(state, connection, NO_ROOT, event);
  const nominated = nominate(held, text);
  if (!nominated.ok) return refuseRoot(state, connection, nominated.failure, event);
  return verify(state, { connection, candidate: nominated.value }, held);
}

const NO_ROOT: Failure = Object.freeze({
  code: "ROOT_REFUSED",
  message: "this firmware has no trust root built in, so it takes none",
});

function verify(state: UpdateState, rotation: Rotation, held: Root): Step {
  const attempt = nextAttempt(state);
  return [
    enter(state, { phase: "verifyingRoot", attempt, rotation }),
    verifyVote(held, rotation.candidate, attempt),
  ];
}

export function verifyingRootStep(state: UpdateState, rotation: Rotation, event: Stamped): Step {
  const { root: held } = state.trust;
  if (event.type !== "signatureVerified" || !held) return [state, []];
  const after = afterVote(held, rotation.candidate, event.good);
  if (!after.ok) return refuseRoot(state, rotation.connection, after.failure, event);
  if ("signed" in after.value) return verify(state, { ...rotation, candidate: after.value }, held);
  const values = { [ROOT_KEY]: rotation.candidate.text };
  const [next, abandoning] = abandon(state, `trust root ${after.value.version} has come`, event.random);
  return [
    enter(next, { phase: "storingRoot", rotation }),
    [...abandoning, { type: "save", purpose: "root", values }],
  ];
}

export function storingRootStep(state: UpdateState, rotation: Rotation, event: Stamped): Step {
  if (event.type === "saveFailed" && event.purpose === "root") {
    const message = `the trust root could not be stored: ${event.message}`;
    return refuseRoot(state, rotation.connection, { code: "FLASH_FAILED", message }, event);
  }
  return event.type === "saved" && event.purpose === "root"
    ? rootStored(state, rotation, event)
    : [state, []];
}

/** What was refused may be good by it. */
function rootStored(state: UpdateState, { connection, candidate }: Rotation, { at }: Stamped): Step {
  const { root } = candidate.signed;
  const trust: Trust = { root, keys: state.trust.keys };
  const freshness = freshnessWithRoot(state.freshness, trust);
  const idle = enter(state, {
    phase: "idle",
    trust,
    freshness,
    refused: undefined,
    rootRefused: "",
    rootsFromMs: 0,
  });
  const isExpired = datingTime(trust, state.clock, at) > root.expires;
  const message = `trust root ${root.version} is in force${isExpired ? ", but has expired: nothing is installed until the next one comes" : ""}`;
  return [
    idle,
    [
      { type: "log", level: isExpired ? "warn" : "info", message },
      { type: "raise", event: { type: "rootHeld", root } },
      ...(connection === 0 ? [] : [json({ connection }, 200, { rootVersion: root.version, message })]),
      { type: "setTimer", timer: "check", delayMs: 0 },
    ],
  ];
}

function refuseRoot(state: UpdateState, connection: number, failure: Failure, { at, random }: Stamped): Step {
  const { code, message } = failure;
  const ofServer = { rootsFromMs: at + REFUSED_MS, rootRefused: message.slice(0, MAX_ROOT_REFUSED_LENGTH) };
  const idle = enter(state, { phase: "idle", ...(connection === 0 ? ofServer : {}) });
  const answered: readonly (Effect | Raise)[] =
    connection === 0
      ? [{ type: "raise", event: { type: "updateFailed", ...failure } }]
      : [told(connection, 422, code, message)];
  return [
    idle,
    [{ type: "log", level: "error", message: `${message} [${code}]` }, ...answered, nextCheck(idle, random)],
  ];
}

const told = (connection: number, status: number, code: string, message: string): Effect =>
  json({ connection }, status, { code, message });
