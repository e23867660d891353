// The reason phrases that the SDK's HTTP server sends.

import { STATUS_CODES } from "node:http";

/** The reasons that differ between the SDK and Node; every other unknown status is "OK". */
const REASONS: Readonly<Record<number, string>> = Object.freeze({
  413: "Request Entity Too Large",
  414: "Request-URI Too Long",
  416: "Requested Range Not Satisfiable",
});
const UNKNOWN_REASONS: ReadonlySet<number> = new Set([
  102, 103, 208, 226, 308, 418, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 506, 507, 508, 509, 510,
  511,
]);

export function reasonOf(status: number): string {
  if (UNKNOWN_REASONS.has(status)) return "OK";
  return REASONS[status] ?? STATUS_CODES[status] ?? "OK";
}
