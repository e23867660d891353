// Why a release or an image is refused: a code for programs, and a sentence with the numbers for people.

export type ReleaseErrorCode =
  | "CHUNK_MISMATCH"
  | "IMAGE_MALFORMED"
  | "IMAGE_MISMATCH"
  | "KEY_UNKNOWN"
  | "RELEASE_MALFORMED"
  | "RELEASE_TOO_LARGE"
  | "ROOT_REFUSED"
  | "SIGNATURE_INVALID"
  | "SIGNATURE_MISSING"
  | "SYSTEM_INCOMPATIBLE"
  | "SYSTEM_MALFORMED"
  | "SYSTEM_TOO_LARGE";

export class ReleaseError extends Error {
  override readonly name = "ReleaseError";
  readonly code: ReleaseErrorCode;

  constructor(code: ReleaseErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A file that is no key to sign or to verify with, in a sentence for the person who chose it. */
export class KeyError extends Error {
  override readonly name = "KeyError";
}
