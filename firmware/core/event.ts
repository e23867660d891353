// Every event of a device, in the past tense. The runner stamps each with the time and a random number: core has no other source of
// either.

import type { SavePurpose, TimerName } from "./effect.js";
import type { Failure, TlsErrorCode, UpdateErrorCode } from "./errors.js";
import type { JsonObject } from "./json.js";
import type { Section } from "./section.js";
import type { StoredValues } from "./stored.js";
import type { KeyPoint, Order, OrderResult, Readings, Report, RootPayload, SlotState } from "./wire.js";

/** A network that a scan found. */
export interface Network {
  readonly ssid: string;
  /** dBm, about -90 (barely) to -30 (beside it). */
  readonly rssi: number;
  /** Needs a password. */
  readonly secured: boolean;
  readonly channel: number;
  /** Address of the access point, `aa:bb:cc:dd:ee:ff`. */
  readonly bssid: string;
}

/** One of the access points that may share a network's name. */
export type AccessPoint = Pick<Network, "bssid" | "channel">;

/** Facts that do not change while a device runs. */
export interface Identity {
  /** `<type>-<last three bytes of the MAC in hex>` unless the owner set another. */
  readonly deviceId: string;
  readonly type: string;
  readonly hardware: string;
  readonly chip: string;
  /** `aa:bb:cc:dd:ee:ff`. */
  readonly mac: string;
}

/**
 * How a firmware keeps its settings: plain, encrypted with a key that the HMAC peripheral derives from that eFuse block, or with keys in the
 * partition nvs_keys. One kind cannot read what another has written, and destroys it.
 */
export type NvsKind = "plain" | `hmac${number}` | "nvs-keys";

/** Something that a person should know and mend; the device works around it. */
export interface Problem {
  readonly code: string;
  /** A sentence. */
  readonly message: string;
}

export type LinkKind = "wifi" | "ethernet" | "radio";

/** What runs, read from the slot itself. */
export interface RunningImage {
  /** Semantic version without build. */
  readonly version: string;
  readonly build: number;
  /** The appended SHA-256, hex; empty if the image carries none. */
  readonly imageSha256: string;
  /** Label of the partition. */
  readonly slot: string;
  readonly slotState: SlotState;
  /** The state is one that is never written: power failed while it was written or erased. Such a slot counts as on trial. */
  readonly stateTorn?: true;
  readonly securityVersion: number;
  /** When it was compiled, as its description says, such as `Nov 21 2026` and `12:00:00`; empty or absent: not known. */
  readonly compileDate?: string;
  readonly compileTime?: string;
  readonly idfVersion?: string;
  /** How it keeps its settings; absent: it does not say. */
  readonly nvs?: NvsKind;
}

/** The slot that an update goes to. */
export interface TargetSlot {
  readonly label: string;
  readonly sizeBytes: number;
  readonly state: SlotState;
  /** Writes begin and end at multiples of this; absent: anywhere. */
  readonly writeUnitBytes?: number;
}

export interface Booted {
  readonly type: "booted";
  readonly identity: Identity;
  readonly image: RunningImage;
  readonly target: TargetSlot | undefined;
  /** `power-on`, `software`, `panic`, `task-watchdog`, `brownout` … */
  readonly resetReason: string;
  /** What the firmware noted before it last restarted the chip itself; see restart-cause.ts. */
  readonly restartNote?: string;
  /** Label of the partition that otadata selects: not the running one if its image did not pass the boot loader. */
  readonly bootSlot?: string;
  /** The image was built to be confirmed as it starts, before it has proved anything; see rollback-support.ts. */
  readonly confirmsItself?: true;
  /** Clock of the processor; absent: not known. */
  readonly cpuMhz?: number;
  /** How the device gets into its network; absent: by Wi-Fi. By `radio` it is in none: a gateway in range asks the server for it. */
  readonly link?: LinkKind;
  /** Its name is announced in its network (multicast DNS); absent: it is. */
  readonly isAnnounced?: boolean;
  /** What is stored under our keys in NVS, as far as it could be read. */
  readonly stored: StoredValues;
  /** What is wrong with the build or with what is stored; absent: nothing. */
  readonly problems?: readonly Problem[];
  /** The setup page, HTML: core does not import pages. */
  readonly setupPage: string;
  /** The page that the device serves in its owner's network. */
  readonly statusPage?: string;
  /** The settings that the app has; absent: none. */
  readonly section?: Section | undefined;
  /** The app has something to show a person which device it is: a light, a panel. */
  readonly canIdentify?: boolean;
  /** Built into the firmware (mc/config). */
  readonly build: BuildSettings;
}

/** From the one small place that a build is configured in; a stored setting overrides `server`. */
export interface BuildSettings {
  /** Absolute URL of the update server without trailing slash, such as `http://updates.local:8080`; empty: none can be asked. */
  readonly server: string;
  readonly checkSeconds: number;
  /** How long a new image must run well before it is validated. */
  readonly trialSeconds: number;
  /** When a trial that has not passed is given up and rolled back. */
  readonly trialDeadlineSeconds: number;
  /** Of the packets between paired devices; absent: 1. */
  readonly protocolVersion?: number | undefined;
  /** Oldest version of the other device of a pair that this firmware works with; absent: any. */
  readonly minCompatible?: string | undefined;
  /** Keys that a release may be signed with, if the image has no trust root. */
  readonly keys: readonly (KeyPoint & { readonly kid: string })[];
  /** The first trust root, as its text (trust/root.ts); absent or empty: none, and the keys above count for ever. */
  readonly root?: string | undefined;
  /** Token of the push port; absent or empty: push is off unless the owner stored a token. */
  readonly pushToken?: string | undefined;
  /** Shown to `server` by a device that has no token of its own there; absent or empty: the server lets it in without. */
  readonly enrolmentToken?: string | undefined;
}

/** A trust root as a device holds it. `fastForward` is a list, because types come from outside, and are no names of properties. */
export interface Root extends Omit<RootPayload, "fastForward"> {
  readonly fastForward: readonly FastForward[];
}

/** Releases of this type count anew from this sequence. */
export interface FastForward {
  readonly type: string;
  readonly sequence: number;
}

/** A token, and the server that issued it. */
export interface ServerToken {
  readonly server: string;
  readonly token: string;
}

/** One of the orders that an answer brought (wire.ts). */
export interface ReceivedOrder extends Omit<Order, "settings"> {
  /** Of any names and values: they are checked when they are applied. */
  readonly settings?: JsonObject;
}

/** The tokens that are kept, at most two: see server/server-token.ts. */
export interface ServerTokens {
  /** A check was answered with it. */
  readonly proved: ServerToken | undefined;
  /** One that no check was answered with yet, or the one that was proved before. */
  readonly other: ServerToken | undefined;
  readonly isOtherNew: boolean;
  /** Whether a server that has issued both is shown the other one now. */
  readonly showsOther: boolean;
}

/** The head of an HTTP request. */
export interface RequestHead {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** At most 100 characters, without the `?`; absent: none, or a longer one. */
  readonly query?: string;
  /** Those that are used (KEPT_HEADERS in http/http.ts); lower-case names, values without spaces around them. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A pushed image, once its request has been authorized. */
export interface PushOffer {
  readonly connection: number;
  readonly sizeBytes: number;
  /** The sender asks for answers in JSON. */
  readonly isJson?: boolean;
  /** It is staged, and armed only at a later word. */
  readonly hold?: boolean;
  /** The signed release manifest; absent: the owner accepts unsigned images. */
  readonly release?: string;
  /** SHA-256 of the image that the owner has agreed to, hex; absent: the token was shown as it is, or another protocol has authorized it. */
  readonly sha256?: string;
  /** Invited by espota: where the device connects to, where the invitation is answered, and the image's MD5 in hex. */
  readonly espota?: {
    readonly address: string;
    readonly port: number;
    readonly replyPort: number;
    readonly md5: string;
  };
  /**
   * Comes part by part from a painlessMesh gateway: the image's MD5 in hex. That protocol does not tell the length; `sizeBytes` is the most that
   * it can be, and the event with the last bytes says that they are the last.
   */
  readonly mesh?: { readonly md5: string };
}

/** What a device of a pair knows of the other one (pair/peer.ts). */
export interface PeerFacts {
  readonly type: "peerFacts";
  /** Such as `transmitter`. */
  readonly deviceType: string;
  /** `aa:bb:cc:dd:ee:ff`; empty: it has found none yet. */
  readonly mac: string;
  /** Of its firmware, such as `2.1.3`; empty: not heard since the boot, as are the next five. */
  readonly version: string;
  /** The same as a number (versionNumber of update/version.ts). */
  readonly number: number;
  readonly protocol: number;
  /** The oldest version, as a number, of this device that it works with. */
  readonly minCompatible: number;
  readonly buildDate: string;
  readonly buildTime: string;
  /** It was heard within PEER_LOST_MS. */
  readonly isConnected: boolean;
  /** The two may exchange data. */
  readonly isCompatible: boolean;
  /** A sentence for a person, while it is silent or not compatible; absent: all is well, or it is too early to say. */
  readonly warning?: string;
  /** dBm, of the frame that was heard last; 0: none. */
  readonly rssi: number;
  /** How many of the last probes it has answered; absent: none was sent yet. */
  readonly linkPercent?: number;
  /** Data of its that was not believed since the boot, because it is not compatible. */
  readonly ignoredDataCount: number;
}

/** An image that is complete in its slot and waits for the word that arms it. */
export interface StagedImage {
  readonly from: "server" | "push";
  /** Semantic version without build; empty: the image does not say. */
  readonly version: string;
  readonly build: number;
  /** The SHA-256 that is appended to the image, hex. */
  readonly imageSha256: string;
  /** Length of the file, bytes. */
  readonly size: number;
  /** What its release says of the packets between paired devices, and of the oldest version of the other one; absent: it has none. */
  readonly protocolVersion?: number;
  readonly minCompatible?: string;
}

/** Why joining a network failed. */
export type JoinFailure =
  | "wrong-password"
  | "not-found"
  /** It is in range, and what it objects to is not known. */
  | "refused"
  /** It is in range without the password that it was saved with. */
  | "open"
  | "needs-password"
  | "no-address"
  | "lost"
  /** It was not tried: a saved network has its turn. */
  | "busy";

/** An app has timers of its own, with names that core does not know. */
export interface TimerFired<Name extends string = TimerName> {
  readonly type: "timerFired";
  readonly timer: Name;
}

export type Event =
  | Booted
  | TimerFired
  // Wi-Fi
  /** Joined and with an address, or with another one than before. */
  | {
      readonly type: "wifiJoined";
      readonly attempt: number;
      readonly address: string;
      readonly rssi: number;
      /** Of the access point, `aa:bb:cc:dd:ee:ff`; absent: not known. */
      readonly bssid?: string | undefined;
    }
  | { readonly type: "wifiLost"; readonly attempt: number; readonly reason: JoinFailure }
  /** The setup network could not be opened. */
  | { readonly type: "accessPointFailed" }
  | { readonly type: "clientAttached" }
  | { readonly type: "clientDetached" }
  // multicast DNS
  /** The name that the device is found by now, without `.local`; empty: none. */
  | { readonly type: "nameClaimed"; readonly hostName: string }
  /** Another device has it, or it could not be announced. */
  | { readonly type: "nameRefused"; readonly hostName: string }
  | { readonly type: "scanCompleted"; readonly attempt: number; readonly networks: readonly Network[] }
  // HTTP client
  | {
      readonly type: "responseStarted";
      readonly attempt: number;
      readonly status: number;
      /** Lower-case names. */
      readonly headers: Readonly<Record<string, string>>;
    }
  /** Bytes wait to be read. */
  | { readonly type: "responseReadable"; readonly attempt: number; readonly count: number }
  | { readonly type: "responseData"; readonly attempt: number; readonly bytes: Uint8Array }
  /** The body, as far as it was asked for; shorter if it has ended before. */
  | { readonly type: "bytesCollected"; readonly attempt: number; readonly bytes: Uint8Array }
  /** Decoded from UTF-8. */
  | { readonly type: "textCollected"; readonly attempt: number; readonly text: string }
  | { readonly type: "responseEnded"; readonly attempt: number }
  /** On the way to an answer: a name server has resolved the host's name, or the host has taken the connection. */
  | { readonly type: "peerHeard" }
  | {
      readonly type: "requestFailed";
      readonly attempt: number;
      readonly message: string;
      /** The server had taken the connection; absent: not even that. */
      readonly isConnected?: boolean;
      /** It had, and TLS has failed. */
      readonly code?: TlsErrorCode;
    }
  // own pages
  | {
      readonly type: "requestReceived";
      readonly connection: number;
      readonly method: string;
      /** With its query, if that is short. */
      readonly path: string;
      /** Lower-case `host` header without port. */
      readonly host: string;
      /** Headers as they came; absent: not sent. */
      readonly origin?: string | undefined;
      readonly contentType?: string | undefined;
      readonly authorization?: string | undefined;
      /** Of the client; absent: not known. */
      readonly address?: string | undefined;
      /** At most 2048 bytes, UTF-8 decoded. */
      readonly body: string;
    }
  // push: connections are numbered by the adapter from 1, those that the device opens itself by core from -1
  | {
      readonly type: "pushRequested";
      readonly connection: number;
      readonly head: RequestHead;
      /** Of the client; absent: not known. */
      readonly address?: string | undefined;
    }
  /** Bytes of a body wait to be read. */
  | { readonly type: "pushReadable"; readonly connection: number; readonly count: number }
  | {
      readonly type: "pushData";
      readonly connection: number;
      readonly bytes: Uint8Array;
      /** Of a push whose length was not known (PushOffer.mesh): it ends with these bytes. */
      readonly isLast?: true;
    }
  /** The sender has gone, and nothing of what it sent waits. */
  | { readonly type: "pushClosed"; readonly connection: number }
  | {
      readonly type: "datagramReceived";
      readonly address: string;
      readonly port: number;
      readonly text: string;
    }
  /** Hash of a text, or the key derived from it, lower-case hex. */
  | { readonly type: "textHashed"; readonly digest: string }
  /** Of the owner's token, 64 hex digits; empty: there was no memory for it. */
  | { readonly type: "keyDerived"; readonly key: string }
  /** 64 hex digits. */
  | { readonly type: "macMade"; readonly connection: number; readonly mac: string }
  // the inactive slot
  | {
      readonly type: "slotErased";
      readonly attempt: number;
      readonly offset: number;
      readonly length: number;
    }
  | {
      readonly type: "slotWritten";
      readonly attempt: number;
      readonly offset: number;
      readonly length: number;
    }
  | {
      readonly type: "slotHashed";
      readonly attempt: number;
      readonly offset: number;
      readonly digest: Uint8Array;
    }
  /** The bytes that were to be hashed, and their SHA-256. */
  | {
      readonly type: "bytesHashed";
      readonly attempt: number;
      readonly bytes: Uint8Array;
      readonly digest: Uint8Array;
    }
  | { readonly type: "slotArmed"; readonly attempt: number }
  | { readonly type: "slotFailed"; readonly attempt: number; readonly message: string }
  /**
   * Bytes of the image that is requested have come into the slot by another way than as an answer (a broadcast): only new ones count, because
   * as long as they come the try is not given up.
   */
  | { readonly type: "chunkProgress"; readonly attempt: number }
  /** The slot may have the next chunk of that image now: it is looked at, and what is missing then is requested again. */
  | { readonly type: "chunkStored"; readonly attempt: number }
  | { readonly type: "signatureVerified"; readonly attempt: number; readonly good: boolean }
  // boot state
  | { readonly type: "markedValid" }
  | { readonly type: "markValidFailed"; readonly message: string }
  | { readonly type: "rollBackChecked"; readonly connection: number; readonly possible: boolean }
  // settings
  | { readonly type: "saved"; readonly purpose: SavePurpose }
  /** Nothing of it was stored. */
  | { readonly type: "saveFailed"; readonly purpose: SavePurpose; readonly message: string }
  /** It is in force until the next restart, if it is a setting: its value in NVS is the old one. */
  | { readonly type: "storeFailed"; readonly key: string; readonly message: string }
  // parts of the hardware or of the SDK that fail: the device goes on without
  | { readonly type: "partFailed"; readonly part: string; readonly message: string }
  /** Of a pair: whenever one of them has changed that matters to a person. */
  | PeerFacts
  // the app
  /** Its part has thrown an error, for the first time in this boot. */
  | { readonly type: "appFailed"; readonly message: string }
  /** An app that publishes by MQTT is connected to its broker, or not any more. */
  | { readonly type: "brokerStatus"; readonly isConnected: boolean }
  /** The app has read its sensors: the next check reports it. */
  | { readonly type: "readingsTaken"; readonly readings: Readings }
  // raised by one machine for the others; never from outside
  | { readonly type: "credentialsSubmitted"; readonly ssid: string; readonly password: string }
  | { readonly type: "online"; readonly address: string; readonly rssi: number }
  | { readonly type: "offline" }
  | { readonly type: "portalOpened" }
  | { readonly type: "portalClosed" }
  | { readonly type: "joinFailed"; readonly ssid: string; readonly reason: JoinFailure }
  | { readonly type: "serverReached" }
  /** A check had no answer, or none that can be used. */
  | { readonly type: "serverMissed"; readonly tls?: Failure<TlsErrorCode> }
  | { readonly type: "updateFailed"; readonly code: UpdateErrorCode; readonly message: string }
  /** The last installation has failed, as a boot after it found out: until its result is told, each boot does. */
  | {
      readonly type: "installationFailed";
      readonly version: string;
      readonly code: "ROLLED_BACK" | "ARM_FAILED";
      readonly reason: string;
    }
  /** Another image is staged now, or none. */
  | { readonly type: "stagedChanged"; readonly staged: StagedImage | undefined }
  /** The staged image with this SHA-256 (its own, or that of its file) is to start, now. Answered by `commitEnded`. */
  | { readonly type: "commitRequested"; readonly imageSha256: string }
  /** It is armed, and starts in two seconds; or why not, in a sentence's words. */
  | { readonly type: "commitEnded"; readonly problem?: string }
  /** A leader's word on the leader itself: if this image runs, validated, the device goes back to the one before, as by `revert` of a check's answer. */
  | { readonly type: "revertRequested"; readonly imageSha256: string }
  /**
   * The device leads or belongs to an update of several devices, and its other slot is the way back: until `installationsFreed`, or another one
   * of these, nothing is installed but images with these SHA-256 that are offered to be held. Not kept over a restart: raised again after
   * `booted`, in the same turn.
   */
  | {
      readonly type: "installationsHeld";
      /** A clause for those who are refused, such as `the system is being updated to 2.0.0`. */
      readonly reason: string;
      readonly images: readonly string[];
    }
  | { readonly type: "installationsFreed" }
  /** The trust root that is in force from now on. */
  | { readonly type: "rootHeld"; readonly root: Root }
  /** Seconds since 1970 of the last statement of freshness, or of the first one that was missed (0: neither yet). Only where the root asks for them. */
  | { readonly type: "freshnessChanged"; readonly since: number; readonly isFrozen: boolean }
  /** A person has sent the next trust root; the connection is answered when it is stored, or is not. */
  | { readonly type: "rootGiven"; readonly connection: number; readonly text: string }
  /** What is staged, or on its way to be, is not wanted any more. */
  | { readonly type: "abandonRequested"; readonly reason: string }
  | { readonly type: "reportMade"; readonly report: Report }
  /** What the server may order of this device has another digest now (local/abilities.ts). */
  | { readonly type: "abilitiesChanged"; readonly digest: string }
  /** The server does not know what has this digest. */
  | { readonly type: "abilitiesAsked" }
  /** JSON of an AbilitiesRequest, to be sent. */
  | { readonly type: "abilitiesTold"; readonly body: string }
  /** The server has taken a report, or will never take it. */
  | { readonly type: "reportTaken"; readonly report: Report }
  /** The update server to talk to: the build's, unless the owner stored another. */
  | {
      readonly type: "serverChosen";
      readonly server: string;
      readonly checkSeconds: number;
      /** It was chosen for this device, not by its build. */
      readonly hasOwnPace: boolean;
    }
  /** The tokens have changed, or which of them is shown; what is new is stored. */
  | { readonly type: "serverTokensChanged"; readonly serverTokens: ServerTokens }
  /** An answer of the server has brought orders, at most MAX_ORDER_COUNT. */
  | { readonly type: "ordersReceived"; readonly orders: readonly ReceivedOrder[] }
  /** One of them is an order to change settings. */
  | { readonly type: "settingsPushed"; readonly id: number; readonly settings: JsonObject }
  /** The result of an order: the next check reports it. */
  | { readonly type: "orderFinished"; readonly result: OrderResult }
  /** The owner set a token for changes and pushed updates, the first or another. */
  | { readonly type: "tokenChosen"; readonly token: string }
  /** Whether images without a signature are taken, as the owner decided it. */
  | { readonly type: "unsignedChosen"; readonly accept: boolean }
  /** Whether the owner's token is taken as it is, or only an answer to a challenge. */
  | { readonly type: "bearerChosen"; readonly accept: boolean }
  /** The owner has removed a saved network. */
  | { readonly type: "networkForgotten"; readonly ssid: string }
  /** Nothing gets through the network that is joined: it is joined anew, or another access point or network is. */
  | { readonly type: "linkDoubted"; readonly cure: "rejoin" | "another" }
  /** Names of the saved networks after a change, the last that worked first. */
  | { readonly type: "networksSaved"; readonly ssids: readonly string[] }
  /** The owner gave the device another name. */
  | { readonly type: "deviceNamed"; readonly deviceName: string }
  | { readonly type: "safeModeEntered"; readonly unhealthyCount: number }
  /** The owner has sent the release of the image that is uploaded next. */
  | { readonly type: "releaseGiven"; readonly release: string }
  | { readonly type: "pushOffered"; readonly offer: PushOffer }
  | { readonly type: "trialPassed" }
  | { readonly type: "trialFailed"; readonly reason: string };

/** What core cannot find out itself comes with each event. */
export interface Stamp {
  /** Milliseconds since this boot. */
  readonly at: number;
  /** 0 (included) to 1 (excluded). */
  readonly random: number;
  readonly freeHeapBytes: number;
}

export type Stamped<Any = Event> = Any & Stamp;

/** A request to the device's own pages. */
export type PageRequest = Extract<Stamped, { readonly type: "requestReceived" }>;

/** An event for the other machines: the device delivers it before it does anything else. */
export interface Raise {
  readonly type: "raise";
  readonly event: Event;
}
