// What the headers of an HTTP response say about its body, and whether it is the requested part. Parsed strictly: a malformed header
// counts as absent.

import type { Failure } from "../errors.js";
import { OFFER_HEADER } from "../wire.js";

type Headers = Readonly<Record<string, string>>;

/** The response headers that are used; the others are dropped as they arrive. */
export const KEPT_ANSWER_HEADERS: readonly string[] = Object.freeze([
  "content-length",
  "content-range",
  "etag",
  "transfer-encoding",
  OFFER_HEADER,
]);

/** Length of the body, bytes; `undefined`: no such header, or not a number. */
export function announcedBytes(headers: Headers): number | undefined {
  const text = headers["content-length"] ?? "";
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** What the response to a check says about its offer; `undefined`: nothing. */
export function announcedOffer(
  headers: Headers,
): { readonly firmwareId: number; readonly time: number } | undefined {
  const [, firmwareId, time] = /^(\d{1,15}) (\d{1,10})$/.exec(headers[OFFER_HEADER] ?? "") ?? [];
  const id = Number(firmwareId);
  return time === undefined || id === 0 ? undefined : { firmwareId: id, time: Number(time) };
}

/** Bytes of a file to request: from `start` up to, not including, `end`. */
export interface Part {
  readonly start: number;
  readonly end: number;
  /** Of the whole file, as it was signed. */
  readonly totalBytes: number;
}

/** The header that requests it; none for a whole file, which any server can send. */
export const rangeHeader = ({ start, end, totalBytes }: Part): Headers =>
  start === 0 && end === totalBytes ? {} : { range: `bytes=${start}-${end - 1}` };

/** Why the announced body is not this part. RANGE_IGNORED with status 200: the server sends the whole file instead. */
export function partFailure(
  part: Part,
  { status, headers }: { readonly status: number; readonly headers: Headers },
): Failure | undefined {
  const { start, end, totalBytes } = part;
  const isAsked = rangeHeader(part).range !== undefined;
  const named = `bytes ${start} to ${end - 1} of ${totalBytes}`;
  if (status !== 206 && status !== 200) {
    return { code: "HTTP_STATUS", message: `server answered ${status} to a request for ${named}` };
  }
  if (status === 200 && isAsked) {
    return { code: "RANGE_IGNORED", message: `server answered 200 to a request for ${named}` };
  }
  const range = headers["content-range"] ?? "";
  if (status === 206 && range !== `bytes ${start}-${end - 1}/${totalBytes}`) {
    return {
      code: "RANGE_IGNORED",
      message: `server answered range "${range.slice(0, 64)}" to a request for ${named}`,
    };
  }
  const length = announcedBytes(headers);
  if (length !== end - start) {
    return { code: "BODY_TRUNCATED", message: `server announces ${length ?? "no"} bytes for ${named}` };
  }
  return undefined;
}
