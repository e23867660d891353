// Where a request ends, and whether its head contradicts itself: two clients, or a proxy in between, could read such a request differently.
// RFC 9112, 3.2 (Host) and 6.3 (length of a body). Pure.

import { fail, type Result, succeed } from "../errors.js";
import type { RequestHead } from "../event.js";
import { isHost, type RequestLine } from "./request-line.js";

export type BodyError = "LENGTH_MISSING" | "CODING_UNKNOWN";

/** What is wrong with a complete head, in a sentence; nothing if it can be trusted. */
export function headProblem(
  { isOld }: Pick<RequestLine, "isOld">,
  headers: RequestHead["headers"],
): string | undefined {
  const { host, "content-length": length, "transfer-encoding": coding } = headers;
  if (host === undefined && !isOld) return "Host is missing";
  if (host !== undefined && !isHost(host)) return "Host is not a name or an address";
  if (length !== undefined && !/^\d{1,10}$/.test(length))
    return "Content-Length is not a number of bytes, of at most 10 digits";
  if (length !== undefined && coding !== undefined)
    return "Content-Length and Transfer-Encoding exclude each other";
  if (coding !== undefined && isOld) return "HTTP/1.0 has no Transfer-Encoding";
  return undefined;
}

/** Bytes of the body as its header says; undefined if there is no such header. A body in chunks is not read. */
export function contentLength({ headers }: RequestHead): Result<number | undefined, BodyError> {
  const { "content-length": length, "transfer-encoding": coding } = headers;
  if (coding === undefined) return succeed(length === undefined ? undefined : Number(length));
  return coding.toLowerCase() === "chunked"
    ? fail("LENGTH_MISSING", "A body needs a Content-Length; chunks are not read here.")
    : fail("CODING_UNKNOWN", "A body is read as it is: Transfer-Encoding is not supported here.");
}

export const bodyStatus = (code: BodyError): number => (code === "LENGTH_MISSING" ? 411 : 501);

/**
 * Bytes that follow the head: 0 if none are announced, Infinity if their end cannot be known. Until that many are read, closing the
 * connection would reset it, and its sender lose the answer.
 */
export function bodyBytes(head: RequestHead): number {
  const length = contentLength(head);
  return length.ok ? (length.value ?? 0) : Number.POSITIVE_INFINITY;
}
