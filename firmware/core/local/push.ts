// Authorization of pushed images on port 3232, of unsigned ones and of uploads on port 80, too. Checks credentials, length and manifest of a
// request and passes a valid one to the update machine as an offer. Never touches the slot.
//
//   pushRequested ─ another path, no or wrong credentials, no length, too large, unsigned ─► answered
//        └──────── valid ─► pushOffered ─► update machine: 409, or the transfer and its answer (pushed-update.ts)
//        └──────── valid, a form with a file in it (curl -F, a browser's form) ─► its head is read ─► pushOffered: what follows is the file
//
// An upload (/api/ota/upload) is staged only. Its release may come before, for who sends a form and no headers: POST /api/ota/release.

import { textsEqual } from "../bytes.js";
import type { Effect, HttpResponse } from "../effect.js";
import type { Booted, PushOffer, Raise, RequestHead, Stamped } from "../event.js";
import { pushRefusal, uploadAnswer } from "../http/answer.js";
import { bodyStatus, contentLength } from "../http/framing.js";
import { allowedOrigin, RELEASE_HEADER, wantsJson } from "../http/http.js";
import {
  boundaryOf,
  fileBytes,
  missingBytes,
  type PartHead,
  partProblem,
  withBytes,
} from "../http/multipart.js";
import { PUSH_PATHS, UPLOAD_PATH } from "../http/push-paths.js";
import { isKnownMethod } from "../http/request-line.js";
import { TOKEN_KEY, UNSIGNED_KEY } from "../settings/preferences.js";

/** Where pushed images are accepted. */
export const PUSH_PORT = 3232;

const MAX_TOKEN_CHARACTERS = 256;

export interface PushState {
  readonly token: string;
  readonly acceptUnsigned: boolean;
  readonly slotBytes: number;
  readonly listening: boolean;
  /** A form whose file has not begun yet. */
  readonly form: Form | undefined;
  /** Of the next upload, and until when it counts, ms since the boot. */
  readonly release: { readonly text: string; readonly untilMs: number } | undefined;
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
      return reopened({ ...state, token: event.token });
    case "unsignedChosen":
      return reopened({ ...state, acceptUnsigned: event.accept });
    case "pushRequested": {
      const checked = checkPush(state, event);
      return "status" in checked
        ? [state, [answer(event.connection, checked)]]
        : begin(state, checked, event.head);
    }
    case "releaseGiven":
      return [{ ...state, release: { text: event.release, untilMs: event.at + RELEASE_WAIT_MS } }, []];
    case "pushReadable":
    case "pushData":
    case "pushClosed":
      return state.form?.offer.connection === event.connection
        ? formStep(state, state.form, event)
        : [state, []];
    default:
      return [state, []];
  }
}

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

const pushSettings = ({ stored, build, target }: Booted): PushState => ({
  ...initialPush,
  token: stored[TOKEN_KEY] ?? build.pushToken ?? "",
  acceptUnsigned: stored[UNSIGNED_KEY] === "1",
  slotBytes: target?.sizeBytes ?? 0,
});

/** The offer, or the response that refuses it. The first checks reveal nothing about the device to an unauthorized client. */
function checkPush(
  state: PushState,
  { connection, head, at }: Extract<Stamped, { readonly type: "pushRequested" }>,
): PushOffer | HttpResponse {
  const isJson = wantsJson(head);
  const hold = head.path === UPLOAD_PATH;
  const refused = (status: number, message: string, headers: HttpResponse["headers"] = {}): HttpResponse => {
    if (!hold) return pushRefusal(isJson, status, message, headers);
    const response = uploadAnswer(status, message);
    return { ...response, headers: { ...response.headers, ...headers } };
  };
  if (!isKnownMethod(head.method)) return refused(501, "images are pushed by POST");
  if (!PUSH_PATHS.includes(head.path)) return refused(404, "images are pushed to /update");
  if (head.method === "OPTIONS") return preflight(head);
  if (head.method !== "POST") return refused(405, "images are pushed by POST", { allow: "POST, OPTIONS" });
  if (!state.listening) return refused(503, "images are pushed once the device is in its network");
  if (state.token === "") return refused(403, "push is off: this device has no push token");
  const given = /^Bearer (.+)$/i.exec(head.headers.authorization ?? "")?.[1];
  if (given === undefined) {
    return refused(401, "Authorization: Bearer TOKEN is missing", { "www-authenticate": "Bearer" });
  }
  if (given.length > MAX_TOKEN_CHARACTERS || !textsEqual(given, state.token)) {
    return refused(403, "this is not the push token of this device");
  }
  const length = contentLength(head);
  if (!length.ok) return refused(bodyStatus(length.failure.code), length.failure.message);
  const sizeBytes = length.value;
  if (sizeBytes === undefined) return refused(411, "Content-Length is missing");
  if (sizeBytes === 0) return refused(400, "the body is empty");
  if (sizeBytes > state.slotBytes) {
    return refused(413, `image is ${sizeBytes} bytes, slot is ${state.slotBytes}`);
  }
  const sent = state.release && at < state.release.untilMs ? state.release.text : undefined;
  const release = head.headers[RELEASE_HEADER] ?? (hold ? sent : undefined);
  if (release === undefined && !state.acceptUnsigned) {
    return refused(403, "X-Skyslot-Release is missing, and unsigned local updates are switched off");
  }
  return {
    connection,
    sizeBytes,
    ...(isJson ? { isJson } : {}),
    ...(hold ? { hold } : {}),
    ...(release === undefined ? {} : { release }),
  };
}

/** CORS preflight of a browser page that pushes. */
function preflight(head: RequestHead): HttpResponse {
  if (allowedOrigin(head) === undefined)
    return pushRefusal(wantsJson(head), 403, "only pages of this device may push");
  return {
    status: 204,
    headers: {
      "access-control-allow-methods": "POST",
      "access-control-allow-headers": `accept, authorization, content-type, ${RELEASE_HEADER}`,
      "access-control-max-age": "600",
    },
    body: "",
  };
}
