// A request on port 80, from its head to the event for the device's machines. It checks only whether the request can be read at all;
// who may do what is decided in local/guard.ts and wifi/portal-requests.ts.

import type { HttpResponse } from "../effect.js";
import { type Failure, fail, type Result, succeed } from "../errors.js";
import type { Event, RequestHead } from "../event.js";
import { bodyBytes, contentLength, type HeadError, headStatus, hostNameOf } from "./http.js";

/** Longest body. The forms of the device's pages have less than half of that, and each connection may hold one, as bytes and as text. */
export const MAX_BODY_BYTES = 2048;

export type PageError = HeadError | "LENGTH_MISSING" | "LENGTH_MALFORMED" | "BODY_TOO_LONG";

const STATUS: Readonly<Partial<Record<PageError, number>>> = Object.freeze({
  LENGTH_MISSING: 411,
  LENGTH_MALFORMED: 400,
  BODY_TOO_LONG: 413,
});

/** Length of a request's body, bytes; checked before a byte of it is read. */
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

/** A refusal in the format of the device's own API. */
export const pageRefusal = ({ code, message }: Failure<PageError>): HttpResponse => ({
  status: STATUS[code] ?? headStatus(code as HeadError),
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ code, message }),
});

/** HEAD is answered like GET; the adapter leaves the body out. */
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
