// Makes, signs and reads system manifests: which releases of several devices are to run together. A system names the releases; it replaces
// none of their manifests, by which each device verifies its image.

import { parseSystem, SYSTEM_TYPE, type System } from "../firmware/core/system/manifest.js";
import type { Release } from "../firmware/core/update/release.js";
import { compareVersions, parseVersion, versionNumber } from "../firmware/core/update/version.js";
import type { SystemComponent, SystemPayload } from "../firmware/core/wire.js";
import { ReleaseError } from "./error.js";
import type { SigningKey } from "./signer.js";
import { type SignedManifest, signPayload } from "./signing.js";

export const REBOOT_DELAY_SECONDS = 5;
/** How long the leader of a system waits for a device that it has updated. */
export const HEALTH_TIMEOUT_SECONDS = 30;

export interface SystemOptions {
  readonly name: string;
  /** Default: the one version that all its releases have. */
  readonly version?: string;
  readonly minCompatibleVersion?: string;
  readonly description?: string;
  /** Default: 5. */
  readonly rebootDelaySeconds?: number;
  /** Default: 30. */
  readonly healthTimeoutSeconds?: number;
  /** Seconds since 1970. */
  readonly created: number;
  readonly expires?: number;
}

/** A release in a system. */
export interface Member {
  /** In the system; default: its device type. */
  readonly name?: string;
  readonly release: Release;
}

/**
 * The payload to sign. @param members in the order in which they are updated
 * @throws ReleaseError SYSTEM_INCOMPATIBLE, SYSTEM_MALFORMED
 */
export function describeSystem(members: readonly Member[], options: SystemOptions): SystemPayload {
  requireCompatible(members.map(({ release }) => release));
  const { rebootDelaySeconds = REBOOT_DELAY_SECONDS, healthTimeoutSeconds = HEALTH_TIMEOUT_SECONDS } =
    options;
  const { version = commonVersion(members), minCompatibleVersion, description, expires } = options;
  return {
    format: 1,
    name: options.name,
    version,
    ...(minCompatibleVersion === undefined ? {} : { minCompatibleVersion }),
    components: members.map(describeMember),
    rebootDelaySeconds,
    healthTimeoutSeconds,
    ...(description === undefined ? {} : { description }),
    created: options.created,
    ...(expires === undefined ? {} : { expires }),
  };
}

const describeMember = ({ release, name = release.type }: Member): SystemComponent => ({
  name,
  type: release.type,
  hardware: release.hardware,
  version: release.version,
  build: release.build,
  sha256: release.sha256,
});

function commonVersion(members: readonly Member[]): string {
  const versions = [...new Set(members.map(({ release }) => release.version))];
  const [version] = versions;
  if (versions.length === 1 && version !== undefined) return version;
  throw new ReleaseError(
    "SYSTEM_MALFORMED",
    `the version of the system is missing, and its releases have ${versions.join(", ") || "none"}`,
  );
}

/** Whether releases can talk to each other once all of them run. @throws ReleaseError SYSTEM_INCOMPATIBLE */
export function requireCompatible(releases: readonly Release[]): void {
  const [first] = releases;
  const other = releases.find(({ protocolVersion }) => protocolVersion !== first?.protocolVersion);
  if (first && other)
    throw new ReleaseError(
      "SYSTEM_INCOMPATIBLE",
      `${nameOf(first)} speaks protocol ${first.protocolVersion}, ${nameOf(other)} speaks ${other.protocolVersion}`,
    );
  for (const release of releases) requireRecent(release, releases);
}

/** As devices compare versions in their packets: by their numbers. */
function requireRecent(demanding: Release, releases: readonly Release[]): void {
  const minimum = parseVersion(demanding.minCompatible ?? "");
  if (!minimum) return;
  const old = releases.find(
    (release) => release !== demanding && versionNumber(release.parsedVersion) < versionNumber(minimum),
  );
  if (!old) return;
  throw new ReleaseError(
    "SYSTEM_INCOMPATIBLE",
    `${nameOf(demanding)} works with ${demanding.minCompatible} or newer, ${old.type} is ${old.version}`,
  );
}

const nameOf = ({ type, version }: Release): string => `${type} ${version}`;

/** Signs a payload, and reads the result as a device does. @throws KeyError, ReleaseError SYSTEM_MALFORMED, SYSTEM_TOO_LARGE */
export const signSystem = (payload: SystemPayload, key: SigningKey): Promise<string> =>
  signPayload(payload, SYSTEM_TYPE, key, readSystem);

export interface ReadSystem extends SignedManifest {
  readonly system: System;
}

/** Parses a manifest without checking its signature. @throws ReleaseError SYSTEM_MALFORMED, SYSTEM_TOO_LARGE */
export function readSystem(jws: string): ReadSystem {
  const parsed = parseSystem(jws);
  if (!parsed.ok) throw new ReleaseError(parsed.failure.code, parsed.failure.message);
  return { jws, keyId: parsed.value.keyId, system: parsed.value.system };
}

/** Newest first; of two of one version the one that was signed later. */
export const newestSystemFirst = (a: System, b: System): number =>
  compareVersions(b.parsedVersion, a.parsedVersion) || b.created - a.created;
