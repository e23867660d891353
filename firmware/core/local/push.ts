// Authorization of pushed images on port 3232, and of unsigned ones on port 80, too. Checks credentials, length and manifest of a request and passes a valid one to the update
// machine as an offer. Never touches the slot.
//
//   pushRequested ─ another path, no or wrong credentials, no length, too large, unsigned ─► answered
//        └──────── valid ─► pushOffered ─► update machine: 409, or the transfer and its answer (pushed-update.ts)

import { textsEqual } from "../bytes.js";
import type { Effect, HttpResponse } from "../effect.js";
import type { Booted, PushOffer, Raise, RequestHead, Stamped } from "../event.js";
import { pushRefusal } from "../http/answer.js";
import { bodyStatus, contentLength } from "../http/framing.js";
import { allowedOrigin, RELEASE_HEADER, wantsJson } from "../http/http.js";
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
}

export const initialPush: PushState = Object.freeze({
  token: "",
  acceptUnsigned: false,
  slotBytes: 0,
  listening: false,
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
      const checked = checkPush(state, event.connection, event.head);
      return "status" in checked
        ? [state, [{ type: "answerPush", connection: event.connection, response: checked }]]
        : [state, [{ type: "raise", event: { type: "pushOffered", offer: checked } }]];
    }
    default:
      return [state, []];
  }
}

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
function checkPush(state: PushState, connection: number, head: RequestHead): PushOffer | HttpResponse {
  const isJson = wantsJson(head);
  const refused = (status: number, message: string, headers?: HttpResponse["headers"]): HttpResponse =>
    pushRefusal(isJson, status, message, headers);
  if (!isKnownMethod(head.method)) return refused(501, "images are pushed by POST");
  if (head.path !== "/update") return refused(404, "images are pushed to /update");
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
  const release = head.headers[RELEASE_HEADER];
  if (release === undefined && !state.acceptUnsigned) {
    return refused(403, "X-Skyslot-Release is missing, and unsigned local updates are switched off");
  }
  return {
    connection,
    sizeBytes,
    ...(isJson ? { isJson } : {}),
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
