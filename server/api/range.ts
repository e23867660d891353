// Byte ranges (RFC 9110 §14): the one range that a download asks for. Never answers several ranges in one response: a request
// for them gets the whole file, which the RFC allows and every client must understand.

export type RangeAnswer =
  | { readonly kind: "whole" }
  /** Both ends included. */
  | { readonly kind: "part"; readonly start: number; readonly end: number }
  | { readonly kind: "unsatisfiable" };

/** What `Range` and `If-Range` mean for a file of `sizeBytes` with the strong validator `etag`. */
export function readRange(
  range: string | undefined,
  ifRange: string | undefined,
  etag: string,
  sizeBytes: number,
): RangeAnswer {
  if (range === undefined) return { kind: "whole" };
  // Another validator, a weak one or a date: the client's part may be of another file (§13.1.5).
  if (ifRange !== undefined && ifRange !== etag) return { kind: "whole" };
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(range.trim());
  // A malformed range or another unit is ignored (§14.2).
  if (!match || (match[1] === "" && match[2] === "")) return { kind: "whole" };
  if (match[1] === "") return lastBytes(Number(match[2]), sizeBytes);
  const start = Number(match[1]);
  const last = match[2] === "" ? sizeBytes - 1 : Number(match[2]);
  if (last < start && match[2] !== "") return { kind: "whole" };
  if (start >= sizeBytes) return { kind: "unsatisfiable" };
  return { kind: "part", start, end: Math.min(last, sizeBytes - 1) };
}

function lastBytes(count: number, sizeBytes: number): RangeAnswer {
  if (count === 0 || sizeBytes === 0) return { kind: "unsatisfiable" };
  return { kind: "part", start: Math.max(0, sizeBytes - count), end: sizeBytes - 1 };
}
