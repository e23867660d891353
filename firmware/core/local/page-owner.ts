// The owner's requests to the device's own API: the token or an answer to a challenge is looked at, and what comes from the owner is served. Which
// requests need that is decided in guard.ts.

import type { Effect } from "../effect.js";
import type { PageRequest, Stamped } from "../event.js";
import { json } from "../http/answer.js";
import { type LocalApiState, ownerOf, type Step } from "./api-state.js";
import type { Refusal } from "./guard.js";
import { challengeFor, examine, keyDerived, macMade, withoutKey } from "./owner-proof.js";

/** Serves a request of the owner's. */
export type ServeOwner = (state: LocalApiState, request: PageRequest) => Step;

/** @param refusal of who is not the owner */
export function examineOwner(
  state: LocalApiState,
  request: PageRequest,
  refusal: Refusal,
  serve: ServeOwner,
): Step {
  const [proof, verdict] = examine(state.proof, ownerOf(state), request, request.at);
  const next: LocalApiState = { ...state, proof };
  const refuse = (status: number, code: string, message: string, headers = {}): Step => [
    next,
    [json(request, status, { code, message }, headers)],
  ];
  switch (verdict.is) {
    case "right":
      return serve(next, request);
    case "computing":
      return [next, [{ type: "delayResponse", connection: request.connection }, verdict.effect]];
    case "wrong":
      return refuse(403, "TOKEN_WRONG", WRONG);
    case "slowed": {
      const message = `The token was wrong too often. Try again in ${verdict.seconds} s.`;
      return refuse(429, "TOO_MANY_WRONG", message, { "retry-after": `${verdict.seconds}` });
    }
    case "malformed":
      return refuse(400, "ANSWER_MALFORMED", "The answer to the challenge cannot be read.");
    case "busy":
      return refuse(503, "BUSY", "Too many answers at a time. Try again.");
    case "stale":
      return challenged(
        next,
        request,
        "NONCE_STALE",
        "This nonce was used, or is too old. Answer another one.",
      );
    case "bearerIsOff":
      return challenged(
        next,
        request,
        "TOKEN_MISSING",
        "This device does not take its token as it is: answer the challenge.",
      );
    case "unknown":
      return challenged(next, request, refusal.code, refusal.message);
  }
}

function challenged(state: LocalApiState, request: PageRequest, code: string, message: string): Step {
  const [proof, headers] = challengeFor(state.proof, ownerOf(state), request, request);
  return [{ ...state, proof }, [json(request, 401, { code, message }, headers)]];
}

export function ownersKeyDerived(state: LocalApiState, key: string): Step {
  const [proof, effects, turnedAway] = keyDerived(state.proof, key);
  return [{ ...state, proof }, [...effects, ...turnedAway.map(turnAway)]];
}

/** There is another token. */
export function ownersKeyLost(state: LocalApiState): Step {
  const [proof, turnedAway] = withoutKey(state.proof);
  return [proof === state.proof ? state : { ...state, proof }, turnedAway.map(turnAway)];
}

export function ownersMacMade(
  state: LocalApiState,
  event: Extract<Stamped, { readonly type: "macMade" }>,
  serve: ServeOwner,
): Step {
  const judged = macMade(state.proof, event);
  if (!judged) return [state, []];
  const [proof, request, isRight] = judged;
  const next: LocalApiState = { ...state, proof };
  return isRight
    ? serve(next, request)
    : [next, [json(request, 403, { code: "TOKEN_WRONG", message: WRONG })]];
}

const WRONG = "This is not the owner's token.";

/** Who has waited for a key that there is not. */
const turnAway = (request: PageRequest): Effect =>
  json(request, 503, { code: "BUSY", message: "The answer could not be checked. Try again." });
