// The contents of `/api/version` (identity) and `/api/health`. No secrets.

import type { Booted, PeerFacts, Problem, Root, StagedImage, Stamped } from "../event.js";
import { announcedName } from "../identity.js";
import { releaseKeyIds } from "../trust/trust.js";
import { parseVersion, versionNumber } from "../update/version.js";
import { type LocalApiState, nameOf } from "./api-state.js";

/** Of the packets between paired devices, of builds that name none. */
const PROTOCOL_VERSION = 1;

export const seconds = (atMs: number): number => Math.floor(atMs / 1000);

export function versionFacts(
  { boot, preferences, claimedName, staged, peer, root, freshness }: LocalApiState,
  { at, freeHeapBytes }: Pick<Stamped, "at" | "freeHeapBytes">,
): object {
  if (!boot) return {};
  const { identity, image } = boot;
  return {
    deviceId: identity.deviceId,
    hostName: announcedName(boot, claimedName) ?? null,
    name: nameOf(preferences, identity.deviceId),
    type: identity.type,
    version: image.version,
    build: image.build,
    versionNumber: numberOf(image.version),
    buildDate: image.compileDate || null,
    buildTime: image.compileTime || null,
    idfVersion: image.idfVersion || null,
    protocolVersion: boot.build.protocolVersion ?? PROTOCOL_VERSION,
    minCompatible: boot.build.minCompatible ?? null,
    slot: image.slot,
    slotState: image.slotState,
    chip: identity.chip,
    hardware: identity.hardware,
    uptimeSeconds: seconds(at),
    freeHeapBytes,
    staged: staged ? stagedFacts(staged) : null,
    trust: { ...trustFacts(root, boot), ...freshnessFacts(freshness) },
    peer: peer ?? null,
    ...(peer ? pairVersion(boot, peer) : {}),
  };
}

export function healthFacts(
  state: LocalApiState,
  { at, freeHeapBytes }: Pick<Stamped, "at" | "freeHeapBytes">,
): object {
  const { boot, lastError, lastRollBack, address } = state;
  return {
    status: statusOf(state),
    version: boot?.image.version ?? "",
    uptimeSeconds: seconds(at),
    resetReason: boot?.resetReason ?? "unknown",
    safeMode: state.safeModeAfter > 0,
    unhealthyBootCount: state.safeModeAfter,
    link: {
      kind: boot?.link ?? "wifi",
      state: address === "" ? "offline" : "online",
      address: address || null,
      rssi: state.rssi || null, // 0: a cable
      setupPortal: state.portalOpen,
      server: state.serverReached ? "reached" : "not-reached",
    },
    freeHeapBytes,
    lastError: lastError ?? null,
    lastRollBack: lastRollBack ?? null,
    problems: problemsOf(state),
    ...(boot && state.peer ? pairHealth(state, boot, state.peer, { at, freeHeapBytes }) : {}),
  };
}

/** The trust root, and the ids of the keys that may sign releases. */
const trustFacts = (root: Root | undefined, { build }: Booted): object => ({
  rootVersion: root?.version ?? null,
  expires: root?.expires ?? null,
  signatures: root?.releaseThreshold ?? 1,
  keyIds: releaseKeyIds({ root, keys: build.keys }),
});

/** Where statements of freshness are asked for: when the last one was made, or the first one was missed. */
const freshnessFacts = (freshness: LocalApiState["freshness"]): object =>
  freshness ? { frozen: freshness.isFrozen, freshSince: freshness.since || null } : {};

const FROZEN: Problem = Object.freeze({
  code: "FROZEN",
  message:
    "For two weeks no server has shown this device what is new: updates may be kept from it. Look whether the update server has its freshness key, and whether somebody is in between.",
});

/** Those that last, and those of now. */
const problemsOf = ({ problems, freshness, tlsFailure }: LocalApiState): readonly Problem[] => [
  ...problems,
  ...(freshness?.isFrozen ? [FROZEN] : []),
  ...(tlsFailure ? [tlsFailure] : []),
];

/** What waits in the other slot. */
const stagedFacts = ({ version, build, size, imageSha256, from }: StagedImage): object => ({
  version,
  build,
  size,
  imageSha256,
  from,
});

/** The devices of a pair say `healthy`, as their clients expect it. */
function statusOf({ safeModeAfter, serverReached, peer }: LocalApiState): string {
  if (safeModeAfter > 0) return "safe-mode";
  if (peer) return peer.isConnected && peer.isCompatible ? "healthy" : "degraded";
  return serverReached ? "ok" : "degraded";
}

// ── what the clients of a pair read, by their names for it

type Asked = Pick<Stamped, "at" | "freeHeapBytes">;

const pairVersion = ({ identity, image, build }: Booted, peer: PeerFacts): object => ({
  device: identity.type,
  firmware_version: image.version,
  firmware_version_number: numberOf(image.version),
  protocol_version: build.protocolVersion ?? PROTOCOL_VERSION,
  min_compatible: numberOf(build.minCompatible ?? ""),
  build_date: image.compileDate || null,
  build_time: image.compileTime || null,
  ...otherVersion(identity.type, peer),
});

const pairHealth = (state: LocalApiState, boot: Booted, peer: PeerFacts, asked: Asked): object => ({
  device: boot.identity.type,
  firmware_version: boot.image.version,
  ...otherVersion(boot.identity.type, peer),
  uptime: seconds(asked.at),
  free_heap: asked.freeHeapBytes,
  cpu_freq_mhz: boot.cpuMhz ?? null,
  espnow_connected: peer.isConnected,
  wifi_connected: state.address !== "",
  mqtt_connected: state.isBrokerConnected,
  errors: [
    ...state.problems.map(({ message }) => message),
    ...(peer.warning === undefined ? [] : [peer.warning]),
    ...(state.lastError ? [state.lastError.message] : []),
  ],
});

/** The names are fixed: a text of the peer is never one. */
function otherVersion(type: string, { version, isCompatible }: PeerFacts): object {
  const known = version || null;
  return type === "transmitter"
    ? { receiver_version: known, receiver_compatible: isCompatible }
    : { transmitter_version: known, transmitter_compatible: isCompatible };
}

function numberOf(text: string): number {
  const version = parseVersion(text);
  return version ? versionNumber(version) : 0;
}
