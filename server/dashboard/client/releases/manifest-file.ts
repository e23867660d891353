// Reads a signed manifest before it is sent. The server checks its signature and its digests.

import type { Release } from "../../../../firmware/core/update/release.js";
import { readRelease } from "../../../../release/signing.js";

const MAX_MANIFEST_BYTES = 64 * 1024;

export interface ManifestFile {
  readonly file: File;
  readonly jws: string;
  readonly release: Release;
}

/** @throws Error with a sentence */
export async function readManifest(file: File): Promise<ManifestFile> {
  if (file.size > MAX_MANIFEST_BYTES)
    throw new Error(`${file.name} is ${file.size} bytes, a manifest has at most ${MAX_MANIFEST_BYTES}`);
  const jws = (await file.text()).trim();
  return { file, jws, release: readRelease(jws).release };
}
