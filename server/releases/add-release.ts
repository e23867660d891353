// Takes firmware into the store. Of a signed release the manifest is read, its signature verified if keys are configured, and the
// file checked chunk by chunk against it; fields sent beside the manifest must agree with it. Firmware without one: unsigned.ts.

import type { Release } from "../../firmware/core/update/release.js";
import { compareVersions, parseVersion, versionName } from "../../firmware/core/update/version.js";
import { readRelease } from "../../release/signing.js";
import { verifyReleaseFile } from "../../release/verify.js";
import type { Blob, BlobStore } from "../blobs/blobs.js";
import type { Journal } from "../events/journal.js";
import { Refusal } from "../shared/refusal.js";
import type { Firmware, FirmwareChanges, Store } from "../store/store.js";
import { releaseOf } from "./chunk-digests.js";
import type { CheckedFirmware, FirmwareFields } from "./firmware-fields.js";
import { requireTrusted, type Trust } from "./trust.js";
import { checkLegacy } from "./unsigned.js";

/** Files are registered and removed one at a time, whichever server does it: the name of that exclusive work. */
export const REGISTERING = "registering";

/** Firmware as it may be registered, checked. @throws Refusal */
export async function checkFirmware(
  fields: FirmwareFields,
  blob: Blob,
  blobs: BlobStore,
  store: Pick<Store, "findType">,
  trust: Trust,
): Promise<CheckedFirmware> {
  if (blob.sizeBytes === 0) throw new Refusal("FILE_EMPTY", "the file is empty");
  const checked = await checkByKind(fields, blob, blobs, store, trust);
  refusePaths(checked);
  return checked;
}

/** A manifest may name anything: these become parts of paths. */
function refusePaths({ deviceType, hardware, chip }: CheckedFirmware): void {
  for (const [what, name] of Object.entries({ type: deviceType, hardware, chip }))
    if (name === "." || name === "..")
      throw new Refusal("RELEASE_MALFORMED", `${what} "${name}" is a path, not a name`);
}

async function checkByKind(
  fields: FirmwareFields,
  blob: Blob,
  blobs: BlobStore,
  store: Pick<Store, "findType">,
  trust: Trust,
): Promise<CheckedFirmware> {
  if (fields.release === undefined) return checkLegacy(fields, blob, blobs, store);
  const read = readRelease(fields.release.trim());
  await requireTrusted(read, trust);
  checkFields(fields, read.release);
  await verifyReleaseFile(read.release, blobs.read(blob.sha256));
  return describeFirmware(fields, read.jws, read.release, blob);
}

/** @throws AlreadyExists */
export async function addFirmware(journal: Journal, checked: CheckedFirmware): Promise<Firmware> {
  const firmware = await journal.addFirmware({ ...checked, createdAt: journal.time });
  await journal.log({
    kind: "firmware.uploaded",
    firmwareId: firmware.id,
    message:
      `${nameOf(firmware)} uploaded, ${firmware.fileSize} bytes for ${firmware.hardware}` +
      (firmware.release === null ? ", not signed" : ""),
    detail: { file_hash: firmware.fileHash, is_stable: firmware.isStable, is_active: firmware.isActive },
  });
  return firmware;
}

/** @throws Refusal FIRMWARE_UNKNOWN, MIN_VERSION_INVALID */
export async function changeRelease(
  journal: Journal,
  id: number,
  changes: FirmwareChanges,
): Promise<Firmware> {
  const known = await journal.store.findFirmware(id);
  if (!known) throw new Refusal("FIRMWARE_UNKNOWN", `firmware ${id} does not exist`);
  const minimum = changes.minCurrentVersion;
  if (minimum !== undefined) checkMinimum(minimum, releaseOf(known));
  const changed = await journal.changeFirmware(id, changes);
  await journal.log({
    kind: changes.isActive === false ? "firmware.deactivated" : "firmware.changed",
    firmwareId: id,
    message: `${nameOf(known)}: ${describeChanges(changes)}`,
    detail: { ...changes },
  });
  return changed ?? known;
}

function describeFirmware(
  fields: FirmwareFields,
  jws: string,
  release: Release,
  blob: Blob,
): CheckedFirmware {
  return {
    deviceType: release.type,
    hardware: release.hardware,
    chip: release.chip,
    version: release.version,
    buildNumber: release.build,
    filename: fields.filename ?? `${release.type}-${release.version}-${release.chip}.bin`,
    fileSize: blob.sizeBytes,
    fileHash: blob.sha256,
    md5: blob.md5,
    sha1: blob.sha1,
    binaryPath: blob.path,
    imageSha256: release.imageSha256,
    isStable: fields.is_stable ?? true,
    isActive: fields.is_active ?? true,
    minCurrentVersion: fields.min_current_version ?? release.minCurrentVersion ?? null,
    securityVersion: release.securityVersion,
    sequence: release.sequence ?? 0,
    notes: fields.release_notes ?? null,
    release: jws,
    expiresAt: release.expires === undefined ? null : release.expires * 1000,
  };
}

function checkFields(fields: FirmwareFields, release: Release): void {
  const given = [
    ["device_type", fields.device_type, release.type],
    ["hardware", fields.hardware, release.hardware],
    ["chip", fields.chip, release.chip],
    ["version", fields.version && nameOfVersion(fields.version), release.version],
    ["build_number", fields.build_number, release.build],
  ] as const;
  for (const [name, value, signed] of given) {
    if (value === undefined || value === signed) continue;
    throw new Refusal("FIELD_MISMATCH", `${name} is ${value}, the signed manifest says ${signed}`);
  }
  if (fields.min_current_version !== undefined) checkMinimum(fields.min_current_version, release);
}

/** Without a leading `v` and build metadata, as the manifest has it. */
function nameOfVersion(text: string): string {
  const version = parseVersion(text);
  return version ? versionName(version) : text;
}

/** A server may ask for more than the manifest, never for less: a device refuses what the manifest forbids. */
function checkMinimum(minimum: string | null, release: Release | undefined): void {
  const signed = release?.minCurrentVersion;
  const parsed = minimum === null ? undefined : parseVersion(minimum);
  if (minimum !== null && !parsed) throw new Refusal("MIN_VERSION_INVALID", `"${minimum}" is not a version`);
  const parsedSigned = signed === undefined ? undefined : parseVersion(signed);
  if (!parsedSigned || (parsed && compareVersions(parsed, parsedSigned) >= 0)) return;
  throw new Refusal(
    "MIN_VERSION_INVALID",
    `min_current_version ${minimum ?? "none"} is below ${signed}, which the signed manifest asks for`,
  );
}

function describeChanges(changes: FirmwareChanges): string {
  const words: string[] = [];
  if (changes.isActive !== undefined) words.push(changes.isActive ? "activated" : "deactivated");
  if (changes.isStable !== undefined) words.push(changes.isStable ? "stable" : "not stable");
  if (changes.minCurrentVersion !== undefined)
    words.push(`needs ${changes.minCurrentVersion ?? "no version"} before it`);
  if (changes.notes !== undefined) words.push("notes changed");
  return words.join(", ") || "unchanged";
}

const nameOf = (firmware: Firmware): string =>
  `${firmware.deviceType} ${firmware.version}${firmware.buildNumber > 0 ? ` build ${firmware.buildNumber}` : ""}`;
