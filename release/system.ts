// Makes, signs and reads system manifests: which releases of several devices are to run together. A system names the releases; it replaces
// none of their manifests, by which each device verifies its image.

import { parseSystem, SYSTEM_TYPE, type System } from "../firmware/core/system/manifest.js";
import type { Release } from "../firmware/core/update/release.js";
import { compareVersions, parseVersion, versionNumber } from "../firmware/core/update/version.js";
import { MAX_SYSTEM_LENGTH, type SystemComponent, type SystemPayload } from "../firmware/core/wire.js";
import { ReleaseError } from "./error.js";
import type { SigningKey } from "./signer.js";
import { addSignature, type SignedManifest, signFirst, signPayload } from "./signing.js";

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
  /** 2 has room for two signatures. Default: 1. */
  readonly format?: SystemPayload["format"];
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
    format: options.format ?? 1,
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
export async function signSystem(payload: SystemPayload, key: SigningKey): Promise<string> {
  if (payload.format !== 2) return signPayload(payload, SYSTEM_TYPE, key, readSystem);
  const [once, length] = await signFirst(payload, SYSTEM_TYPE, key);
  if (length > MAX_SYSTEM_LENGTH)
    throw new ReleaseError(
      "SYSTEM_TOO_LARGE",
      `with two signatures the system manifest has ${length} characters, devices read ${MAX_SYSTEM_LENGTH}: shorten its names`,
    );
  return readSystem(once).jws;
}

/**
 * Adds a signature to a manifest of format 2; one by the same key is replaced.
 * @param members that the second holder means: the manifest has to name exactly these, in this order
 * @throws KeyError, ReleaseError SYSTEM_MALFORMED if it names others, is of another format, or has two signatures by others
 */
export async function addSystemSignature(
  jws: string,
  members: readonly Member[],
  key: SigningKey,
): Promise<string> {
  const { name, version, components } = readSystem(jws).system;
  const meant = members.map(describeMember);
  const other = components.find((component, index) => !isSame(component, meant[index]));
  if (other || meant.length !== components.length)
    throw new ReleaseError(
      "SYSTEM_MALFORMED",
      `${name} ${version} is ${components.map(nameOfComponent).join(", ")}, given are ${meant.map(nameOfComponent).join(", ") || "none"}${other ? `: ${other.name} differs` : ""}`,
    );
  const added = await addSignature(jws, SYSTEM_TYPE, key);
  if (typeof added === "string") return readSystem(added).jws;
  throw new ReleaseError(
    "SYSTEM_MALFORMED",
    `${name} ${version} ${added.isGeneral ? `is signed by ${added.signerCount} other keys already` : "has room for one signature: sign it with --format 2"}`,
  );
}

const nameOfComponent = ({ name, version, build }: SystemComponent): string =>
  `${name} ${version}${build > 0 ? ` build ${build}` : ""}`;

const isSame = (one: SystemComponent, other: SystemComponent | undefined): boolean =>
  one.name === other?.name &&
  one.type === other.type &&
  one.hardware === other.hardware &&
  one.version === other.version &&
  one.build === other.build &&
  one.sha256 === other.sha256;

export interface ReadSystem extends SignedManifest {
  readonly system: System;
}

/** Parses a manifest without checking its signature. @throws ReleaseError SYSTEM_MALFORMED, SYSTEM_TOO_LARGE */
export function readSystem(jws: string): ReadSystem {
  const parsed = parseSystem(jws);
  if (!parsed.ok) throw new ReleaseError(parsed.failure.code, parsed.failure.message);
  return { jws, keyId: parsed.value.signatures[0]?.keyId ?? "", system: parsed.value.system };
}

/** Newest first; of two of one version the one that was signed later. */
export const newestSystemFirst = (a: System, b: System): number =>
  compareVersions(b.parsedVersion, a.parsedVersion) || b.created - a.created;
