// The result of comparing a file of golden vectors, and how two results are compared. It is independent of formats.

/** Where a result first differs from what was measured. */
export interface Difference {
  /** Which case, and what of it. */
  readonly at: string;
  readonly found: unknown;
  readonly expected: unknown;
}

export interface FileReport {
  readonly file: string;
  readonly cases: number;
  readonly equal: number;
  readonly different: number;
  /** Finer things that were compared within the cases, such as steps. */
  readonly parts?: { readonly count: number; readonly unit: string };
  readonly first?: Difference;
  /** Intended differences, each with its reason; not counted as different. */
  readonly onPurpose: readonly { readonly at: string; readonly reason: string }[];
}

/** How the cases of one kind of file are checked. */
export interface CaseChecker<Case, Context> {
  /** Says which case it is, for a person. */
  readonly describe: (test: Case) => string;
  /** Runs the case; the first difference from what was measured. */
  readonly difference: (test: Case, context: Context) => Difference | undefined;
  readonly parts?: { readonly unit: string; readonly count: (test: Case) => number };
}

export function checkCases<Case, Context>(
  file: string,
  cases: readonly Case[],
  checker: CaseChecker<Case, Context>,
  context: Context,
): FileReport {
  let different = 0;
  let first: Difference | undefined;
  for (const [index, test] of cases.entries()) {
    const difference = differenceOf(test, checker, context);
    if (difference === undefined) continue;
    different += 1;
    const { at, found, expected } = difference;
    first ??= {
      at: `case ${index} (${checker.describe(test)})${at === "" ? "" : `, ${at}`}`,
      found,
      expected,
    };
  }
  const { parts } = checker;
  return {
    file,
    cases: cases.length,
    equal: cases.length - different,
    different,
    onPurpose: [],
    ...(parts ? { parts: { unit: parts.unit, count: sum(cases.map(parts.count)) } } : {}),
    ...(first ? { first } : {}),
  };
}

/** A case that cannot be run at all differs. */
function differenceOf<Case, Context>(
  test: Case,
  checker: CaseChecker<Case, Context>,
  context: Context,
): Difference | undefined {
  try {
    return checker.difference(test, context);
  } catch (error) {
    return { at: "it cannot be run", found: String(error), expected: "a result" };
  }
}

/** The first place where two JSON values differ; bytes are compared as bytes. */
export function compare(found: unknown, expected: unknown, at = ""): Difference | undefined {
  if (Object.is(found, expected)) return undefined;
  if (found instanceof Uint8Array && expected instanceof Uint8Array) return compareBytes(found, expected, at);
  if (!isObject(found) || !isObject(expected) || Array.isArray(found) !== Array.isArray(expected)) {
    return { at, found, expected };
  }
  for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
    const difference = compare(found[key], expected[key], at === "" ? key : `${at}.${key}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

const SHOWN_BYTES = 32;

function compareBytes(found: Uint8Array, expected: Uint8Array, at: string): Difference | undefined {
  const shared = Math.min(found.length, expected.length);
  let offset = 0;
  while (offset < shared && found[offset] === expected[offset]) offset += 1;
  if (offset === shared && found.length === expected.length) return undefined;
  const show = (bytes: Uint8Array) =>
    `${hexOf(bytes.subarray(offset, offset + SHOWN_BYTES))} … of ${bytes.length} bytes`;
  return {
    at: `${at === "" ? "" : `${at}, `}byte 0x${offset.toString(16)}`,
    found: show(found),
    expected: show(expected),
  };
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** `[[offset, "hex"], …]` */
export type Patches = readonly (readonly [number, string])[];

/** Replaces the bytes at the offsets; what lies past the end counted as 0xFF before. */
export function applyPatches(base: Uint8Array, patches: Patches = []): Uint8Array {
  const ends = patches.map(([offset, hex]) => offset + hex.length / 2);
  const patched = new Uint8Array(Math.max(base.length, ...ends)).fill(0xff);
  patched.set(base);
  for (const [offset, hex] of patches) patched.set(Buffer.from(hex, "hex"), offset);
  return patched;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
