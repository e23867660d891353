// Every effect that a device can have. Core returns them as data; firmware/platform carries them out.
// An asynchronous effect has an `attempt`: the event that answers it has the same number, and a stale answer is dropped.

import type { Status } from "./status.js";
import type { KeyPoint } from "./wire.js";

/** One timer per name: setting it again replaces the one that runs. */
export type TimerName =
  | "wifi"
  | "portal"
  | "check"
  | "transfer"
  | "retry"
  | "report"
  | "trial"
  | "trialDeadline"
  | "restart"
  | "farewell"
  | "healthy"
  | "scan"
  | "announce";

/** Why the device restarts itself; the next boot knows it. A roll back has its own. */
export type RestartReason = "update" | "owner" | "order" | "factory-reset" | "roll-back" | "network";

/** What is stored before something else may happen. */
export type SavePurpose =
  /** The record of an installation, before its slot is armed; before it is armed again; before an image is put on trial. */
  | "record"
  | "rearm"
  | "trial"
  /** The record of an image that waits to be armed. */
  | "staged"
  /** A trust root that was verified, before it is in force. */
  | "root"
  /** The id of an order, before it restarts the device. */
  | "order"
  /** The count of crashes, before the app starts. */
  | "crash-count"
  /** Settings, before they are in force. */
  | "settings"
  /** The settings of an older version. */
  | "layout"
  /** Which of two tokens was proved. */
  | "token"
  /** The job of a system of several devices. */
  | "system";

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface HttpRequest {
  readonly method: "GET" | "POST";
  /** Absolute, http or https: `https://host[:port]/path`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** UTF-8 text. */
  readonly body?: string;
}

export interface HttpResponse {
  readonly status: number;
  /** Lower-case names. `content-length` is added by the adapter. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A service in the owner's network (DNS-SD). */
export interface Announced {
  /** Such as `_http._tcp`. */
  readonly serviceType: string;
  readonly port: number;
  /** The keys and values of its TXT record. */
  readonly text: Readonly<Record<string, string>>;
}

/** An app has timers of its own, with names that core does not know. */
export type TimerEffect<Name extends string = TimerName> =
  | { readonly type: "setTimer"; readonly timer: Name; readonly delayMs: number }
  | { readonly type: "clearTimer"; readonly timer: Name };

export type Effect =
  | TimerEffect
  // Wi-Fi
  | {
      readonly type: "joinWifi";
      readonly attempt: number;
      readonly ssid: string;
      readonly password: string;
      /** What the router is told that this device is called. */
      readonly hostName: string;
      /** Of one access point, `aa:bb:cc:dd:ee:ff`, and its channel; absent: any of that name. */
      readonly bssid?: string;
      readonly channel?: number;
    }
  | { readonly type: "leaveWifi" }
  | { readonly type: "startAccessPoint"; readonly ssid: string }
  | { readonly type: "stopAccessPoint" }
  /** For the access points of one name, or all that are in range. */
  | { readonly type: "scanWifi"; readonly attempt: number; readonly ssid?: string }
  // HTTP client: one request at a time; the body is pulled, or collected whole
  | { readonly type: "startRequest"; readonly attempt: number; readonly request: HttpRequest }
  | { readonly type: "readResponse"; readonly attempt: number; readonly maxBytes: number }
  /**
   * Instead of reading it, when the headers have come: the body as one, answered by `bytesCollected` or `textCollected`. It is held once, in
   * `maxBytes`, which the caller bounds. Of a longer body these bytes are all that is read; a longer text has failed.
   */
  | {
      readonly type: "collectResponse";
      readonly attempt: number;
      readonly maxBytes: number;
      readonly as: "bytes" | "text";
    }
  | { readonly type: "closeRequest"; readonly attempt: number }
  /** What certificates are judged by from now on, seconds since 1970: when this boot began at the earliest, and by what a server has said. */
  | { readonly type: "setTime"; readonly bootedAfter: number; readonly toldBoot: number | undefined }
  // the device's own pages
  | { readonly type: "startServer"; readonly captive: boolean }
  | { readonly type: "stopServer" }
  | { readonly type: "respond"; readonly connection: number; readonly response: HttpResponse }
  /** The response follows in a later turn, within the time of a request; every other one is sent in the turn that has brought the request. */
  | { readonly type: "delayResponse"; readonly connection: number }
  // push over the local network: the body of a connection is pulled like that of an answer
  | { readonly type: "startPush"; readonly espota: boolean }
  /** The sender may begin with the body: `100 Continue` if it waits for that. */
  | { readonly type: "continuePush"; readonly connection: number }
  | { readonly type: "readPush"; readonly connection: number; readonly maxBytes: number }
  | { readonly type: "answerPush"; readonly connection: number; readonly response: HttpResponse }
  // espota: the invitation's port, the connection back, an acknowledgement of each chunk
  | { readonly type: "sendDatagram"; readonly address: string; readonly port: number; readonly text: string }
  | {
      readonly type: "connectPush";
      readonly connection: number;
      readonly address: string;
      readonly port: number;
    }
  | { readonly type: "acknowledgePush"; readonly connection: number; readonly count: number }
  /** SHA-256 of bytes that are in memory. */
  | { readonly type: "hashBytes"; readonly attempt: number; readonly bytes: Uint8Array }
  | { readonly type: "hashText"; readonly algorithm: "MD5" | "SHA256"; readonly text: string }
  /** PBKDF2-HMAC-SHA256 of texts, 32 bytes; answered by `textHashed` for espota, by `keyDerived` for the owner's token. */
  | {
      readonly type: "deriveKey";
      readonly for: "espota" | "owner";
      readonly password: string;
      readonly salt: string;
      readonly rounds: number;
    }
  /** HMAC-SHA256 of texts; the key has at most 64 characters, ASCII. */
  | {
      readonly type: "makeMac";
      readonly connection: number;
      readonly key: string;
      readonly text: string;
      /** Its SHA-256 follows the text, 64 hex digits; absent: the text is all. */
      readonly hashed?: string;
    }
  // the inactive slot; offsets and lengths in bytes from its start
  /** Whole sectors: `offset` and `length` are multiples of 4096. */
  | { readonly type: "eraseSlot"; readonly attempt: number; readonly offset: number; readonly length: number }
  | {
      readonly type: "writeSlot";
      readonly attempt: number;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  | {
      readonly type: "hashSlot";
      readonly attempt: number;
      readonly offset: number;
      readonly length: number;
      /** SHA-256 unless another is named. */
      readonly algorithm?: "MD5";
    }
  /** Selects the slot for the next start, if the image in it has this appended SHA-256, hex. */
  | { readonly type: "armSlot"; readonly attempt: number; readonly imageSha256: string }
  // boot state
  | { readonly type: "markValid" }
  | { readonly type: "rollBack" }
  /** Arms the slot that runs and restarts, so that the boot loader puts it on trial. Where that fails nothing else happens. */
  | { readonly type: "beginTrial" }
  /**
   * Whether another slot holds an image to go back to; verifies that image, so it takes a moment. `connection` 0: the update machine asks for itself.
   */
  | { readonly type: "checkRollBack"; readonly connection: number }
  | { readonly type: "restart"; readonly reason: RestartReason }
  // signatures
  | {
      readonly type: "verifySignature";
      readonly attempt: number;
      readonly key: KeyPoint;
      /** Comes before the rest of what was signed; absent: nothing. */
      readonly head?: string;
      /** The manifest, ASCII. From `signedStart` (absent: its beginning) `signedLength` characters are signed: hashed as they stand, not copied. */
      readonly manifest: string;
      readonly signedStart?: number;
      readonly signedLength: number;
      /** r and s, 32 bytes each. */
      readonly signature: Uint8Array;
    }
  // settings; keys of at most 15 characters (stored.ts), values of at most 3999 bytes; where it fails `storeFailed` tells it
  | { readonly type: "store"; readonly key: string; readonly value: string }
  | { readonly type: "forget"; readonly key: string }
  /**
   * Stores all of these values or none; those that are undefined are forgotten. What may only happen once they are stored follows in
   * `next`. Answered by `saved` or `saveFailed`.
   */
  | {
      readonly type: "save";
      readonly purpose: SavePurpose;
      readonly values: Readonly<Record<string, string | undefined>>;
      readonly next?: readonly Effect[];
    }
  /** Back to factory settings: the NVS partition is erased, so that nothing of it can be read from the flash. */
  | { readonly type: "forgetAll" }
  // multicast DNS; announcing again replaces what was announced; answered by `nameClaimed` or `nameRefused`
  | { readonly type: "announce"; readonly hostName: string; readonly services: readonly Announced[] }
  | { readonly type: "withdraw" }
  // the rest
  /** Builds what shows the status, if the app has such a light. */
  | { readonly type: "startLight" }
  /** Builds and starts the app's own part, besides Wi-Fi, portal and update. */
  | { readonly type: "startApp" }
  /** Only when it changes; an error whenever one happens. */
  | { readonly type: "showStatus"; readonly status: Status }
  | { readonly type: "log"; readonly level: LogLevel; readonly message: string };
