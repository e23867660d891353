// Who may push images, on port 3232, and unsigned ones and uploads on port 80, too. Checks a request and its credentials (the owner's token, or an
// answer to a challenge: challenge.ts), and passes a valid one to the update machine as an offer. Never touches the slot.
//
//   pushRequested ─ another path, not listening, no token set ─► answered (push-request.ts)
//        ├──────── too many wrong tokens from there ─► 429
//        ├──────── no credentials ─► 401 with a nonce
//        ├──────── an answer to a nonce ─► keyDerived, once ─► macMade ─► wrong: 403
//        └──────── the token ─► wrong: 403
//   authorized     ─ no length, too large, unsigned ─► answered
//        └──────── valid ─► pushOffered ─► update machine: 409, or the transfer and its answer (pushed-update.ts)
//        └──────── valid, a form with a file in it (curl -F, a browser's form) ─► its head is read ─► pushOffered: what follows is the file
//
// An upload (/api/ota/upload) is staged only. Its release may come before, for who sends a form and no headers: POST /api/ota/release.

import type { Effect, HttpResponse } from "../effect.js";
import type { Booted, PushOffer, Raise, RequestHead, Stamped } from "../event.js";
import { uploadAnswer } from "../http/answer.js";
import {
  boundaryOf,
  fileBytes,
  missingBytes,
  type PartHead,
  partProblem,
  withBytes,
} from "../http/multipart.js";
import { BEARER_KEY, TOKEN_KEY, UNSIGNED_KEY } from "../settings/preferences.js";
import {
  type Asker,
  challengeFor,
  examine,
  keyDerived,
  macMade,
  noOwnerProof,
  type Owner,
  type OwnerProof,
  ownerSince,
  withoutConnection,
  withoutKey,
} from "./owner-proof.js";
import { answerWithoutCredentials, readOffer, refused, type Taker } from "./push-request.js";

/** Where pushed images are accepted. */
export const PUSH_PORT = 3232;

export interface PushState {
  /** Empty: the owner has set none. */
  readonly token: string;
  readonly acceptBearer: boolean;
  readonly boot: Stamped<Booted> | undefined;
  readonly proof: OwnerProof<PushAsker>;
  readonly acceptUnsigned: boolean;
  readonly slotBytes: number;
  readonly listening: boolean;
  /** A form whose file has not begun yet. */
  readonly form: Form | undefined;
  /** Of the next upload, and until when it counts, ms since the boot. */
  readonly release: { readonly text: string; readonly untilMs: number } | undefined;
}

interface PushAsker extends Asker {
  readonly head: RequestHead;
}

interface Form {
  readonly offer: PushOffer;
  readonly head: PartHead;
  /** Bytes that wait. */
  readonly available: number;
}

/** How long a release waits for its image. */
const RELEASE_WAIT_MS = 600_000;

export const initialPush: PushState = Object.freeze({
  token: "",
  acceptBearer: true,
  boot: undefined,
  proof: noOwnerProof,
  acceptUnsigned: false,
  slotBytes: 0,
  listening: false,
  form: undefined,
  release: undefined,
});

type Step = readonly [PushState, readonly (Effect | Raise)[]];

export function pushStep(state: PushState, event: Stamped): Step {
  switch (event.type) {
    case "booted":
      return [pushSettings(event), []];
    case "online":
      return state.listening
        ? [state, []]
        : [{ ...state, listening: true }, [{ type: "startPush", espota: espotaIsOn(state) }]];
    case "tokenChosen":
      return tokenChosen(state, event.token);
    case "bearerChosen":
      return [{ ...state, acceptBearer: event.accept }, []];
    case "unsignedChosen":
      return reopened({ ...state, acceptUnsigned: event.accept });
    case "pushRequested":
      return requested(state, event);
    case "keyDerived": {
      const [proof, effects, turnedAway] = keyDerived(state.proof, event.key);
      return [{ ...state, proof }, [...effects, ...turnedAway.map(noMemory)]];
    }
    case "macMade":
      return answerComputed(state, event);
    case "releaseGiven":
      return [{ ...state, release: { text: event.release, untilMs: event.at + RELEASE_WAIT_MS } }, []];
    case "pushReadable":
    case "pushData":
    case "pushClosed":
      return state.form?.offer.connection === event.connection
        ? formStep(state, state.form, event)
        : [event.type === "pushClosed" ? gone(state, event.connection) : state, []];
    default:
      return [state, []];
  }
}

// ── credentials

function requested(state: PushState, event: Extract<Stamped, { readonly type: "pushRequested" }>): Step {
  const { connection, head, at, address } = event;
  const early = answerWithoutCredentials(head, takerOf(state, at));
  if (early) return [state, [answer(connection, early)]];
  const { method, query, headers } = head;
  const path = query === undefined ? head.path : `${head.path}?${query}`;
  const asker: PushAsker = { connection, method, path, address, authorization: headers.authorization, head };
  const [proof, verdict] = examine(state.proof, ownerOf(state), asker, at);
  const next: PushState = { ...state, proof };
  switch (verdict.is) {
    case "right":
      return authorized(next, asker, undefined, at);
    case "computing":
      return [next, [verdict.effect]];
    case "wrong":
      return [next, [refuse(asker, 403, "this is not the push token of this device")]];
    case "slowed": {
      const message = `the token was wrong too often: ask again in ${verdict.seconds} s`;
      return [next, [refuse(asker, 429, message, { "retry-after": `${verdict.seconds}` })]];
    }
    case "malformed":
      return [next, [refuse(asker, 400, "the answer to the challenge cannot be read")]];
    case "busy":
      return [next, [refuse(asker, 503, "too many answers at a time: ask again")]];
    case "stale":
      return unauthorized(next, asker, event, "this nonce was used, or is too old: answer another one");
    case "bearerIsOff":
      return unauthorized(
        next,
        asker,
        event,
        "this device does not take its token as it is: answer the challenge",
      );
    case "unknown": {
      const bearer = state.acceptBearer ? ", or Authorization: Bearer TOKEN" : "";
      return unauthorized(next, asker, event, `an answer to the challenge is missing${bearer}`);
    }
  }
}

/** Every request without credentials gets a nonce of its own. */
function unauthorized(state: PushState, asker: PushAsker, event: Stamped, message: string): Step {
  const [proof, headers] = challengeFor(state.proof, ownerOf(state), asker, event);
  return [{ ...state, proof }, [refuse(asker, 401, message, headers)]];
}

function answerComputed(state: PushState, event: Extract<Stamped, { readonly type: "macMade" }>): Step {
  const judged = macMade(state.proof, event);
  if (!judged) return [state, []];
  const [proof, asker, isRight, sha256] = judged;
  const next: PushState = { ...state, proof };
  return isRight
    ? authorized(next, asker, sha256, event.at)
    : [next, [refuse(asker, 403, "the answer was made with another token")]];
}

function tokenChosen(state: PushState, token: string): Step {
  const [proof, turnedAway] = withoutKey(state.proof);
  const [next, effects] = reopened({ ...state, proof, token });
  return [next, [...turnedAway.map(tokenChanged), ...effects]];
}

const refuse = (
  { connection, head }: PushAsker,
  status: number,
  message: string,
  headers = NO_HEADERS,
): Effect => answer(connection, refused(head, status, message, headers));
const NO_HEADERS: HttpResponse["headers"] = Object.freeze({});

const noMemory = (asker: PushAsker): Effect =>
  refuse(asker, 503, "there is no memory for the token's key: ask again");
const tokenChanged = (asker: PushAsker): Effect => refuse(asker, 503, "the token was changed meanwhile");

const gone = (state: PushState, connection: number): PushState => ({
  ...state,
  proof: withoutConnection(state.proof, connection),
});

// ── the image

/** @param sha256 of the image that the owner has agreed to; undefined: any that the token came with */
function authorized(
  state: PushState,
  { connection, head }: PushAsker,
  sha256: string | undefined,
  at: number,
): Step {
  const offer = readOffer(connection, head, takerOf(state, at));
  if ("status" in offer) return [state, [answer(connection, offer)]];
  return begin(state, sha256 === undefined ? offer : { ...offer, sha256 }, head);
}

const takerOf = (state: PushState, at: number): Taker => ({
  isListening: state.listening,
  hasToken: state.token !== "",
  slotBytes: state.slotBytes,
  acceptUnsigned: state.acceptUnsigned,
  release: state.release && at < state.release.untilMs ? state.release.text : undefined,
});

/** The body is the image, or a form with the image in it. */
function begin(state: PushState, offer: PushOffer, head: RequestHead): Step {
  const boundary = boundaryOf(head.headers["content-type"]);
  // the release is used up: it belongs to one image
  const next: PushState = offer.hold ? { ...state, release: undefined } : state;
  if (boundary === undefined) return [next, [offered(offer)]];
  if (boundary === "")
    return [state, [answer(offer.connection, uploadAnswer(400, "the form has no boundary"))]];
  const before = state.form?.offer.connection;
  return [
    { ...next, form: { offer, head: { boundary, text: "" }, available: 0 } },
    [
      // there is one at a time: who has sent nothing of the file so far gives way
      ...(before === undefined ? [] : [answer(before, uploadAnswer(408, "another upload has begun"))]),
      { type: "continuePush", connection: offer.connection },
    ],
  ];
}

type FormEvent = Extract<Stamped, { readonly type: "pushReadable" | "pushData" | "pushClosed" }>;

function formStep(state: PushState, form: Form, event: FormEvent): Step {
  switch (event.type) {
    case "pushReadable":
      return readForm(state, { ...form, available: event.count });
    case "pushData": {
      const head = withBytes(form.head, event.bytes);
      return readForm(state, { ...form, head, available: form.available - event.bytes.length });
    }
    case "pushClosed":
      return [{ ...state, form: undefined }, []];
  }
}

function readForm(state: PushState, form: Form): Step {
  const { offer, head, available } = form;
  const { connection } = offer;
  const problem = partProblem(head);
  if (problem !== undefined)
    return [{ ...state, form: undefined }, [answer(connection, uploadAnswer(400, problem))]];
  const missing = missingBytes(head);
  if (missing === 0) {
    const sizeBytes = fileBytes(head, offer.sizeBytes);
    const done: PushState = { ...state, form: undefined };
    return sizeBytes > 0
      ? [done, [offered({ ...offer, sizeBytes })]]
      : [done, [answer(connection, uploadAnswer(400, "the file is empty"))]];
  }
  if (head.text.length + missing > offer.sizeBytes)
    return [
      { ...state, form: undefined },
      [answer(connection, uploadAnswer(400, "the form ends before its file begins"))],
    ];
  const maxBytes = Math.min(missing, available);
  return [{ ...state, form }, maxBytes > 0 ? [{ type: "readPush", connection, maxBytes }] : []];
}

const offered = (offer: PushOffer): Raise => ({ type: "raise", event: { type: "pushOffered", offer } });

const answer = (connection: number, response: HttpResponse): Effect => ({
  type: "answerPush",
  connection,
  response,
});

/** The owner has changed who may push: espota is switched on or off with it. */
const reopened = (state: PushState): Step => [
  state,
  state.listening ? [{ type: "startPush", espota: espotaIsOn(state) }] : [],
];

/** espota's protocol has no field for a signature, so it is on only where unsigned images are accepted. */
export const espotaIsOn = (state: PushState): boolean => state.token !== "" && state.acceptUnsigned;

const pushSettings = (boot: Stamped<Booted>): PushState => ({
  ...initialPush,
  token: boot.stored[TOKEN_KEY] ?? boot.build.pushToken ?? "",
  acceptBearer: boot.stored[BEARER_KEY] !== "0",
  boot,
  acceptUnsigned: boot.stored[UNSIGNED_KEY] === "1",
  slotBytes: boot.target?.sizeBytes ?? 0,
});

const ownerOf = ({ token, acceptBearer, boot }: PushState): Owner => ownerSince(boot, token, acceptBearer);
