// A statement of freshness is asked for (trust/freshness.ts says when), with a nonce of this device's own, verified, and then counts. Nothing that a
// server offers is installed without one; an offer waits meanwhile, and comes again with the check after it, as with a new root.
//
//   checking ─ an offer, or a day is over ─► fetchingStatement ─ text ─► verifyingStatement ─ good ─► idle, it counts; checks again
//                                                   └──── not fetched, another nonce, no key of the root, bad ────► idle, without one
//
// Who is between device and server can keep statements away, and thereby updates, but not unseen: after two weeks the device says that it is frozen,
// on its page, by its light and in its reports. It works on.

import { gatherChance } from "../chance.js";
import { stated } from "../clock.js";
import type { Effect } from "../effect.js";
import type { Failure } from "../errors.js";
import type { Raise, Stamped } from "../event.js";
import { announcedBytes } from "../http/answer-head.js";
import { jsonHeaders } from "../server/server-token.js";
import {
  type Freshness,
  isDue,
  isWithdrawn,
  mayRetry,
  type Ruling,
  statementAt,
  watched,
  withoutStatement,
  withStatement,
} from "../trust/freshness.js";
import {
  asksForStatements,
  checkStatement,
  parseStatement,
  refusedStatement,
  type Statement,
} from "../trust/statement.js";
import { FRESHNESS_PATH, type FreshnessRequest, MAX_STATEMENT_LENGTH } from "../wire.js";
import { abandon } from "./staging.js";
import {
  type Asking,
  enter,
  errorFields,
  nextAttempt,
  nextCheck,
  type Offer,
  report,
  STALL_MS,
  type Step,
  type UpdateState,
} from "./state.js";

/** The events of a check bring the next nonce. */
export const withChance = (state: UpdateState, random: number): UpdateState =>
  asksForStatements(state.trust)
    ? { ...state, freshness: { ...state.freshness, chance: gatherChance(state.freshness.chance, random) } }
    : state;

/** A new image is on trial first. */
export const isStatementDue = ({ trust, freshness, onTrial, clock }: UpdateState, at: number): boolean =>
  asksForStatements(trust) && !onTrial && isDue(freshness, clock, at);

/** Whether an offer cannot be judged now, but after a statement. */
export const lacksStatement = ({ trust, freshness }: UpdateState, at: number): boolean =>
  asksForStatements(trust) && statementAt(freshness, at) === undefined;

/** What a server's release is judged by. */
export const rulingAt = ({ trust, freshness }: UpdateState, at: number): Ruling =>
  asksForStatements(trust) ? statementAt(freshness, at) : "any";

/** @param offer waits for it; `undefined`: none does */
export function askFreshness(state: UpdateState, offer: Offer | undefined, at: number, random: number): Step {
  const { server, serverTokens, boot, freshness } = state;
  if (!boot) return [state, []];
  if (!mayRetry(freshness, at)) return waitForRetry(state, offer, at, random);
  const { deviceId: device_id, type: device_type } = boot.identity;
  const nonce = freshness.chance;
  const body: FreshnessRequest = { device_id, device_type, nonce };
  const attempt = nextAttempt(state);
  return [
    enter(state, { phase: "fetchingStatement", attempt, asking: { nonce, offer, statement: undefined } }),
    [
      {
        type: "startRequest",
        attempt,
        request: {
          method: "POST",
          url: `${server}${FRESHNESS_PATH}`,
          headers: jsonHeaders(server, serverTokens, boot.build),
          body: JSON.stringify(body),
        },
      },
      { type: "setTimer", timer: "transfer", delayMs: STALL_MS },
    ],
  ];
}

function waitForRetry(state: UpdateState, offer: Offer | undefined, at: number, random: number): Step {
  const seconds = Math.ceil((state.freshness.retryFromMs - at) / 1000);
  const message = `update to ${offer?.version ?? ""} waits ${seconds} s more for a statement of freshness`;
  return [state, [{ type: "log", level: "info", message }, nextCheck(state, random)]];
}

// ── the answer

export function fetchingStatementStep(state: UpdateState, asking: Asking, event: Stamped): Step {
  switch (event.type) {
    case "responseStarted": {
      const { status, headers } = event;
      if (status !== 200) return statementMissed(state, asking, event, `the server answered ${status}`);
      const sizeBytes = announcedBytes(headers) ?? MAX_STATEMENT_LENGTH;
      if (sizeBytes > MAX_STATEMENT_LENGTH) {
        const why = `it is ${sizeBytes} bytes, at most ${MAX_STATEMENT_LENGTH} are read`;
        return statementMissed(state, asking, event, why);
      }
      return [state, [{ type: "collectResponse", attempt: state.attempt, maxBytes: sizeBytes, as: "text" }]];
    }
    case "textCollected":
      return statementCollected(state, asking, event);
    case "responseEnded":
      return statementMissed(state, asking, event, "the answer ended early");
    default:
      return [state, []];
  }
}

function statementCollected(
  state: UpdateState,
  asking: Asking,
  event: Extract<Stamped, { readonly type: "textCollected" }>,
): Step {
  const { boot, trust } = state;
  if (!boot || !trust.root) return [state, []];
  const { nonce } = asking;
  const parsed = parseStatement(event.text);
  const key = parsed.ok
    ? checkStatement(trust.root, parsed.value, { nonce, type: boot.identity.type })
    : parsed;
  if (!key.ok) return notFresh(state, asking, key.failure, event);
  if (!parsed.ok) return [state, []];
  const { statement, signed } = parsed.value;
  const { signedLength, signature } = signed;
  const attempt = nextAttempt(state);
  return [
    enter(state, { phase: "verifyingStatement", attempt, asking: { ...asking, statement } }),
    [
      ...close(state),
      { type: "verifySignature", attempt, key: key.value, manifest: event.text, signedLength, signature },
    ],
  ];
}

export function verifyingStatementStep(state: UpdateState, asking: Asking, event: Stamped): Step {
  const { statement } = asking;
  const { root } = state.trust;
  if (event.type !== "signatureVerified" || !statement || !root) return [state, []];
  if (!event.good) return notFresh(state, asking, WRONG, event);
  const { time } = statement;
  const { ceiling } = state.clock;
  if (time > ceiling) {
    const why = `it was made at ${time} (seconds since 1970), the latest that this firmware believes is ${ceiling}`;
    return notFresh(state, asking, refusedStatement(why).failure, event);
  }
  // who has stolen the server's key can move the clock to the end of the root, and no further: the next root has a later end
  const [clock, keeping] = stated(state.clock, Math.min(time, root.expires + 1), event.at);
  const dated: UpdateState = { ...state, clock };
  const [next, effects] =
    time > root.expires
      ? notFresh(dated, asking, expired(root.version, time - root.expires), event)
      : fresh(dated, asking, statement, event);
  return [next, [...keeping, ...effects]];
}

const WRONG: Failure = Object.freeze(refusedStatement("its signature is wrong").failure);

const expired = (version: number, seconds: number): Failure => ({
  code: "ROOT_EXPIRED",
  message: `trust root ${version} expired ${seconds} seconds ago, and its freshness keys with it`,
});

/** It counts. */
function fresh(state: UpdateState, { offer }: Asking, statement: Statement, { at, random }: Stamped): Step {
  const [freshness, storing] = withStatement(state.freshness, statement, offer !== undefined, at, random);
  // what was refused because of the last one is looked at again
  const idle = enter(state, { phase: "idle", freshness, refused: undefined });
  const { staged } = idle;
  const isSpoilt = staged?.from === "server" && isWithdrawn(statement, staged.imageSha256);
  const [next, abandoning] = isSpoilt ? abandon(idle, "it was withdrawn", random) : ([idle, []] as const);
  const { newest, withdrawn } = statement;
  const message = `fresh: the newest sequence is ${newest}, withdrawn are ${withdrawn.length} releases`;
  return [
    next,
    [
      { type: "log", level: "info", message },
      ...storing,
      raiseFreshness(freshness),
      ...abandoning,
      offer ? { type: "setTimer", timer: "check", delayMs: 0 } : nextCheck(next, random),
    ],
  ];
}

/** The server, or the way to it, has failed. */
export const statementMissed = (state: UpdateState, asking: Asking, event: Stamped, why: string): Step =>
  notFresh(state, asking, { code: "FRESHNESS_MISSING", message: `no statement of freshness: ${why}` }, event);

/** Asked again later. The server hears of it where its offer has waited. */
function notFresh(state: UpdateState, { offer }: Asking, failure: Failure, { at, random }: Stamped): Step {
  const { code, message } = failure;
  const [freshness, storing] = withoutStatement(state.freshness, state.clock, at);
  const idle = enter(state, { phase: "idle", freshness });
  const isAttack = code !== "FRESHNESS_MISSING";
  const waiting = offer ? `update to ${offer.version} waits: ` : "";
  return [
    idle,
    [
      { type: "log", level: offer || isAttack ? "error" : "warn", message: `${waiting}${message} [${code}]` },
      ...close(state),
      ...storing,
      ...frozenSince(state.freshness, freshness),
      ...(offer
        ? report(idle, offer, { status: "failed", step: "refused", ...errorFields(code, message) })
        : []),
      ...(offer || isAttack ? [{ type: "raise", event: { type: "updateFailed", ...failure } } as const] : []),
      nextCheck(idle, random),
    ],
  ];
}

const close = ({ attempt }: UpdateState): readonly Effect[] => [
  { type: "clearTimer", timer: "transfer" },
  { type: "closeRequest", attempt },
];

// ── frozen

/** Whether two weeks are over without a statement: looked at with each check, also if that is not answered. */
export function watchFreshness(state: UpdateState, at: number): Step {
  if (!asksForStatements(state.trust)) return [state, []];
  const freshness = watched(state.freshness, state.clock, at);
  return freshness === state.freshness
    ? [state, []]
    : [{ ...state, freshness }, frozenSince(state.freshness, freshness)];
}

const frozenSince = (before: Freshness, after: Freshness): readonly (Effect | Raise)[] =>
  after.isFrozen && !before.isFrozen ? [FROZEN, raiseFreshness(after)] : [];

const FROZEN: Effect = Object.freeze<Effect>({
  type: "log",
  level: "warn",
  message: "frozen: no statement of freshness for two weeks, so updates may be kept from this device",
});

export const raiseFreshness = ({ since, isFrozen }: Freshness): Raise => ({
  type: "raise",
  event: { type: "freshnessChanged", since, isFrozen },
});
