// What a gateway knows of an image that it can pass on: where the update server has it, and the digests of its chunks. It learns this from the
// answer to a node's check, which it reads on its way, and keeps it in NVS for the image that is in its cache. The signature is not verified
// here: every node verifies it, and an attacker who could forge an answer could send the nodes another one as well.

import { readHexDigits } from "../digits.js";
import { readJsonObject, writeJson } from "../json.js";
import type { CheckAnswer } from "../update/check-answer.js";
import { parseRelease, type Release } from "../update/release.js";
import { MAX_RELEASE_LENGTH } from "../wire.js";

/** NVS key: of the image in the cache. */
export const CACHED_IMAGE_KEY = "relay.image";
const MAX_TARGET_LENGTH = 256;
/** Two paths and a manifest, in JSON. */
export const MAX_CACHED_IMAGE_LENGTH = 2 * MAX_TARGET_LENGTH + MAX_RELEASE_LENGTH + 64;

export interface CachedImage {
  /** Path and query at the update server. */
  readonly target: string;
  readonly digestsTarget: string;
  /** The signed manifest: what is stored. */
  readonly manifest: string;
  readonly release: Release;
  /** The first 16 hex digits of the file's SHA-256: its number in frames. */
  readonly id: string;
}

/** The image that a check was offered; `undefined`: none, or none whose chunks can be checked. */
export function offeredImage(answer: CheckAnswer): CachedImage | undefined {
  if (!answer.update_available || answer.digests_url === undefined) return undefined;
  return cachedImage(answer.download_url, answer.digests_url, answer.release);
}

export function readCachedImage(text: string | undefined): CachedImage | undefined {
  const value = text === undefined ? undefined : readJsonObject(text);
  const target = value?.get("target");
  const digests = value?.get("digests");
  const manifest = value?.get("manifest");
  if (typeof target !== "string" || typeof digests !== "string" || typeof manifest !== "string")
    return undefined;
  return cachedImage(target, digests, manifest);
}

export const writeCachedImage = ({ target, digestsTarget, manifest }: CachedImage): string =>
  writeJson({ target, digests: digestsTarget, manifest });

/** An image that a person sends to the gateway itself; its nodes ask for it below this path. `undefined`: its digests are not signed. */
export function uploadedImage(manifest: string): CachedImage | undefined {
  const image = cachedImage(UPLOAD_PREFIX, UPLOAD_PREFIX, manifest);
  if (!image) return undefined;
  const target = `${UPLOAD_PREFIX}${image.id}`;
  return { ...image, target, digestsTarget: `${target}/digests` };
}
const UPLOAD_PREFIX = "/api/ota/cache/";

/** It is not at the update server. */
export const isUploaded = ({ target }: CachedImage): boolean => target.startsWith(UPLOAD_PREFIX);

/** An image at the update server; `undefined`: its digests are not signed, or it is somewhere else. */
export function cachedImage(
  target: string,
  digestsTarget: string,
  manifest: string,
): CachedImage | undefined {
  if (!isPath(target) || !isPath(digestsTarget)) return undefined;
  const parsed = parseRelease(manifest, MAX_RELEASE_LENGTH);
  if (!parsed.ok || parsed.value.release.digestsOf !== "pages") return undefined;
  const { release } = parsed.value;
  return { target, digestsTarget, manifest, release, id: release.sha256.slice(0, ID_DIGITS) };
}
const ID_DIGITS = 16;

/** On the update server itself: a gateway asks no other. */
const isPath = (text: string): boolean =>
  text.length <= MAX_TARGET_LENGTH && text.startsWith("/") && !text.startsWith("//");

/** Without the query, which names the device. */
export const pathOf = (target: string): string => target.split("?", 1)[0] ?? "";

/** The number of an image in frames, as bytes. */
export function idBytes({ id }: CachedImage): Uint8Array {
  const bytes = new Uint8Array(ID_DIGITS / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = readHexDigits(id.slice(2 * at, 2 * at + 2)) ?? 0;
  return bytes;
}
