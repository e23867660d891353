// What the headers of an HTTP answer say, as values. Parsed strictly: a malformed header counts as absent.

import { readDigits } from "../digits.js";
import { OFFER_HEADER } from "../wire.js";

export type Headers = Readonly<Record<string, string>>;

/** The response headers that are used; the others are dropped as they arrive. */
export const KEPT_ANSWER_HEADERS: readonly string[] = Object.freeze([
  "content-length",
  "content-range",
  "content-type",
  "date",
  "etag",
  "location",
  "retry-after",
  "transfer-encoding",
  OFFER_HEADER,
]);

/** Length of the body, bytes; `undefined`: not said, the body comes in chunks or until the connection ends. */
export const announcedBytes = (headers: Headers): number | undefined =>
  readDigits(headers["content-length"] ?? "");

/** Whether the body is JSON: a page of a captive network, or of a proxy, is not. */
export const isJson = (headers: Headers): boolean =>
  (headers["content-type"] ?? "").slice(0, 16).toLowerCase() === "application/json";

/** What the response to a check says about its offer; `undefined`: nothing. */
export function announcedOffer(
  headers: Headers,
): { readonly firmwareId: number; readonly time: number } | undefined {
  const text = headers[OFFER_HEADER] ?? "";
  const blank = text.indexOf(" ");
  const firmwareId = readDigits(text.slice(0, Math.max(0, blank)));
  const time = readDigits(text.slice(blank + 1), 10);
  return !firmwareId || time === undefined ? undefined : { firmwareId, time };
}
