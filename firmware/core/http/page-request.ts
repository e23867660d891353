// A request on port 80, from its head to the event for the device's machines. It checks only whether the request can be read at all;
// who may do what is decided in local/guard.ts and wifi/portal-requests.ts.

import type { HttpResponse } from "../effect.js";
import { type Failure, fail, type Result, succeed } from "../errors.js";
import type { Event, RequestHead } from "../event.js";
import { type BodyError, bodyStatus, contentLength } from "./framing.js";
import { type HeadError, headStatus, hostNameOf } from "./http.js";
import { isKnownMethod } from "./request-line.js";

/** Longest body. The forms of the device's pages have less than half of that, and each connection may hold one, as bytes and as text. */
export const MAX_BODY_BYTES = 2048;

export type PageError = HeadError | BodyError | "METHOD_UNKNOWN" | "BODY_TOO_LONG";

/** Length of a request's body, bytes; checked before a byte of it is read. */
export function pageBodyBytes(head: RequestHead): Result<number, PageError> {
  if (!isKnownMethod(head.method)) return fail("METHOD_UNKNOWN", "No page here knows this method.");
  const length = contentLength(head);
  if (!length.ok) return length;
  const sizeBytes = length.value ?? 0;
  if (sizeBytes > MAX_BODY_BYTES) {
    return fail("BODY_TOO_LONG", `The body is ${sizeBytes} bytes long; ${MAX_BODY_BYTES} are allowed.`);
  }
  return succeed(sizeBytes);
}

function statusOf(code: PageError): number {
  switch (code) {
    case "METHOD_UNKNOWN":
      return 501;
    case "BODY_TOO_LONG":
      return 413;
    case "LENGTH_MISSING":
    case "CODING_UNKNOWN":
      return bodyStatus(code);
    default:
      return headStatus(code);
  }
}

/** A refusal in the format of the device's own API. */
export const pageRefusal = ({ code, message }: Failure<PageError>): HttpResponse => ({
  status: statusOf(code),
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ code, message }),
});

/** HEAD is answered like GET; the adapter leaves the body out. */
export function requestReceived(
  connection: number,
  head: RequestHead,
  body: string,
  address: string | undefined,
): Event {
  const { method, path, query, headers } = head;
  return {
    type: "requestReceived",
    connection,
    method: method === "HEAD" ? "GET" : method,
    path: query === undefined ? path : `${path}?${query}`,
    host: hostNameOf(head),
    origin: headers.origin,
    contentType: headers["content-type"],
    authorization: headers.authorization,
    address,
    body,
  };
}
