// The contents of `/api/version` (identity) and `/api/health`. No secrets.

import type { Stamped } from "../event.js";
import { announcedName } from "../identity.js";
import { parseVersion, versionNumber } from "../update/version.js";
import { type LocalApiState, nameOf } from "./api-state.js";

/** Of the packets between paired devices; this firmware speaks none yet. */
const PROTOCOL_VERSION = 1;

export const seconds = (atMs: number): number => Math.floor(atMs / 1000);

export function versionFacts(
  { boot, preferences, claimedName }: LocalApiState,
  { at, freeHeapBytes }: Pick<Stamped, "at" | "freeHeapBytes">,
): object {
  if (!boot) return {};
  const { identity, image } = boot;
  const version = parseVersion(image.version);
  return {
    deviceId: identity.deviceId,
    hostName: announcedName(boot, claimedName) ?? null,
    name: nameOf(preferences, identity.deviceId),
    type: identity.type,
    version: image.version,
    build: image.build,
    versionNumber: version ? versionNumber(version) : 0,
    buildDate: image.compileDate || null,
    buildTime: image.compileTime || null,
    idfVersion: image.idfVersion || null,
    protocolVersion: PROTOCOL_VERSION,
    slot: image.slot,
    slotState: image.slotState,
    chip: identity.chip,
    hardware: identity.hardware,
    uptimeSeconds: seconds(at),
    freeHeapBytes,
    peer: null,
  };
}

export function healthFacts(
  state: LocalApiState,
  { at, freeHeapBytes }: Pick<Stamped, "at" | "freeHeapBytes">,
): object {
  const { boot, lastError, lastRollBack, address } = state;
  return {
    status: state.safeModeAfter > 0 ? "safe-mode" : state.serverReached ? "ok" : "degraded",
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
    problems: state.problems,
  };
}
