// Which blobs the records of the store need: the files themselves are in the blob store.

export interface BlobUseStore {
  /** Those of these SHA-256 that some record refers to. */
  findUsedBlobs(sha256s: readonly string[]): Promise<ReadonlySet<string>>;
}
