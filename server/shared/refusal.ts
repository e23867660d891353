// What a service refuses to do, without a word of how it is transported: a code for programs, a sentence with the numbers for people, and
// what a client may go by. Which HTTP status a code has is said in one place, api/http/refusal-status.ts.

/** Everything that may be refused. A new code gets its status where the compiler asks for it. */
export type RefusalCode =
  | "ACTION_ENDED"
  | "ACTION_UNKNOWN"
  | "ASSIGNMENT_LIMIT"
  | "ASSIGNMENT_UNKNOWN"
  | "ATTEMPT_CLOSED"
  | "ATTEMPT_UNKNOWN"
  | "BODY_MALFORMED"
  | "BUSY"
  | "CHUNK_MISMATCH"
  | "CONTENT_NONE"
  | "CROSS_ORIGIN"
  | "DELIVERY_UNKNOWN"
  | "DEVICES_MISSING"
  | "DEVICE_BLOCKED"
  | "DEVICE_HAS_NO_TOKEN"
  | "DEVICE_IS_LEGACY"
  | "DEVICE_LIMIT"
  | "DEVICE_NOT_APPROVED"
  | "DEVICE_PENDING"
  | "DEVICE_TOKEN_REQUIRED"
  | "DEVICE_TOKEN_WRONG"
  | "DEVICE_TYPE_DIFFERS"
  | "DEVICE_TYPE_MISSING"
  | "DEVICE_UNKNOWN"
  | "DEVICE_UNNAMED"
  | "DIGESTS_UNKNOWN"
  | "EDIT_UNSAFE"
  | "ENROLMENT_REQUIRED"
  | "FIELD_MISMATCH"
  | "FIELD_MISSING"
  | "FILE_EMPTY"
  | "FILE_GONE"
  | "FILE_MISSING"
  | "FILE_SYSTEM_UNKNOWN"
  | "FILE_UNKNOWN"
  | "FIRMWARE_INACTIVE"
  | "FIRMWARE_UNKNOWN"
  | "FORBIDDEN"
  | "IMAGE_IN_USE"
  | "IMAGE_LIMIT"
  | "IMAGE_MALFORMED"
  | "IMAGE_MISMATCH"
  | "IMAGE_TOO_LARGE"
  | "IMAGE_UNKNOWN"
  | "INVALID_REQUEST"
  | "KEY_UNKNOWN"
  | "LABELS_MISSING"
  | "LAST_ADMIN"
  | "LAST_STAGE"
  | "LINK_INVALID"
  | "LOGIN_FAILED"
  | "MEDIA_TYPE_UNKNOWN"
  | "MIN_VERSION_INVALID"
  | "NODE_LIMIT"
  | "NODE_NOT_TARGETED"
  | "NOT_A_USER"
  | "NOT_PROVEN"
  | "NO_WAY_BACK"
  | "ORDER_ENDED"
  | "ORDER_PENDING"
  | "ORDER_UNKNOWN"
  | "PASSWORD_WEAK"
  | "PASSWORD_WRONG"
  | "PERSON_REQUIRED"
  | "PICTURE_INVALID"
  | "PIN_INVALID"
  | "RANGE_NOT_SATISFIABLE"
  | "RELEASE_MALFORMED"
  | "RELEASE_MISSING"
  | "RELEASE_TOO_LARGE"
  | "REVISION_CHANGED"
  | "REVISION_MISSING"
  | "ROLLOUT_INVALID"
  | "ROLLOUT_UNKNOWN"
  | "SAME_PERSON"
  | "SESSION_ENDED"
  | "SESSION_UNKNOWN"
  | "SETTINGS_MISSING"
  | "SETTINGS_TOO_LONG"
  | "SETTINGS_UNWANTED"
  | "SETTING_IS_OWNERS"
  | "SIGNATURE_INVALID"
  | "STATE_WRONG"
  | "TARGET_REFUSED"
  | "TOKEN_REQUIRED"
  | "TOKEN_UNKNOWN"
  | "TOO_MANY_LOGINS"
  | "TOO_MANY_NEW_DEVICES"
  | "TOO_MANY_ORDERS"
  | "TOO_MANY_REQUESTS"
  | "TOO_MANY_TAGS"
  | "TOO_MANY_WATCHERS"
  | "TOO_MANY_WEBHOOKS"
  | "TYPE_IS_SIGNED"
  | "UNAUTHORIZED"
  | "UPDATE_CLOSED"
  | "UPDATE_UNKNOWN"
  | "USER_MISSING"
  | "USER_UNKNOWN"
  | "VERSION_INVALID"
  | "WEBHOOK_UNKNOWN";

interface RefusalDetail {
  /** When it is worth another try. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** An expected failure: thrown by services, answered by the API, printed by the command line. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: RefusalCode;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: RefusalCode, message: string, { retryAfterSeconds, cause }: RefusalDetail = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
