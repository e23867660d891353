// The JSON shapes that a device and the update server exchange, and the limits that both enforce. Shapes only: no parsing,
// no I/O. Field names are snake_case because existing clients of the device API speak them so.

import type { Field } from "./section.js";

/**
 * Longest answer to a check that a device reads, bytes: it is held whole while it is parsed. There is room for the longest manifest of
 * format 1 alone, or for one of format 2 with as many orders as there may be, and MAX_ANSWER_FRAME_BYTES of everything else.
 */
export const MAX_CHECK_RESPONSE_BYTES = 7 * 1024;

/** What an answer holds besides a manifest and orders: addresses, hashes, a token. */
export const MAX_ANSWER_FRAME_BYTES = 1024;

/** States of an update attempt as the server stores them. `success` is reported only after validation. */
export type UpdateStatus = "pending" | "downloading" | "installing" | "success" | "failed";

/** State of the running slot: `factory` has no otadata entry and needs no validation. */
export type SlotState = "new" | "pending_verify" | "valid" | "invalid" | "aborted" | "undefined" | "factory";

/** What a device measures; only values of sensors that it has and could read. */
export interface Readings {
  /** Degrees Celsius, -40 to 125. */
  readonly temperature_c?: number;
  /** Relative humidity, 0 to 100. */
  readonly humidity_percent?: number;
  /** Charge of the battery, 0 to 100. */
  readonly battery_percent?: number;
}

/**
 * `GET /api/content/{device_id}`: what the device's panel is to show, a binary PBM (see pbm.ts) of exactly the panel's size with a
 * strong ETag. 304: what it has is current; 404: nothing is assigned.
 */
export const CONTENT_PATH = "/api/content/";

/** Longest ETag of a content, characters: devices keep it in NVS. */
export const MAX_ETAG_LENGTH = 100;

/**
 * What an operator orders a device to do. The answer to a check brings orders, oldest first, and the next check brings their results.
 * Until then the server sends them again with every answer, so that neither a lost answer nor a lost acknowledgement loses one; a device
 * that cannot carry one out yet does not mention it, and receives it again. Idempotent orders (identify, settings) are repeated if the
 * device restarts before it could report. A restart is done once: its id is in NVS before it happens.
 */
export interface Order {
  /** Whole, 1 or more; of one device no two are the same. */
  readonly id: number;
  /** A device refuses a kind that it does not know. */
  readonly kind: OrderKind | (string & {});
  /** Of `settings`: names and values as on the device's own pages. At most MAX_ORDER_SETTINGS of them. */
  readonly settings?: PushedSettings;
}

export const ORDER_KINDS = Object.freeze(["identify", "restart", "settings"] as const);
export type OrderKind = (typeof ORDER_KINDS)[number];

export type PushedSettings = Readonly<Record<string, string | number | boolean>>;

/** Orders that an answer brings, and results that a check brings, at most. */
export const MAX_ORDER_COUNT = 4;
/** Settings in one order, and the bytes of its JSON: four of them leave a release manifest enough room in an answer. */
export const MAX_ORDER_SETTINGS = 16;
export const MAX_ORDER_SETTINGS_BYTES = 1000;

/** Settings that can only be changed at the device, whatever a server orders: with them it could be cut off or taken over. */
export const OWNERS_SETTINGS: readonly string[] = Object.freeze([
  "server",
  "acceptUnsigned",
  "acceptBearer",
  "authority",
  "token",
  "networks",
  "ssid",
  "password",
]);

/** `POST` an AbilitiesRequest, at most MAX_ABILITIES_BYTES of JSON. */
export const ABILITIES_PATH = "/api/ota/abilities";
export const MAX_ABILITIES_BYTES = 8 * 1024;
export const MAX_TOLD_FIELD_COUNT = 40;

/** What a device can be ordered to do. */
export interface Abilities {
  /** Kinds of order. */
  readonly orders: readonly string[];
  /** The settings that a server may push: neither secrets nor what only the owner may change. */
  readonly fields: readonly Field[];
  /** Their present values, one for each field. */
  readonly values: PushedSettings;
}

export interface AbilitiesRequest extends Abilities {
  readonly device_id: string;
  /** As in the device's checks: the server asks no more while they have this one. */
  readonly digest: string;
}

/** The result of an order. */
export interface OrderResult {
  readonly id: number;
  readonly result: "done" | "refused";
  /** Why it was refused, for people; at most MAX_ORDER_REASON_LENGTH characters. */
  readonly reason?: string;
}

export const MAX_ORDER_REASON_LENGTH = 200;

/** `POST /api/ota/check`: registration, heartbeat and evidence in one. The last block is optional: older clients omit it. */
export interface CheckRequest extends Readings {
  /** 1 to 64 characters of `A-Z a-z 0-9 . _ : -`. */
  readonly device_id: string;
  /** Kind of firmware, such as `base` or `led`; 1 to 64 characters of `A-Z a-z 0-9 . _ -`. */
  readonly device_type: string;
  /** Semantic version without build, such as `1.0.0`. */
  readonly current_version: string;
  /** Build number, 0 or more. */
  readonly current_build: number;
  /** Name of the board that the firmware was built for. */
  readonly hardware?: string;
  /** Chip: `esp32`, `esp32c3`, `esp32s3` … */
  readonly chip?: string;
  /** SHA-256 that is appended to the running image (of all bytes before it), 64 hex digits. What the server relies on. */
  readonly image_sha256?: string;
  /** Label of the partition that runs, such as `ota_0`. */
  readonly slot?: string;
  readonly slot_state?: SlotState;
  readonly boot_count?: number;
  /** `power-on`, `software`, `panic`, `task-watchdog`, `brownout` … */
  readonly reset_reason?: string;
  readonly free_heap?: number;
  readonly rssi?: number;
  readonly uptime_seconds?: number;
  /** Address in the local network, for the link to the device's own pages. */
  readonly address?: string;
  /** The device keeps a token that the answer brings and sends it as `Authorization: Bearer` from then on. */
  readonly keeps_token?: boolean;
  /** SHA-256 in the image that is staged: complete in its slot, and armed when an answer says so (`commit`). */
  readonly staged_sha256?: string;
  /** Time between this device's checks. */
  readonly check_seconds?: number;
  /** Results of orders since the last check that was answered; at most MAX_ORDER_COUNT. */
  readonly order_results?: readonly OrderResult[];
  /**
   * Of what the device tells when it is asked (`tell_abilities`); changes with it. 1 to 64 characters of `A-Z a-z 0-9 _ -`; absent: it cannot tell.
   */
  readonly abilities_digest?: string;
  /** Version of the trust root that the device holds; absent: its image has none built in, and it takes none. */
  readonly root_version?: number;
  /** Why it has refused the trust root that the last answer named, for people; at most MAX_ROOT_REFUSED_LENGTH characters. Until a check is answered. */
  readonly root_refused?: string;
  /** For FROZEN_SECONDS nobody has shown it a statement of freshness: what is new may be kept from it. */
  readonly frozen?: boolean;
}

/** What any answer to a check may bring. */
interface CheckAnswer {
  /** How long to wait between checks, for devices for which nothing else was chosen; absent: their own setting. */
  readonly poll_seconds?: number;
  /** With `poll_seconds`: for the others too, as long as the server says so. */
  readonly poll_is_for_all?: boolean;
  /** Authenticates this device from now on. Only for one that keeps tokens. */
  readonly device_token?: string;
  /** At most MAX_ORDER_COUNT. Only for a device that has shown its token; one that does not support orders ignores them. */
  readonly orders?: readonly Order[];
  /**
   * The staged image that is to start now: its own SHA-256, or that of its file, 64 hex digits. Has no effect on a device on which no such image is
   * staged, so it may be repeated.
   */
  readonly commit?: string;
  /** What is staged is given up. */
  readonly abandon?: boolean;
  /**
   * If the image with this SHA-256 runs, 64 hex digits, was committed within a week, and has passed its trial, the device goes back to the image in
   * its other slot, and is not offered this one again but to be held. Has no effect on a device that runs another one, so it may be repeated. Answered by the leader of several
   * devices only, not by this server.
   */
  readonly revert?: string;
  /** The server does not know what has this `abilities_digest`: the device sends it once to ABILITIES_PATH. Only to one that has shown its token. */
  readonly tell_abilities?: boolean;
  /**
   * Where the next trust root is, for a device that sent an older `root_version`: a path on the same server, or an absolute http URL. The device
   * fetches it before it looks at an offer, one version after another.
   */
  readonly root_url?: string;
}

/**
 * `GET` this and a version: the trust root of this version (RootPayload), as its text; 404: there is none yet. Public, and anyone may serve it:
 * who holds the version before verifies it.
 */
export const ROOTS_PATH = "/api/v1/roots/";

/**
 * `POST` a FreshnessRequest here: the statement of freshness (StatementPayload) for this device and its nonce, as its text; 404
 * `FRESHNESS_UNKNOWN`: this server has no key for it.
 */
export const FRESHNESS_PATH = "/api/ota/freshness";

/** What a device asks, before it installs what a server offers, and once a day. */
export interface FreshnessRequest {
  readonly device_id: string;
  readonly device_type: string;
  /** NONCE_LENGTH lower-case hex digits, others each time. */
  readonly nonce: string;
}

export const NONCE_LENGTH = 32;

/** Protected header's `typ` of a statement of freshness. */
export const STATEMENT_TYPE = "skyslot-freshness";

/** Longest statement, characters of its compact JWS. */
export const MAX_STATEMENT_LENGTH = 1024;

export const MAX_WITHDRAWN_COUNT = 16;
/** Hex digits of the SHA-256 in an image that name it in a statement. */
export const WITHDRAWN_DIGITS = 16;

/** A device that has had no statement for so long says that it is frozen. */
export const FROZEN_SECONDS = 14 * 86_400;

/**
 * Payload of a statement of freshness (JWS, ES256, protected header `typ: "skyslot-freshness"`, `kid`), signed by one of the keys that the trust
 * root names for it: what is true now, for one question of one device. Numbers are whole, times in seconds since 1970.
 */
export interface StatementPayload {
  /** Of the question. */
  readonly nonce: string;
  /** Of the device. */
  readonly type: string;
  readonly time: number;
  /** Later than `time`: until then it suffices for installations. At most an hour of it counts. */
  readonly expires: number;
  /** Sequence of the release that this device is to have now, or of the newest for all: one with a lower sequence is not installed. 0: any may be. */
  readonly newest: number;
  /** Releases of the type, from that sequence on, that must not be installed any more, the newest MAX_WITHDRAWN_COUNT: of each the first WITHDRAWN_DIGITS of `imageSha256`. */
  readonly withdrawn: readonly string[];
}

/** Answer to a check without an update. */
export interface NoUpdateResponse extends CheckAnswer {
  readonly update_available: false;
  /** Time of the server, seconds since 1970: a device without a clock checks a release's expiry with it, if it may be right (clock.ts). */
  readonly time: number;
}

/** Answer to a check with an update. */
export interface UpdateResponse extends CheckAnswer {
  readonly update_available: true;
  readonly time: number;
  readonly firmware_id: number;
  readonly version: string;
  readonly build_number: number;
  /** Bytes. */
  readonly file_size: number;
  /** SHA-256 of the whole file, 64 hex digits. */
  readonly file_hash: string;
  /** Path on the same server, or an absolute http URL. */
  readonly download_url: string;
  /**
   * Likewise: the digests of all chunks one behind the other, 32 bytes each (core/update/digests.ts), with ranges. With a manifest of format 2;
   * each page is compared with what the manifest says of it.
   */
  readonly digests_url?: string;
  /** The signed release manifest (compact JWS). A device trusts this and nothing else of the answer. */
  readonly release: string;
  /**
   * The image is staged only: proved, reported (`installing`, step `staged`), and started when a later answer says `commit`. For devices that have to
   * start their images together. A device without support for it would start the image at once.
   */
  readonly hold?: boolean;
}

/**
 * Header of an answer that brings an offer: firmware id, a blank, the server's time in seconds since 1970. A device stores the id before it
 * reads the answer: if reading restarts it, it knows which offer did, and does not read that one again.
 */
export const OFFER_HEADER = "skyslot-offer";

export type CheckResponse = NoUpdateResponse | UpdateResponse;

/** `POST /api/ota/status`: one step of an attempt. */
export interface StatusRequest {
  readonly device_id: string;
  readonly firmware_id: number;
  readonly status: UpdateStatus;
  readonly bytes_downloaded?: number;
  /** UPPER_SNAKE code of a failure, such as `SIGNATURE_INVALID` or `ROLLED_BACK`. */
  readonly error_code?: string;
  /** What happened, for a person; at most 500 characters. */
  readonly error_message?: string;
  /** As in a check: `success` counts only if this is the release's image. */
  readonly image_sha256?: string;
  readonly slot_state?: SlotState;
  /** More detailed than `status`, for the log: `checking`, `verified`, `staged`, `armed`, `trial`, `validated` … */
  readonly step?: string;
}

/** A report as a device's machines make it; the device id is added when it is sent. */
export type Report = Omit<StatusRequest, "device_id">;

/**
 * Longest manifest of format 2, characters of its compact JWS, whatever the image: an offer stays small, and so does the head of a
 * push, which brings it in a header.
 */
export const MAX_RELEASE_LENGTH = 1536;

/**
 * Longest manifest of format 1, which grows with the image. A device has to hold it and what it says at once: 5 926 characters (of an
 * image of 1.5 MB) were installed by an ESP32-C3, 7 746 were too many for its 92 KiB.
 */
export const MAX_LISTING_RELEASE_LENGTH = 6144;

/** Payload of a release manifest (JWS, ES256, protected header `typ: "skyslot-release"`, `kid`). Numbers are whole. */
export type ReleasePayload = ReleaseFacts & (ListedDigests | PagedDigests | SignedTwice);

/** Of older releases, and for devices whose firmware reads nothing else. */
export interface ListedDigests {
  readonly format: 1;
  /** SHA-256 of every chunk, concatenated, base64url without padding. */
  readonly chunks: string;
}

export interface PagedDigests {
  readonly format: 2;
  /** SHA-256 of every page of digests (core/update/digests.ts), concatenated, base64url without padding. The pages come beside the image. */
  readonly pages: string;
}

/**
 * As format 2, in General JSON Serialization with one or two signatures over the same payload (GeneralJws), MAX_RELEASE_LENGTH characters in all.
 * For devices whose trust root asks for two; older firmware does not read it.
 */
export interface SignedTwice extends Omit<PagedDigests, "format"> {
  readonly format: 3;
}

/** What a manifest of any format says. */
export interface ReleaseFacts {
  readonly type: string;
  readonly hardware: string;
  readonly chip: string;
  readonly version: string;
  readonly build: number;
  /** Length of the image file, bytes. */
  readonly size: number;
  /** SHA-256 of the image file, hex. */
  readonly sha256: string;
  /** The SHA-256 that is appended to the image, hex: what the running firmware reports of itself. */
  readonly imageSha256: string;
  /** Bytes a chunk, a multiple of 4096; the last chunk may be shorter. */
  readonly chunkSize: number;
  /** Oldest version (with optional `+build`) that may install this directly; absent: any. */
  readonly minCurrentVersion?: string;
  readonly securityVersion: number;
  /** Of the packets between paired devices. */
  readonly protocolVersion: number;
  /** Oldest version of the other device of a pair that this firmware works with; absent: any. */
  readonly minCompatible?: string;
  /** How the image keeps its settings (NvsKind in core/event.ts); absent: it does not say. */
  readonly nvs?: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** Seconds since 1970; absent: never. */
  readonly expires?: number;
  /**
   * Its place among the releases of its type, 1 or more: a device that has run a later one refuses it. Only grows, whatever the version says;
   * `skyslot` takes the seconds since 1970. Absent: 0.
   */
  readonly sequence?: number;
  /** Oldest trust root with which a device may install this; absent: any, or none. */
  readonly minRoot?: number;
}

/** Protected header's `typ` of a trust root. */
export const ROOT_TYPE = "skyslot-root";

export const MAX_ROOT_REFUSED_LENGTH = 200;

/** Longest trust root, characters of its text: one string in NVS. Six keys and two signatures fit, or five and three, or three and four. */
export const MAX_ROOT_LENGTH = 1536;
/** Of all roles together, and of each. */
export const MAX_ROOT_KEY_COUNT = 10;
export const MAX_ROOT_SIGNER_COUNT = 5;
export const MAX_RELEASE_KEY_COUNT = 8;
export const MAX_FRESHNESS_KEY_COUNT = 3;
/** Each costs a device a verification. */
export const MAX_ROOT_SIGNATURE_COUNT = 5;
export const MAX_FAST_FORWARD_COUNT = 4;

/** A P-256 point: coordinates of 32 bytes, base64url without padding. */
export interface KeyPoint {
  readonly x: string;
  readonly y: string;
}

/**
 * Payload of a trust root: whose signatures count for what. A JWS in General JSON Serialization (RFC 7515, 7.2.1) with ES256 signatures; the
 * protected header of each is `{"alg":"ES256","typ":"skyslot-root","key":i,"of":"new"}`, where `i` is the signer's index in `keys`, or with
 * `"of":"old"` that in the root before. A device takes the next version only, signed by the threshold of the root that it holds and by the new one's own. Numbers are whole.
 */
export interface RootPayload {
  /** 1 or more. */
  readonly version: number;
  /** Seconds since 1970. With an expired root nothing is installed, but the next root is accepted. */
  readonly expires: number;
  /** Signatures by different keys of `root` that the next root needs, 1 to the number of these keys. */
  readonly threshold: number;
  /** No two the same. */
  readonly keys: readonly KeyPoint[];
  /** Of each role, indices into `keys`, no two the same: who signs roots, releases, statements of freshness. */
  readonly root: readonly number[];
  readonly release: readonly number[];
  readonly freshness: readonly number[];
  /** Signatures by different keys of `release` that a release needs. */
  readonly releaseThreshold: 1 | 2;
  /** Of any release that is installed; never falls. */
  readonly minSecurityVersion: number;
  /**
   * By device type: the sequence from which releases count anew. With a value that is higher than the one under which a device installed its last
   * release, it forgets the sequence and the version of that, and takes any release from this sequence on.
   */
  readonly fastForward?: Readonly<Record<string, number>>;
}

/** A JWS in General JSON Serialization: of a trust root, and of a release that is signed twice (format 3). */
export interface GeneralJws {
  /** base64url. */
  readonly payload: string;
  readonly signatures: readonly { readonly protected: string; readonly signature: string }[];
}

/** A release needs so many at most. */
export const MAX_RELEASE_SIGNATURE_COUNT = 2;

/** Longest system manifest, characters of its JWS: one of eight components with long names fits, with one signature. */
export const MAX_SYSTEM_LENGTH = 3072;

/** Signatures of a system manifest of format 2, at most. */
export const MAX_SYSTEM_SIGNATURE_COUNT = 2;

/** Devices, or kinds of device, that one system is made of, at most: what a gateway and the six roles of its nodes need, and one more. */
export const MAX_SYSTEM_COMPONENT_COUNT = 8;

/**
 * Payload of a system manifest (JWS, ES256, protected header `typ: "skyslot-system"`, `kid`): what several devices are to run together. It
 * says which releases belong together and in which order they are begun; what a device installs is decided by its own release's manifest.
 * Numbers are whole.
 */
export interface SystemPayload {
  /** 1: compact JWS; 2: General JSON Serialization, with one or two signatures. */
  readonly format: 1 | 2;
  /** Of the system, such as `doorbell`; 1 to 64 characters of `A-Z a-z 0-9 . _ -`. */
  readonly name: string;
  /** Of the system: a semantic version without a build. */
  readonly version: string;
  /** Oldest version of the system from which this one may be installed; absent: any. */
  readonly minCompatibleVersion?: string;
  /** In the order in which they are updated; 1 to MAX_SYSTEM_COMPONENT_COUNT, no two of the same name. */
  readonly components: readonly SystemComponent[];
  /** Wait between a component's update and the first question whether it is healthy, 0 to 3600. */
  readonly rebootDelaySeconds: number;
  /** How long a component may take to be healthy before the whole system goes back, 1 to 3600. */
  readonly healthTimeoutSeconds: number;
  /** For people, at most MAX_SYSTEM_DESCRIPTION_LENGTH characters. */
  readonly description?: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** Seconds since 1970; absent: never. */
  readonly expires?: number;
}

export const MAX_SYSTEM_DESCRIPTION_LENGTH = 200;

/** One device of a system, or all of one kind, and its release. */
export interface SystemComponent {
  /** In the system, such as `receiver`. */
  readonly name: string;
  /** As in the release: device type, board, version, build. */
  readonly type: string;
  readonly hardware: string;
  readonly version: string;
  readonly build: number;
  /** SHA-256 of the image file, hex. */
  readonly sha256: string;
}
