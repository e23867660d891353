// What every group of routes gets: the collaborators of one server.

import type { JWK } from "jose";
import type { Auth } from "../auth/auth.js";
import type { BlobStore } from "../blobs/blobs.js";
import type { HotBlobs } from "../blobs/hot.js";
import type { ContentSource } from "../content/content.js";
import type { DeviceLimit } from "../devices/limit.js";
import type { DeviceRate } from "../devices/rate.js";
import type { Live } from "../events/live.js";
import type { AccessCache } from "../fast-path/access-cache.js";
import type { FastPath } from "../fast-path/fast-path.js";
import type { ChunkDigests } from "../releases/chunk-digests.js";
import type { FreshnessKey } from "../releases/freshness.js";
import { type ConnectionLimits, DEFAULT_CONNECTIONS } from "../runtime/connections.js";
import type { Metrics } from "../runtime/metrics.js";
import type { Readiness } from "../runtime/readiness.js";
import type { RateLimit } from "../shared/rate.js";
import type { Store } from "../store/store.js";

export interface Context {
  readonly store: Store;
  readonly blobs: BlobStore;
  /** The same, cached in memory. */
  readonly hot: HotBlobs;
  /** Digests of the chunks of images. */
  readonly chunkDigests: ChunkDigests;
  readonly auth: Auth;
  readonly access: AccessCache;
  readonly deviceLimit: DeviceLimit;
  /** Rate limit per device and of strangers, see device-rate.ts; absent: none. */
  readonly deviceRate: DeviceRate | undefined;
  /** What panels show. */
  readonly content: ContentSource;
  readonly live: Live;
  /** Changes of many devices; `wake` begins what waits, and resolves when nothing does any more. */
  readonly bulkJobs: { wake(): Promise<void> };
  readonly metrics: Metrics;
  readonly fastPath: FastPath;
  /** Limits how often a refused device is logged. */
  readonly refusals: RateLimit;
  readonly readiness: Readiness;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly settings: Settings;
  /** In front of every path that is given to clients, such as `/ota`; empty: the server is at the root of its host. */
  readonly prefix: string;
}

export interface Settings {
  /** Public keys, one of which must have signed a release; empty: only devices check signatures. */
  readonly trustedKeys: readonly JWK[];
  /** Signs statements of freshness; absent: this server states none. */
  readonly freshnessKey: FreshnessKey | undefined;
  /** Reads need no token when they come from this machine. Only for a server that listens on loopback and nowhere else. */
  readonly openReads: boolean;
  /** Gateways of the local network report without a token. */
  readonly openGateways: boolean;
  /** Public URL of this server, such as `https://example.com/ota`, see runtime/public-url.ts; absent: as the request says. */
  readonly publicUrl: string | undefined;
  /** It also speaks plain HTTP, at another port of the same name: browsers must not be told to use TLS for all of them. */
  readonly hasPlainToo: boolean;
  /** Addresses or networks of proxies whose `X-Forwarded-For` and `-Proto` are trusted; empty: none. */
  readonly trustedProxies: readonly string[];
  /** Check interval that is sent to devices without one of their own; absent: each device's default. */
  readonly pollSeconds: number | undefined;
  /** For emergencies: overrides the interval of every device. */
  readonly pollIsForAll: boolean;
  /** Largest accepted image, bytes. */
  readonly maxImageBytes: number;
  readonly maxDeviceCount: number;
  /**
   * New devices that one address may register at once, and per second after that; absent: no limit. Devices with an enrolment token are
   * not counted.
   */
  readonly newDeviceRate: { readonly burst: number; readonly perSecond: number } | undefined;
  readonly connections: ConnectionLimits;
  /** Requests that one device may make at once, and per second after that; absent: no limit. */
  readonly deviceRate: { readonly burst: number; readonly perSecond: number } | undefined;
  /**
   * Where clients that follow redirects are sent for images: `link` (a presigned link of the blob store, where it has such) or the
   * URL of a cache or a CDN in front of the blob store. Absent: the server sends them.
   */
  readonly downloadsFrom: string | undefined;
  /** Requests that one address may make at once, and per second after that, on routes that are not for devices; absent: no limit. */
  readonly addressRate: { readonly burst: number; readonly perSecond: number } | undefined;
  /** How long a silent device counts as online. */
  readonly onlineMs: number;
  /** Answers checks that change nothing without a transaction, see fast-path/; false: every check takes the full path. */
  readonly fastPath: boolean;
}

export const DEFAULT_SETTINGS: Settings = Object.freeze({
  trustedKeys: Object.freeze([]),
  freshnessKey: undefined,
  openReads: false,
  openGateways: false,
  publicUrl: undefined,
  hasPlainToo: false,
  trustedProxies: Object.freeze([]),
  pollSeconds: undefined,
  pollIsForAll: false,
  maxImageBytes: 16 * 1024 * 1024,
  maxDeviceCount: 100_000,
  newDeviceRate: Object.freeze({ burst: 500, perSecond: 10 / 60 }),
  connections: DEFAULT_CONNECTIONS,
  deviceRate: Object.freeze({ burst: 40, perSecond: 4 }),
  downloadsFrom: undefined,
  addressRate: Object.freeze({ burst: 600, perSecond: 60 }),
  onlineMs: 5 * 60_000,
  fastPath: true,
});
