// What the headers of an HTTP answer say of its body, and whether it is the part that was asked for. Read strictly: what is not as it
// should be counts as not said.

import type { Failure } from "../errors.js";
import { OFFER_HEADER } from "../wire.js";

type Headers = Readonly<Record<string, string>>;

/** The headers of an answer that are used; the others are dropped as they arrive. */
export const KEPT_ANSWER_HEADERS: readonly string[] = Object.freeze([
  "content-length",
  "content-range",
  "etag",
  "transfer-encoding",
  OFFER_HEADER,
]);

/** Bytes that the body has; `undefined`: not told, or no number. */
export function announcedBytes(headers: Headers): number | undefined {
  const told = headers["content-length"] ?? "";
  return /^\d{1,10}$/.test(told) ? Number(told) : undefined;
}

/** What the answer to a check says of its offer; `undefined`: nothing. */
export function announcedOffer(
  headers: Headers,
): { readonly firmwareId: number; readonly time: number } | undefined {
  const [, firmwareId, time] = /^(\d{1,15}) (\d{1,10})$/.exec(headers[OFFER_HEADER] ?? "") ?? [];
  return time === undefined ? undefined : { firmwareId: Number(firmwareId), time: Number(time) };
}

/** Bytes of a file that are asked for: from `start` up to, not including, `end`. */
export interface Part {
  readonly start: number;
  readonly end: number;
  /** Of the whole file, as it was signed. */
  readonly totalBytes: number;
}

/** The header that asks for it; none for a whole file, which any server can send. */
export const rangeHeader = ({ start, end, totalBytes }: Part): Headers =>
  start === 0 && end === totalBytes ? {} : { range: `bytes=${start}-${end - 1}` };

/** Why the body that is announced is not this part. RANGE_IGNORED with status 200: the server sends the whole file instead. */
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
