// A request on port 80, from its head to the event that the device's machines hear. It decides nothing about who may do what
// (local/guard.ts, portal-requests.ts); it only says what can be read at all.

import type { HttpResponse } from "../effect.js";
import { type Failure, fail, type Result, succeed } from "../errors.js";
import type { Event, RequestHead } from "../event.js";
import { bodyBytes, contentLength, type HeadError, headStatus, hostNameOf } from "./http.js";

/** Longest body. No form of ours has half of that, and each connection may hold one, as bytes and as text. */
export const MAX_BODY_BYTES = 2048;

export type PageError = HeadError | "LENGTH_MISSING" | "LENGTH_MALFORMED" | "BODY_TOO_LONG";

const STATUS: Readonly<Partial<Record<PageError, number>>> = Object.freeze({
  LENGTH_MISSING: 411,
  LENGTH_MALFORMED: 400,
  BODY_TOO_LONG: 413,
});

/** How long the body of a page's request is, bytes; judged before a byte of it is read. */
export function pageBodyBytes(head: RequestHead): Result<number, PageError> {
  const sizeBytes = bodyBytes(head);
  if (head.headers["transfer-encoding"] !== undefined) {
    return fail("LENGTH_MISSING", "A body needs a Content-Length; chunks are not read here.");
  }
  if (sizeBytes > 0 && contentLength(head) === undefined) {
    return fail("LENGTH_MALFORMED", "Content-Length is not a number of bytes.");
  }
  if (sizeBytes > MAX_BODY_BYTES) {
    return fail("BODY_TOO_LONG", `The body is ${sizeBytes} bytes long; ${MAX_BODY_BYTES} are allowed.`);
  }
  return succeed(sizeBytes);
}

/** A refusal as the device's own API words it. */
export const pageRefusal = ({ code, message }: Failure<PageError>): HttpResponse => ({
  status: STATUS[code] ?? headStatus(code as HeadError),
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ code, message }),
});

/** HEAD is answered as GET is; its body is left out on the way. */
export function requestReceived(connection: number, head: RequestHead, body: string): Event {
  const { method, path, headers } = head;
  return {
    type: "requestReceived",
    connection,
    method: method === "HEAD" ? "GET" : method,
    path,
    host: hostNameOf(head),
    origin: headers.origin,
    contentType: headers["content-type"],
    authorization: headers.authorization,
    body,
  };
}
