// Versions and their order: semantic versions (semver.org 2.0.0 §11), then the build number. In an image's description the build number
// is build metadata: `1.1.0+7` is build 7 of 1.1.0.

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** Dot-separated identifiers; empty for a release. */
  readonly preRelease: readonly string[];
  readonly build: number;
}

/** Parses `1.2.3`, `1.2.3-rc.1`, `1.2.3+7`; `undefined` if it is not a version. Parts have up to 9 digits. */
export function parseVersion(text: string): Version | undefined {
  const match = /^v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]{1,32}))?(?:\+(\d{1,9}))?$/.exec(text);
  if (!match) return undefined;
  return {
    major: Number(match[1]),
    minor: Number(match[2]),
    patch: Number(match[3]),
    preRelease: match[4] ? match[4].split(".") : [],
    build: Number(match[5] ?? 0),
  };
}

/** Negative if `a` is older than `b`, 0 if equal, positive if newer; the build number decides last. */
export function compareVersions(a: Version, b: Version): number {
  return (
    a.major - b.major ||
    a.minor - b.minor ||
    a.patch - b.patch ||
    comparePreRelease(a.preRelease, b.preRelease) ||
    a.build - b.build
  );
}

/** The version without its build number, as in the `version` fields of the API. */
export function versionName(version: Version): string {
  const core = `${version.major}.${version.minor}.${version.patch}`;
  return version.preRelease.length > 0 ? `${core}-${version.preRelease.join(".")}` : core;
}

/** semver §11.3 and §11.4: a pre-release is older than its release; numbers compare as numbers and are older than words. */
function comparePreRelease(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareIdentifiers(a[i] ?? "", b[i] ?? "");
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareIdentifiers(a: string, b: string): number {
  const aIsNumber = /^\d+$/.test(a);
  const bIsNumber = /^\d+$/.test(b);
  if (aIsNumber && bIsNumber) return Number(a) - Number(b);
  if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
