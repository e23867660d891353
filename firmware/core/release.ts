// A release manifest: what it says, and whether this device may install what it says. The manifest is a compact JWS (RFC 7515)
// with an ES256 signature. Parsing and judging are here; checking the signature itself is an effect, since it is native code.
//
//   base64url(header) "." base64url(payload) "." base64url(r ‖ s)
//   └──────────── signed, ASCII ───────────┘

import { base64UrlDecode, utf8Decode } from "./bytes.js";
import { fail, type Result, succeed } from "./errors.js";
import type { Identity, RunningImage } from "./event.js";
import { compareVersions, parseVersion, type Version, versionName } from "./version.js";
import type { ReleasePayload } from "./wire.js";

/** Protected header's `typ` of a release manifest: a token of another purpose, signed by the same key, is no release. */
export const RELEASE_TYPE = "skyslot-release";

/** Flash sector: chunks are whole sectors, so that a wrong chunk can be written again without its neighbours. */
export const SECTOR_BYTES = 4096;
const DIGEST_BYTES = 32;
const MAX_CHUNK_COUNT = 1024;

export interface SignedRelease {
  readonly keyId: string;
  /** What the signature covers, ASCII. */
  readonly signed: string;
  /** r and s, 32 bytes each. */
  readonly signature: Uint8Array;
  readonly release: Release;
}

/** The payload, checked field by field. */
export interface Release extends Omit<ReleasePayload, "chunks" | "format"> {
  readonly parsedVersion: Version;
  /** SHA-256 of every chunk, concatenated. */
  readonly digests: Uint8Array;
}

/** Reads a manifest. It is not to be trusted before its signature is verified. Errors: RELEASE_MALFORMED. */
export function parseRelease(jws: string): Result<SignedRelease> {
  const [header, payload, signature, ...more] = jws.split(".");
  if (!header || !payload || !signature || more.length > 0) {
    return malformed("a compact JWS has three parts with dots between them");
  }
  const protectedHeader = parseJson(header);
  const signatureBytes = base64UrlDecode(signature);
  const { alg, kid, typ } = protectedHeader ?? {};
  if (alg !== "ES256" || typ !== RELEASE_TYPE || typeof kid !== "string" || kid.length > 64) {
    return malformed(`header must say alg ES256, typ ${RELEASE_TYPE} and a kid of at most 64 characters`);
  }
  if (signatureBytes?.length !== 64) return malformed("an ES256 signature is 64 bytes");
  const fields = parseJson(payload);
  const release = fields && readPayload(fields);
  if (typeof release !== "object") return malformed(release ?? "payload is not a JSON object");
  return succeed({ keyId: kid, signed: `${header}.${payload}`, signature: signatureBytes, release });
}

const malformed = (message: string) => fail("RELEASE_MALFORMED", `release manifest: ${message}`);

function parseJson(base64Url: string): Record<string, unknown> | undefined {
  const bytes = base64UrlDecode(base64Url);
  const text = bytes && utf8Decode(bytes);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** The release, or a sentence that says which field is wrong. */
function readPayload(fields: Record<string, unknown>): Release | string {
  const text = (name: string, pattern: RegExp) => {
    const value = fields[name];
    return typeof value === "string" && pattern.test(value) ? value : undefined;
  };
  const count = (name: string, maximum: number) => {
    const value = fields[name];
    return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= maximum
      ? (value as number)
      : undefined;
  };
  if (fields.format !== 1)
    return `format ${String(fields.format)} is not known, this firmware reads format 1`;
  const type = text("type", NAME);
  const hardware = text("hardware", NAME);
  const chip = text("chip", NAME);
  const version = text("version", /^[\w.-]{1,32}$/);
  const parsed = version === undefined ? undefined : parseVersion(version);
  const build = count("build", 999_999_999);
  const size = count("size", 16 * 1024 * 1024);
  const sha256 = text("sha256", SHA256_HEX);
  const imageSha256 = text("imageSha256", SHA256_HEX);
  const chunkSize = count("chunkSize", 1024 * 1024);
  const securityVersion = count("securityVersion", 0xffffffff);
  const protocolVersion = count("protocolVersion", 255);
  const created = count("created", MAX_TIME);
  const expires = fields.expires === undefined ? MAX_TIME : count("expires", MAX_TIME);
  const minCurrentVersion =
    fields.minCurrentVersion === undefined ? "0.0.0" : text("minCurrentVersion", /^[\w.+-]{1,48}$/);
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
  if (created === undefined || expires === undefined) return "created or expires is no time in seconds";
  if (minCurrentVersion === undefined || !parseVersion(minCurrentVersion))
    return "minCurrentVersion is not a version";
  const chunks = fields.chunks;
  const digests = typeof chunks === "string" ? base64UrlDecode(chunks) : undefined;
  const chunkCount = Math.ceil(size / chunkSize);
  if (chunkCount > MAX_CHUNK_COUNT) return `${chunkCount} chunks, at most ${MAX_CHUNK_COUNT} are possible`;
  if (digests?.length !== chunkCount * DIGEST_BYTES) {
    return `${digests?.length ?? 0} bytes of chunk digests, ${chunkCount} chunks need ${chunkCount * DIGEST_BYTES}`;
  }
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
    digests,
    minCurrentVersion,
    securityVersion,
    protocolVersion,
    created,
    expires,
  };
}

const NAME = /^[\w.-]{1,64}$/;
const SHA256_HEX = /^[0-9a-f]{64}$/;
/** Year 2106: seconds since 1970 that fit 32 bits. */
const MAX_TIME = 0xffffffff;

/** Number of chunks, and the length of each. */
export const chunkCountOf = (release: Release): number => release.digests.length / DIGEST_BYTES;
export const chunkLength = (release: Release, index: number): number =>
  Math.min(release.chunkSize, release.size - index * release.chunkSize);
export const chunkDigest = (release: Release, index: number): Uint8Array =>
  release.digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);

export interface Candidate {
  readonly identity: Identity;
  readonly image: RunningImage;
  /** Bytes of the smaller slot that the image could go to. */
  readonly slotBytes: number;
  /** Seconds since 1970, as far as the device knows. */
  readonly time: number;
}

/**
 * Whether a verified release may replace what runs. The order of the checks is that of the questions a person would ask:
 * is it for me, is it still good, may I take this step, does it fit.
 * Errors: WRONG_TYPE, WRONG_HARDWARE, WRONG_CHIP, RELEASE_EXPIRED, NOT_NEWER, CURRENT_TOO_OLD, SECURITY_VERSION_TOO_OLD, IMAGE_TOO_LARGE.
 */
export function judgeRelease(release: Release, device: Candidate): Result<Release> {
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
  if (release.expires !== undefined && device.time > release.expires) {
    return fail("RELEASE_EXPIRED", `release expired ${device.time - release.expires} seconds ago`);
  }
  const running = runningVersion(image);
  if (compareVersions(release.parsedVersion, running) <= 0) {
    return fail(
      "NOT_NEWER",
      `release ${release.version} build ${release.build} is not newer than ${image.version} build ${image.build}`,
    );
  }
  const minimum = parseVersion(release.minCurrentVersion ?? "0.0.0");
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
  if (release.size > device.slotBytes) {
    return fail("IMAGE_TOO_LARGE", `image is ${release.size} bytes, slot is ${device.slotBytes}`);
  }
  return succeed(release);
}

function runningVersion(image: RunningImage): Version {
  const parsed = parseVersion(image.version);
  return parsed ? { ...parsed, build: image.build } : OLDEST;
}

/** A firmware whose version cannot be read is older than every release. */
const OLDEST: Version = Object.freeze({
  major: 0,
  minor: 0,
  patch: 0,
  preRelease: Object.freeze(["0"]),
  build: 0,
});
