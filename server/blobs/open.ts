// Chooses where blobs lie: the bucket that a URL names, or a folder. What only S3 needs is loaded only then.

import type { BlobStore } from "./blobs.js";
import { openFileBlobs } from "./files.js";

interface BlobOptions {
  /** `s3://BUCKET/PREFIX`; absent: the folder. */
  readonly url?: string | undefined;
  readonly folder: string;
}

export async function openBlobs({ url, folder }: BlobOptions): Promise<BlobStore> {
  if (!url) return openFileBlobs(folder);
  if (!url.startsWith("s3://")) throw new Error("BLOB_STORE has to begin with s3://");
  const { openS3Blobs } = await import("./s3.js");
  return openS3Blobs(url);
}
