// Whether the image that arrives matches its release and this device, by its own header and description. It sees what has been read so
// far and decides nothing about the transfer.

import type { Failure } from "../errors.js";
import type { ImageReader } from "./image.js";
import type { Job } from "./job.js";
import { nvsMismatch } from "./nvs-kind.js";
import { type Release, SECTOR_BYTES } from "./release.js";
import type { UpdateState } from "./state.js";
import { numberedVersion, parseVersion, versionName } from "./version.js";

export function pushMismatch(state: UpdateState, job: Job): Failure | undefined {
  const { description } = job.ahead;
  const running = state.boot?.image.securityVersion ?? 0;
  if (!job.signed && description && !description.hashAppended) {
    return { code: "IMAGE_MALFORMED", message: "image carries no SHA-256 of itself" };
  }
  if (description && description.securityVersion < running) {
    const message = `image has security version ${description.securityVersion}, ${running} runs`;
    return { code: "SECURITY_VERSION_TOO_OLD", message };
  }
  // an image for another chip often stores settings in another way, too
  return describeMismatch(job.ahead, job.release) ?? nvsMismatch(state.boot?.image.nvs, description?.nvs);
}

/** Without a release, version, build and what it works with are taken from the image. */
export function withDescription(job: Job): Job {
  const { description } = job.ahead;
  const version =
    job.signed || job.release.version !== "" ? undefined : parseVersion(description?.version ?? "");
  if (!version || !description) return job;
  const { securityVersion, protocolVersion = 0, minCompatible } = description;
  const { build } = version;
  const release = {
    ...job.release,
    version: versionName(version),
    parsedVersion: version,
    build,
    securityVersion,
    protocolVersion,
    ...(minCompatible === undefined ? {} : { minCompatible: numberedVersion(minCompatible) }),
  };
  return { ...job, release };
}

export const SHA256_BYTES = 32;

export function lastBytes(held: Uint8Array, bytes: Uint8Array): Uint8Array {
  if (bytes.length >= SHA256_BYTES) return bytes.slice(-SHA256_BYTES);
  const both = new Uint8Array(held.length + bytes.length);
  both.set(held);
  both.set(bytes, held.length);
  return both.slice(-SHA256_BYTES);
}

/** Length of a file whose image is signed for Secure Boot v2: padded to whole sectors, and a sector of signatures. */
export const lengthWithSignatures = (imageBytes: number): number =>
  (Math.ceil(imageBytes / SECTOR_BYTES) + 1) * SECTOR_BYTES;

/** The signed manifest and the image's own description must agree: known after the first chunk. */
export function describeMismatch(reader: ImageReader, release: Release): Failure | undefined {
  if (reader.error) return { code: "IMAGE_MALFORMED", message: reader.error };
  const { description, lengthBytes } = reader;
  if (description && description.chip !== release.chip) {
    return {
      code: "WRONG_CHIP",
      message: `image is for chip ${description.chip}, this device has ${release.chip}`,
    };
  }
  const version = description && parseVersion(description.version);
  if (
    description &&
    (!version || `${version.major}.${version.minor}.${version.patch}` !== release.version.split("-")[0])
  ) {
    return {
      code: "IMAGE_MISMATCH",
      message: `image says version ${description.version}, its release says ${release.version}`,
    };
  }
  if (lengthBytes !== undefined && lengthBytes > release.size) {
    return {
      code: "IMAGE_MALFORMED",
      message: `image's segments end at ${lengthBytes}, the file is ${release.size} bytes`,
    };
  }
  return undefined;
}
