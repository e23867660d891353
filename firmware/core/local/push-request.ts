// What is wrong with a request that pushes an image, before its credentials are looked at and after. Pure: never decides who may push.

import type { HttpResponse } from "../effect.js";
import type { PushOffer, RequestHead } from "../event.js";
import { pushRefusal, uploadAnswer } from "../http/answer.js";
import { bodyStatus, contentLength } from "../http/framing.js";
import { allowedOrigin, RELEASE_HEADER, wantsJson } from "../http/http.js";
import { PUSH_PATHS, UPLOAD_PATH } from "../http/push-paths.js";
import { isKnownMethod } from "../http/request-line.js";

/** What a device that takes pushes decides by. */
export interface Taker {
  readonly isListening: boolean;
  readonly hasToken: boolean;
  readonly slotBytes: number;
  readonly acceptUnsigned: boolean;
  /** The release that was sent before the image, for uploads; undefined: none. */
  readonly release: string | undefined;
}

/** A refusal in the form that the client reads. */
export function refused(
  head: RequestHead,
  status: number,
  message: string,
  headers: HttpResponse["headers"] = {},
): HttpResponse {
  if (head.path !== UPLOAD_PATH) return pushRefusal(wantsJson(head), status, message, headers);
  const response = uploadAnswer(status, message);
  return { ...response, headers: { ...response.headers, ...headers } };
}

/** The answer to what is no push, or cannot be one now. It reveals nothing about the device. */
export function answerWithoutCredentials(head: RequestHead, taker: Taker): HttpResponse | undefined {
  const { method, path } = head;
  if (!isKnownMethod(method)) return refused(head, 501, "images are pushed by POST");
  if (!PUSH_PATHS.includes(path)) return refused(head, 404, "images are pushed to /update");
  if (method === "OPTIONS") return preflight(head);
  if (method !== "POST") return refused(head, 405, "images are pushed by POST", { allow: "POST, OPTIONS" });
  if (!taker.isListening) return refused(head, 503, "images are pushed once the device is in its network");
  return taker.hasToken ? undefined : refused(head, 403, "push is off: this device has no push token");
}

/** The image that an authorized request offers, or the answer that refuses it. */
export function readOffer(connection: number, head: RequestHead, taker: Taker): PushOffer | HttpResponse {
  const isJson = wantsJson(head);
  const hold = head.path === UPLOAD_PATH;
  const length = contentLength(head);
  if (!length.ok) return refused(head, bodyStatus(length.failure.code), length.failure.message);
  const sizeBytes = length.value;
  if (sizeBytes === undefined) return refused(head, 411, "Content-Length is missing");
  if (sizeBytes === 0) return refused(head, 400, "the body is empty");
  if (sizeBytes > taker.slotBytes)
    return refused(head, 413, `image is ${sizeBytes} bytes, slot is ${taker.slotBytes}`);
  const release = head.headers[RELEASE_HEADER] ?? (hold ? taker.release : undefined);
  if (release === undefined && !taker.acceptUnsigned) {
    const message = "X-Skyslot-Release is missing, and unsigned local updates are switched off";
    return refused(head, 403, message);
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
