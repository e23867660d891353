// A release manifest: its fields, and whether this device may install it. The manifest is a compact JWS (jws.ts). Parsing and checking are
// here; verifying the signature is an effect, since it is native code.

import { base64UrlDecode } from "../bytes.js";
import { fail, type Result, succeed } from "../errors.js";
import type { Identity, RunningImage } from "../event.js";
import type { JsonObject } from "../json.js";
import { readGeneralJws, readJws, type SignedText } from "../trust/jws.js";
import { type Installed, sequenceRule } from "../trust/sequence.js";
import { checkRoot, type Trust } from "../trust/trust.js";
import {
  MAX_LISTING_RELEASE_LENGTH,
  MAX_RELEASE_LENGTH,
  MAX_RELEASE_SIGNATURE_COUNT,
  type ReleaseFacts,
} from "../wire.js";
import { chunkCountOf, DIGEST_BYTES, MAX_PAGE_COUNT, pageCountOf } from "./digests.js";
import { nvsMismatch } from "./nvs-kind.js";
import { compareVersions, parseVersion, readRunningVersion, type Version, versionName } from "./version.js";

/** Protected header's `typ` of a release manifest: a token for another purpose, signed by the same key, is not a release. */
export const RELEASE_TYPE = "skyslot-release";

/** Flash sector: chunks are whole sectors, so that a wrong chunk can be written again without its neighbours. */
export const SECTOR_BYTES = 4096;
/** Erased by one command where it is aligned, in the time of three sectors; an app slot begins at one (ESP-IDF, "Partition Tables"). */
export const BLOCK_BYTES = 65_536;
/** Of a manifest of format 1, which lists them. */
const MAX_CHUNK_COUNT = 1024;

export interface SignedRelease {
  /** One, or of format 3 up to two. */
  readonly signatures: readonly SignedText[];
  readonly release: Release;
}

/** The payload, checked field by field. */
export interface Release extends ReleaseFacts {
  readonly parsedVersion: Version;
  /** What `digests` has a digest of: every chunk, every page of digests, or nothing (an unsigned image). */
  readonly digestsOf: "chunks" | "pages" | "nothing";
  /** SHA-256 of each, concatenated. */
  readonly digests: Uint8Array;
}

/**
 * Parses a manifest, which must not be trusted before its signature is verified. It is refused if it is longer than `maxLength` characters
 * or than its format allows. Errors: RELEASE_MALFORMED, RELEASE_TOO_LARGE.
 */
export function parseRelease(jws: string, maxLength = MAX_LISTING_RELEASE_LENGTH): Result<SignedRelease> {
  if (jws.length > maxLength) return tooLarge(jws, maxLength);
  const isGeneral = jws.startsWith("{");
  const read = isGeneral
    ? readGeneralJws(jws, RELEASE_TYPE, MAX_RELEASE_SIGNATURE_COUNT)
    : readJws(jws, RELEASE_TYPE);
  if (typeof read === "string") return malformed(read);
  const { fields } = read;
  const format = fields.get("format");
  if (isGeneral !== (format === 3))
    return malformed("format 3 has the general form, every other one the compact form");
  if (format !== 1 && jws.length > MAX_RELEASE_LENGTH) return tooLarge(jws, MAX_RELEASE_LENGTH);
  const release = readPayload(fields);
  if (typeof release !== "object") return malformed(release);
  return succeed({ signatures: "signed" in read ? [read.signed] : read.signatures, release });
}

const malformed = (message: string) => fail("RELEASE_MALFORMED", `release manifest: ${message}`);

const tooLarge = (jws: string, limit: number) =>
  fail("RELEASE_TOO_LARGE", `release manifest is ${jws.length} bytes, at most ${limit} are read`);

/** The release, or a sentence that names the wrong field. */
function readPayload(fields: JsonObject): Release | string {
  const aName = /^[\w.-]{1,64}$/;
  const aSha256 = /^[0-9a-f]{64}$/;
  const text = (name: string, pattern: RegExp) => {
    const value = fields.get(name);
    return typeof value === "string" && pattern.test(value) ? value : undefined;
  };
  const count = (name: string, maximum: number) => {
    const value = fields.get(name);
    return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= maximum
      ? (value as number)
      : undefined;
  };
  const format = fields.get("format");
  if (format !== 1 && format !== 2 && format !== 3)
    return `format ${String(format).slice(0, 16)} is not known, this firmware reads formats 1 to 3`;
  const type = text("type", aName);
  const hardware = text("hardware", aName);
  const chip = text("chip", aName);
  const version = text("version", /^[\w.-]{1,32}$/);
  const parsed = version === undefined ? undefined : parseVersion(version);
  const build = count("build", 999_999_999);
  const size = count("size", 16 * 1024 * 1024);
  const sha256 = text("sha256", aSha256);
  const imageSha256 = text("imageSha256", aSha256);
  const chunkSize = count("chunkSize", 1024 * 1024);
  const securityVersion = count("securityVersion", 0xffffffff);
  const protocolVersion = count("protocolVersion", 255);
  const nvs = fields.has("nvs") ? text("nvs", aName) : undefined;
  const created = count("created", MAX_TIME);
  const expires = fields.has("expires") ? count("expires", MAX_TIME) : undefined;
  const minCurrentVersion = fields.has("minCurrentVersion")
    ? text("minCurrentVersion", /^[\w.+-]{1,48}$/)
    : undefined;
  if (type === undefined) return "type is missing or not a name";
  if (hardware === undefined) return "hardware is missing or not a name";
  if (chip === undefined) return "chip is missing or not a name";
  if (version === undefined || !parsed) return "version is not a semantic version";
  if (build === undefined) return "build is not a number of 0 to 999999999";
  if (size === undefined || size === 0) return "size is not a number of 1 to 16777216";
  if (sha256 === undefined || imageSha256 === undefined) return "sha256 and imageSha256 are 64 hex digits";
  if (chunkSize === undefined || chunkSize === 0 || chunkSize % SECTOR_BYTES !== 0) {
    return `chunkSize is not a multiple of ${SECTOR_BYTES}`;
  }
  if (securityVersion === undefined || protocolVersion === undefined)
    return "securityVersion or protocolVersion is missing";
  if (fields.has("nvs") && nvs === undefined) return "nvs is not a name";
  if (created === undefined || (fields.has("expires") && expires === undefined))
    return "created or expires is not a time in seconds";
  if (fields.has("minCurrentVersion") && !(minCurrentVersion && parseVersion(minCurrentVersion)))
    return "minCurrentVersion is not a version";
  const minCompatible = fields.has("minCompatible") ? text("minCompatible", /^[\w.+-]{1,32}$/) : undefined;
  if (fields.has("minCompatible") && !(minCompatible && parseVersion(minCompatible)))
    return "minCompatible is not a version";
  const sequence = fields.has("sequence") ? count("sequence", MAX_TIME) : undefined;
  const minRoot = fields.has("minRoot") ? count("minRoot", MAX_TIME) : undefined;
  if ((fields.has("sequence") && !sequence) || (fields.has("minRoot") && !minRoot))
    return "sequence or minRoot is not a number of 1 or more";
  const digests = readDigests(fields, { size, chunkSize });
  if (typeof digests === "string") return digests;
  return {
    type,
    hardware,
    chip,
    version: versionName(parsed),
    parsedVersion: { ...parsed, build },
    build,
    size,
    sha256,
    imageSha256,
    chunkSize,
    ...digests,
    ...(minCurrentVersion === undefined ? {} : { minCurrentVersion }),
    securityVersion,
    protocolVersion,
    ...(minCompatible === undefined ? {} : { minCompatible }),
    ...(nvs === undefined ? {} : { nvs }),
    created,
    ...(expires === undefined ? {} : { expires }),
    ...(sequence === undefined ? {} : { sequence }),
    ...(minRoot === undefined ? {} : { minRoot }),
  };
}

function readDigests(
  fields: JsonObject,
  divided: Pick<Release, "size" | "chunkSize">,
): Pick<Release, "digestsOf" | "digests"> | string {
  const isPaged = fields.get("format") !== 1;
  const what = isPaged ? "pages" : "chunks";
  const text = fields.get(what);
  const count = isPaged ? pageCountOf(divided) : chunkCountOf(divided);
  const maximum = isPaged ? MAX_PAGE_COUNT : MAX_CHUNK_COUNT;
  if (count > maximum)
    return `${count} ${isPaged ? "pages of digests" : "chunks"}, the maximum is ${maximum}`;
  const digests = typeof text === "string" ? base64UrlDecode(text) : undefined;
  if (digests?.length !== count * DIGEST_BYTES)
    return `${digests?.length ?? 0} bytes of digests, ${count} ${what} need ${count * DIGEST_BYTES}`;
  return { digestsOf: what, digests };
}

/** Year 2106: seconds since 1970 that fit 32 bits. */
const MAX_TIME = 0xffffffff;

export interface TargetDevice {
  readonly identity: Identity;
  readonly image: RunningImage;
  /** Bytes of the slot that the image would be written to. */
  readonly slotBytes: number;
  /** Seconds since 1970, as far as the device knows (core/clock.ts). */
  readonly time: number;
  readonly trust: Trust;
  readonly installed: Installed;
}

/**
 * Whether a verified release may replace the running firmware. The order of the checks is that of the questions a person would ask:
 * is it for this device, is it still valid, is the step allowed, does it fit.
 * Errors: WRONG_TYPE, WRONG_HARDWARE, WRONG_CHIP, NVS_MISMATCH, ROOT_TOO_OLD, ROOT_EXPIRED, RELEASE_EXPIRED, SEQUENCE_TOO_OLD, NOT_NEWER,
 * CURRENT_TOO_OLD, SECURITY_VERSION_TOO_OLD, IMAGE_TOO_LARGE.
 */
export function checkRelease(release: Release, device: TargetDevice): Result<Release> {
  const { identity, image } = device;
  if (release.type !== identity.type) {
    return fail("WRONG_TYPE", `release is for type "${release.type}", this device is a "${identity.type}"`);
  }
  if (release.chip !== identity.chip) {
    return fail("WRONG_CHIP", `release is for chip ${release.chip}, this device has ${identity.chip}`);
  }
  if (release.hardware !== identity.hardware) {
    return fail(
      "WRONG_HARDWARE",
      `release is for hardware "${release.hardware}", this is "${identity.hardware}"`,
    );
  }
  const mismatch = nvsMismatch(image.nvs, release.nvs);
  if (mismatch) return { ok: false, failure: mismatch };
  const relied = checkRoot(device.trust, release, device.time);
  if (!relied.ok) return relied;
  if (release.expires !== undefined && device.time > release.expires) {
    return fail("RELEASE_EXPIRED", `release expired ${device.time - release.expires} seconds ago`);
  }
  const { root } = device.trust;
  const { least, isAnew } = sequenceRule(root, release.type, device.installed);
  if ((release.sequence ?? 0) < least) {
    return fail(
      "SEQUENCE_TOO_OLD",
      `release has sequence ${release.sequence ?? 0}, ${isAnew ? `trust root ${root?.version} asks for` : "this device has run"} ${least}`,
    );
  }
  const running: Version = { ...readRunningVersion(image.version), build: image.build };
  const isNewer = isAnew
    ? release.imageSha256 !== image.imageSha256
    : compareVersions(release.parsedVersion, running) > 0;
  if (!isNewer) {
    return fail(
      "NOT_NEWER",
      `release ${release.version} build ${release.build} is not newer than ${image.version} build ${image.build}`,
    );
  }
  const { minCurrentVersion } = release;
  const minimum = minCurrentVersion === undefined ? undefined : parseVersion(minCurrentVersion);
  if (minimum && compareVersions(running, minimum) < 0) {
    return fail(
      "CURRENT_TOO_OLD",
      `release needs ${release.minCurrentVersion} to be installed first, ${image.version} runs`,
    );
  }
  if (release.securityVersion < image.securityVersion) {
    return fail(
      "SECURITY_VERSION_TOO_OLD",
      `release has security version ${release.securityVersion}, ${image.securityVersion} runs`,
    );
  }
  if (root && release.securityVersion < root.minSecurityVersion) {
    return fail(
      "SECURITY_VERSION_TOO_OLD",
      `release has security version ${release.securityVersion}, trust root ${root.version} asks for ${root.minSecurityVersion}`,
    );
  }
  if (release.size > device.slotBytes) {
    return fail("IMAGE_TOO_LARGE", `image is ${release.size} bytes, slot is ${device.slotBytes}`);
  }
  return succeed(release);
}
