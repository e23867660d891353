// What every group of routes is given: the collaborators of one server, and nothing global.

import type { JWK } from "jose";
import type { Auth } from "../auth/auth.js";
import type { BlobStore } from "../blobs/blobs.js";
import type { HotBlobs } from "../blobs/hot.js";
import type { ContentSource } from "../content/content.js";
import type { DeviceLimit } from "../devices/limit.js";
import type { Live } from "../events/live.js";
import type { AccessCache } from "../fast-path/access-cache.js";
import type { FastPath } from "../fast-path/fast-path.js";
import type { ChunkDigests } from "../releases/chunk-digests.js";
import { type ConnectionLimits, DEFAULT_CONNECTIONS } from "../runtime/connections.js";
import type { Metrics } from "../runtime/metrics.js";
import type { Readiness } from "../runtime/readiness.js";
import type { RateLimit } from "../shared/rate.js";
import type { Store } from "../store/store.js";

export interface Context {
  readonly store: Store;
  readonly blobs: BlobStore;
  /** The same, from memory where it pays. */
  readonly hot: HotBlobs;
  /** What devices fetch beside an image. */
  readonly chunkDigests: ChunkDigests;
  readonly auth: Auth;
  readonly access: AccessCache;
  readonly deviceLimit: DeviceLimit;
  /** Bounds how often a device asks, see device-rate.ts; absent: nothing does. */
  readonly deviceRate: RateLimit | undefined;
  /** What panels show. */
  readonly content: ContentSource;
  readonly live: Live;
  readonly metrics: Metrics;
  readonly fastPath: FastPath;
  /** Bounds how often a refused device is noted in the log. */
  readonly refusals: RateLimit;
  readonly readiness: Readiness;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly settings: Settings;
}

export interface Settings {
  /** Public keys that releases must be signed with; empty: signatures are left to the devices. */
  readonly trustedKeys: readonly JWK[];
  /** Reads need no token when they come from this machine. Only for a server that listens on loopback and nowhere else. */
  readonly openReads: boolean;
  /** Where people reach this server, such as `https://updates.example.com`; absent: as the request says. */
  readonly publicUrl: string | undefined;
  /** Addresses or networks of proxies whose `X-Forwarded-For` and `-Proto` are believed; empty: none. */
  readonly trustedProxies: readonly string[];
  /** Told to devices with every check, for those for which no interval was chosen; absent: each device's own interval. */
  readonly pollSeconds: number | undefined;
  /** In an emergency: for all devices, whatever was chosen for them. */
  readonly pollIsForAll: boolean;
  /** Longest image that is taken, bytes. */
  readonly maxImageBytes: number;
  readonly maxDeviceCount: number;
  /**
   * Devices that nobody knows and nobody vouches for, which one address may bring at once, and a second afterwards; absent: no
   * bound. Those of an enrolment token are not counted.
   */
  readonly newDeviceRate: { readonly burst: number; readonly perSecond: number } | undefined;
  readonly connections: ConnectionLimits;
  /** Requests that one device may make at once, and a second afterwards; absent: no bound. */
  readonly deviceRate: { readonly burst: number; readonly perSecond: number } | undefined;
  /**
   * Where clients that follow redirects are sent for images: `link` (a presigned link of the blob store, where it has such) or the
   * URL of a cache or a CDN in front of the blob store. Absent: the server sends them.
   */
  readonly downloadsFrom: string | undefined;
  /** Requests that one address may make at once, and a second afterwards, on routes that are not for devices; absent: no bound. */
  readonly addressRate: { readonly burst: number; readonly perSecond: number } | undefined;
  /** How long a device that is silent still counts as online. */
  readonly onlineMs: number;
  /** Answers checks that change nothing without a transaction, see fast-path/; false: every check takes the full path. */
  readonly fastPath: boolean;
}

export const DEFAULT_SETTINGS: Settings = Object.freeze({
  trustedKeys: Object.freeze([]),
  openReads: false,
  publicUrl: undefined,
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
