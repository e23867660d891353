// Byte ranges (RFC 9110 §14): which bytes of a file a download asks for.

export interface Part {
  readonly start: number;
  /** Included. */
  readonly end: number;
}

export type RangeAnswer =
  | { readonly kind: "whole" }
  /** Both ends included. */
  | ({ readonly kind: "part" } & Part)
  /** Two or more, in the order asked for. */
  | { readonly kind: "parts"; readonly parts: readonly Part[] }
  | { readonly kind: "unsatisfiable" };

/** More ranges in one request than any client of ours needs: the whole file is sent, as §14.2 advises against such requests. */
const MAX_PART_COUNT = 16;
/** Longest header that is read. */
const MAX_HEADER_LENGTH = 512;

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
  const specs = readSpecs(range);
  if (!specs) return { kind: "whole" };
  const parts = specs.map((spec) => resolve(spec, sizeBytes)).filter((part) => part !== undefined);
  const [first] = parts;
  if (!first) return { kind: "unsatisfiable" };
  if (parts.length === 1) return { kind: "part", ...first };
  // Overlapping ranges that ask for more than there is are an old way to make a server work hard.
  const askedBytes = parts.reduce((sum, { start, end }) => sum + end - start + 1, 0);
  return askedBytes > sizeBytes ? { kind: "whole" } : { kind: "parts", parts };
}

type Spec = { readonly first: number; readonly last: number | undefined } | { readonly suffix: number };

/** `undefined`: malformed or of another unit, and so to be ignored (§14.2). */
function readSpecs(range: string): readonly Spec[] | undefined {
  if (range.length > MAX_HEADER_LENGTH) return undefined;
  const [, set] = /^bytes=(.*)$/i.exec(range.trim()) ?? [];
  const specs = set?.split(",").map((text) => readSpec(text.trim()));
  if (!specs || specs.length > MAX_PART_COUNT || specs.some((spec) => spec === undefined)) return undefined;
  return specs as readonly Spec[];
}

function readSpec(text: string): Spec | undefined {
  const [, first = "", last = ""] = /^(\d{0,15})-(\d{0,15})$/.exec(text) ?? [];
  if (first === "") return last === "" ? undefined : { suffix: Number(last) };
  if (last === "") return { first: Number(first), last: undefined };
  return Number(last) < Number(first) ? undefined : { first: Number(first), last: Number(last) };
}

/** `undefined`: outside the file. */
function resolve(spec: Spec, sizeBytes: number): Part | undefined {
  if ("suffix" in spec) {
    if (spec.suffix === 0 || sizeBytes === 0) return undefined;
    return { start: Math.max(0, sizeBytes - spec.suffix), end: sizeBytes - 1 };
  }
  if (spec.first >= sizeBytes) return undefined;
  return { start: spec.first, end: Math.min(spec.last ?? sizeBytes - 1, sizeBytes - 1) };
}
