// Versions and their order: Semantic Versioning 2.0.0 (semver.org), then the build number. Build metadata that is one number is the build:
// `1.1.0+7` is build 7 of 1.1.0. Other metadata, such as a commit's hash, has no order (§10) and is left out. Numbers have any size, so
// they stay text.

export interface Version {
  /** Digits without leading zeros, as are minor and patch. */
  readonly major: string;
  readonly minor: string;
  readonly patch: string;
  /** Dot-separated identifiers; empty for a release. */
  readonly preRelease: readonly string[];
  readonly build: number;
}

/** Bounds what the expressions below cost. An image has room for 31 characters, the wire for 48. */
const MAX_LENGTH = 64;
const MAX_BUILD_DIGITS = 9;

/** Parses `1.2.3`, `1.2.3-rc.1`, `1.2.3+7`, and the same with a `v` before it; `undefined` if it is not a semantic version. */
export function parseVersion(text: string): Version | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const match = /^v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?$/.exec(text);
  if (!match) return undefined;
  const [, major = "", minor = "", patch = "", labels, metadata] = match;
  const preRelease = labels?.split(".") ?? [];
  const isValid =
    [major, minor, patch].every(hasNoLeadingZero) &&
    preRelease.every(
      (identifier) => identifier !== "" && (!isNumber(identifier) || hasNoLeadingZero(identifier)),
    ) &&
    !metadata?.split(".").includes("");
  return isValid ? { major, minor, patch, preRelease, build: buildOf(metadata) } : undefined;
}

/**
 * What a device says it runs, which nobody has checked. Numbers at the beginning that are no semantic version, such as `1.02` or `1.2.3.4`,
 * count as far as they go, so that such a device is not offered an older release by mistake. Without any it is older than every release.
 */
export function readRunningVersion(text: string): Version {
  const parsed = parseVersion(text);
  if (parsed) return parsed;
  const bounded = text.length > MAX_LENGTH ? text.slice(0, MAX_LENGTH) : text;
  const match = /^\s*v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?/.exec(bounded);
  if (!match) return OLDEST;
  const [, major = "", minor = "", patch = "", labels = ""] = match;
  return {
    major: withoutLeadingZeros(major),
    minor: withoutLeadingZeros(minor),
    patch: withoutLeadingZeros(patch),
    preRelease: labels.split(".").filter((identifier) => identifier !== ""),
    build: 0,
  };
}

const OLDEST: Version = Object.freeze({
  major: "0",
  minor: "0",
  patch: "0",
  preRelease: Object.freeze(["0"]),
  build: 0,
});

/** Negative if `a` is older than `b`, 0 if equal, positive if newer; the build number decides last. */
export function compareVersions(a: Version, b: Version): number {
  return (
    compareNumbers(a.major, b.major) ||
    compareNumbers(a.minor, b.minor) ||
    compareNumbers(a.patch, b.patch) ||
    comparePreRelease(a.preRelease, b.preRelease) ||
    a.build - b.build
  );
}

/**
 * As paired devices compare versions, in packets and manifests: MAJOR * 10 000 + MINOR * 100 + PATCH. A patch above 99 counts as 99, a minor
 * above 99 as 99.99, and a version beyond 32 bits as the last one, so that no newer version has a smaller number. Of a pre-release it is
 * the release's.
 */
export const versionNumber = ({ major, minor, patch }: Version): number =>
  Math.min(
    Number(major) * 10_000 + Math.min(Number(minor) * 100 + Math.min(Number(patch), 99), 9_999),
    0xffffffff,
  );

/** The release that `versionNumber` makes this number of, such as `1.2.3`. */
export const numberedVersion = (number: number): string =>
  `${Math.floor(number / 10_000)}.${Math.floor(number / 100) % 100}.${number % 100}`;

/** The version without its build number, as in the `version` fields of the API. */
export function versionName(version: Version): string {
  const core = `${version.major}.${version.minor}.${version.patch}`;
  return version.preRelease.length > 0 ? `${core}-${version.preRelease.join(".")}` : core;
}

/** §11.3 and §11.4: a pre-release is older than its release; numbers compare as numbers and are older than words. */
function comparePreRelease(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareIdentifiers(a[i] ?? "", b[i] ?? "");
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareIdentifiers(a: string, b: string): number {
  if (isNumber(a) && isNumber(b)) return compareNumbers(withoutLeadingZeros(a), withoutLeadingZeros(b));
  if (isNumber(a) !== isNumber(b)) return isNumber(a) ? -1 : 1;
  return compareTexts(a, b);
}

/** Digits without leading zeros: the longer one is greater. */
const compareNumbers = (a: string, b: string): number => a.length - b.length || compareTexts(a, b);

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const isNumber = (text: string): boolean => /^\d+$/.test(text);

const hasNoLeadingZero = (digits: string): boolean => digits.length === 1 || digits[0] !== "0";

const withoutLeadingZeros = (digits: string): string => /^0*(\d+)$/.exec(digits)?.[1] ?? "0";

const buildOf = (metadata = ""): number =>
  isNumber(metadata) && metadata.length <= MAX_BUILD_DIGITS ? Number(metadata) : 0;
