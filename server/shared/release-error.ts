// What is wrong with a release.

/** A release that is not what it says, with a code for machines. */
export class ReleaseError extends Error {
  override readonly name = "ReleaseError";
  readonly code: ReleaseErrorCode;

  constructor(code: ReleaseErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
export type ReleaseErrorCode =
  | "RELEASE_MALFORMED"
  | "KEY_UNKNOWN"
  | "SIGNATURE_INVALID"
  | "IMAGE_MALFORMED"
  | "IMAGE_MISMATCH"
  | "CHUNK_MISMATCH"
  | "RELEASE_TOO_LARGE";
