// The error codes that a device reports, grouped by cause. A code goes to the server and into the log; the message beside it has the
// numbers. Never thrown: an expected failure is a value, a bug throws.

/** Why an update attempt ended without an update. */
export type UpdateErrorCode =
  // the release is not for us, or not to be trusted: nothing was written, and trying again will not help
  | "RELEASE_MALFORMED"
  | "RELEASE_TOO_LARGE"
  | "KEY_UNKNOWN"
  | "SIGNATURE_INVALID"
  | "WRONG_TYPE"
  | "WRONG_HARDWARE"
  | "WRONG_CHIP"
  | "NOT_NEWER"
  | "CURRENT_TOO_OLD"
  | "SECURITY_VERSION_TOO_OLD"
  | "SEQUENCE_TOO_OLD"
  | "SIGNATURE_MISSING"
  | "ROOT_TOO_OLD"
  | "ROOT_EXPIRED"
  | "ROOT_REFUSED"
  | "RELEASE_EXPIRED"
  | "RELEASE_WITHDRAWN"
  | "FRESHNESS_MISSING"
  | "FRESHNESS_REFUSED"
  | "IMAGE_TOO_LARGE"
  | "NVS_MISMATCH"
  // the network or the server: worth another try
  | "CONNECT_FAILED"
  | "SERVER_STALLED"
  | "HTTP_STATUS"
  | "RESPONSE_MALFORMED"
  | "RANGE_IGNORED"
  | "BODY_TRUNCATED"
  | "CHUNK_MISMATCH"
  | "DIGESTS_MISMATCH"
  // those that it belongs together with will not have it now
  | "ABANDONED"
  | TlsErrorCode
  // the image or the flash
  | "IMAGE_MALFORMED"
  | "IMAGE_MISMATCH"
  | "FLASH_FAILED"
  | "ARM_FAILED"
  // after a restart
  | "OFFER_CRASHES"
  | "ROLLED_BACK";

/** Why a connection by TLS has failed: http/tls-failure.ts. */
export type TlsErrorCode =
  | "TLS_UNTRUSTED"
  | "TLS_WRONG_HOST"
  | "TLS_EXPIRED"
  | "TLS_NOT_YET_VALID"
  | "TLS_REFUSED"
  | "TLS_NO_MEMORY"
  | "TLS_FAILED";

export interface Failure<Code extends string = UpdateErrorCode> {
  readonly code: Code;
  /** One sentence for a person, with the numbers. */
  readonly message: string;
}

export type Result<Value, Code extends string = UpdateErrorCode> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly failure: Failure<Code> };

export const succeed = <Value>(value: Value): { readonly ok: true; readonly value: Value } => ({
  ok: true,
  value,
});

export const fail = <Code extends string>(
  code: Code,
  message: string,
): { readonly ok: false; readonly failure: Failure<Code> } => ({ ok: false, failure: { code, message } });

/** Failures that another download may fix. The others concern the release itself, or the arming. */
export const isTransient = (code: UpdateErrorCode): boolean =>
  isOnTheWay(code) || AT_THE_FLASH.includes(code);

/** Failures between the server and the device: nothing is wrong with the image or the flash. @param code also of another device's report */
export const isOnTheWay = (code: string): boolean => ON_THE_WAY.includes(code);

/** Those of TLS, too: a server gets a new certificate, and what was between it and the device goes away. */
const ON_THE_WAY: readonly string[] = Object.freeze([
  "CONNECT_FAILED",
  "SERVER_STALLED",
  "HTTP_STATUS",
  "RESPONSE_MALFORMED",
  "RANGE_IGNORED",
  "BODY_TRUNCATED",
  "DIGESTS_MISMATCH",
  "ABANDONED",
  "TLS_UNTRUSTED",
  "TLS_WRONG_HOST",
  "TLS_EXPIRED",
  "TLS_NOT_YET_VALID",
  "TLS_REFUSED",
  "TLS_NO_MEMORY",
  "TLS_FAILED",
] satisfies UpdateErrorCode[]);

const AT_THE_FLASH: readonly UpdateErrorCode[] = Object.freeze(["CHUNK_MISMATCH", "FLASH_FAILED"] as const);
