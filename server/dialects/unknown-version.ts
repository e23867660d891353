// What a client leaves out about the version that its device runs.

import { Value } from "@sinclair/typebox/value";
import { VersionText } from "../api/schemas.js";
import { isVersionOf } from "../devices/evidence.js";
import type { Device, Store } from "../store/store.js";

/** Shown as the version. It is not a valid version, so every release counts as newer (rollout/order.ts). */
export const UNKNOWN_VERSION = "unknown";

/** The version in a client's text, if valid. */
export const versionIn = (text: string | undefined): string =>
  text !== undefined && Value.Check(VersionText, text) ? text : UNKNOWN_VERSION;

/** The build of a version that a client states without one: the one that is known, or else that of the release on its way to the device. */
export async function buildOf(store: Store, known: Device, version: string): Promise<number> {
  if (version.includes("+")) return 0;
  if (isVersionOf({ version: known.version, buildNumber: known.build }, { version, build: known.build }))
    return known.build;
  const open = await store.findOpenUpdate(known.id);
  const firmware = open && (await store.findFirmware(open.firmwareId));
  return firmware && isVersionOf(firmware, { version, build: firmware.buildNumber })
    ? firmware.buildNumber
    : 0;
}
