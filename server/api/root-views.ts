// Trust roots as clients see them: what a root says, who has signed it, and how far devices and releases are.

import { type Static, Type } from "@sinclair/typebox";
import { ROLES } from "../../release/root-draft.js";
import type { RootReport } from "../../release/root-report.js";
import { expiresSoon } from "../releases/trust-roots.js";
import { time } from "../shared/iso-time.js";
import type { RootVersionCount, StoredRoot } from "../store/store.js";
import { boolean, dateTime, integer, integerOrNull, list, named, oneOf, orNull, text } from "./fields.js";

const RootKeyView = named("RootKey", "A public key and what it signs", {
  kid: text("Its thumbprint (RFC 7638)"),
  roles: list(oneOf(ROLES)),
  has_signed: boolean("This root"),
  release_count: integer("Releases here that it has signed"),
});

export const RootView = named("TrustRoot", "Whose signatures count", {
  version: integer(),
  published_at: dateTime(),
  expires_at: dateTime("From then on devices install nothing with it"),
  expires_soon: boolean("Within 30 days, or it has expired"),
  threshold: integer("Signatures by different root keys that the next root needs"),
  release_threshold: integer("Likewise by release keys, that a release needs"),
  min_security_version: integer("Of releases"),
  fast_forward: list(
    Type.Object({ type: text(), sequence: integer() }),
    "Device types whose releases count anew from a sequence",
  ),
  keys: list(RootKeyView),
});

export const RootsView = Type.Object({
  roots: list(RootView, "Newest first"),
  devices: list(
    Type.Object({
      root_version: integerOrNull("null: none, or their firmware does not say"),
      device_count: integer(),
    }),
    "How many devices have which root",
  ),
  behind: integer("Devices with an older root than the newest"),
  frozen: integer("Devices that say that they have had no statement of freshness for two weeks"),
  freshness_key: orNull(
    Type.Object({ kid: text("Its thumbprint (RFC 7638)"), is_named: boolean("By the newest root") }),
    "With which this server signs statements of freshness; null: it has none",
  ),
});

export type RootsView = Static<typeof RootsView>;

export const viewRoot = (
  { createdAt }: StoredRoot,
  report: RootReport,
  counts: ReadonlyMap<string, number>,
  now: number,
) => ({
  version: report.version,
  published_at: time(createdAt),
  expires_at: report.expires_at,
  expires_soon: expiresSoon({ expires: Date.parse(report.expires_at) / 1000 }, now),
  threshold: report.threshold,
  release_threshold: report.release_threshold,
  min_security_version: report.min_security_version,
  fast_forward: report.fast_forward,
  keys: report.keys.map((key) => ({ ...key, release_count: counts.get(key.kid) ?? 0 })),
});

export const viewRootVersions = (counts: readonly RootVersionCount[]) =>
  counts.map(({ rootVersion, deviceCount }) => ({ root_version: rootVersion, device_count: deviceCount }));
