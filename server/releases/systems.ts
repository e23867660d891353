// Systems: several devices that are updated as one (release/system.ts). Takes their signed manifests, and finds the one that devices may be
// told of: the newest whose releases are all here. Which device installs what, and when, is decided by the device that leads the system.

import type { System } from "../../firmware/core/system/manifest.js";
import type { SystemComponent } from "../../firmware/core/wire.js";
import { ReleaseError } from "../../release/error.js";
import { verifyReleaseSignature } from "../../release/signing.js";
import { newestSystemFirst, type ReadSystem, readSystem, requireCompatible } from "../../release/system.js";
import type { Journal } from "../events/journal.js";
import { Refusal } from "../shared/refusal.js";
import type { Firmware, Store, StoredSystem } from "../store/store.js";
import { releaseOf } from "./chunk-digests.js";
import type { Trust } from "./trust.js";

/** A component, and its release if that is here and active. */
export interface FoundComponent {
  readonly component: SystemComponent;
  readonly firmware: Firmware | undefined;
}

export interface FoundSystem {
  readonly stored: StoredSystem;
  readonly system: System;
  readonly components: readonly FoundComponent[];
  /** Why devices are not told of it, in sentences without a full stop; empty: nothing keeps it back. */
  readonly problems: readonly string[];
}

/** A system of which every release is here. */
export interface CompleteSystem extends FoundSystem {
  readonly components: readonly { readonly component: SystemComponent; readonly firmware: Firmware }[];
}

export interface PublishedSystem {
  readonly current: CompleteSystem;
  /** The newest one of an older version, if its releases are here too. */
  readonly previous: CompleteSystem | undefined;
}

/** What is known of all active versions of a system. */
export interface SystemState {
  /** Of the published version, or of the newest. */
  readonly deviceTypes: readonly string[];
  /** What its devices are to run; `undefined`: no version is complete. */
  readonly published: PublishedSystem | undefined;
  /** Why the newest version is not the published one, in sentences that name it. */
  readonly problems: readonly string[];
}

type Reader = Pick<Store, "listFirmware" | "listSystems">;

export { HEALTH_TIMEOUT_SECONDS, REBOOT_DELAY_SECONDS } from "../../release/system.js";

/** Versions of a system that are looked at for one that is complete, the ones that were registered last. */
const MAX_LOOKED_AT = 50;
/** Builds for one board: more names of one file are not expected. */
const MAX_NAMES_OF_FILE = 20;

/** Reads a manifest as it may be registered: signed by as many keys as a release. @throws ReleaseError, Refusal */
export async function checkSystem(
  text: string,
  { keys, threshold }: Pick<Trust, "keys" | "threshold">,
): Promise<ReadSystem> {
  const read = readSystem(text.trim());
  if (keys.length > 0) await verifyReleaseSignature(read, keys, threshold);
  return read;
}

/** The device types of a system, each once. */
export const typesOf = ({ components }: Pick<System, "components">): readonly string[] =>
  [...new Set(components.map(({ type }) => type))].sort();

/** @throws AlreadyExists, ReleaseError SYSTEM_INCOMPATIBLE */
export async function addSystem(journal: Journal, { jws, system }: ReadSystem): Promise<StoredSystem> {
  const components = await findComponents(journal.store, system);
  requireCompatible(components.flatMap(({ firmware }) => (firmware && releaseOf(firmware)) ?? []));
  const stored = await journal.store.addSystem({
    name: system.name,
    version: system.version,
    deviceTypes: typesOf(system),
    manifest: jws,
    createdAt: journal.time,
  });
  const parts = system.components.map(({ type, version }) => `${type} ${version}`).join(", ");
  await journal.log({ kind: "system.uploaded", message: `${nameOf(stored)} uploaded: ${parts}` });
  return stored;
}

/** @throws Refusal SYSTEM_UNKNOWN */
export async function changeSystem(journal: Journal, id: number, isActive: boolean): Promise<StoredSystem> {
  const changed = await journal.store.changeSystem(id, { isActive }, journal.time);
  if (!changed) throw unknownSystem(`${id}`);
  const state = isActive ? "activated" : "deactivated";
  await journal.log({
    kind: isActive ? "system.changed" : "system.deactivated",
    message: `${nameOf(changed)} ${state}`,
  });
  return changed;
}

const nameOf = ({ name, version }: StoredSystem): string => `system ${name} ${version}`;

export const unknownSystem = (name: string): Refusal =>
  new Refusal("SYSTEM_UNKNOWN", `system ${name} does not exist here, or is not accessible without a token`);

/** @param now milliseconds since 1970 */
export async function findSystem(store: Reader, stored: StoredSystem, now: number): Promise<FoundSystem> {
  const { system } = readSystem(stored.manifest);
  const components = await findComponents(store, system);
  return { stored, system, components, problems: problemsOf(stored, system, components, now) };
}

/**
 * What the devices of a system are to run, of its versions that are registered here.
 * @param which a system by its name, or by its device types, sorted
 * @returns `undefined`: there is no such system
 */
export async function findPublished(
  store: Reader,
  which: Partial<Pick<StoredSystem, "name" | "deviceTypes">>,
  now: number,
): Promise<SystemState | undefined> {
  const page = { limit: MAX_LOOKED_AT, offset: 0 };
  const { rows } = await store.listSystems({ ...which, isActive: true }, page);
  const ordered = rows
    .map((stored) => ({ stored, system: readSystem(stored.manifest).system }))
    .sort((a, b) => newestSystemFirst(a.system, b.system));
  const [newest] = ordered;
  if (!newest) return undefined;
  let current: CompleteSystem | undefined;
  let previous: CompleteSystem | undefined;
  let problems: readonly string[] = [];
  for (const { stored, system } of ordered) {
    if (previous) break;
    if (system.version === current?.system.version) continue;
    const found = await findSystem(store, stored, now);
    if (stored === newest.stored) problems = found.problems.map((problem) => `${nameOf(stored)}: ${problem}`);
    if (!isComplete(found)) continue;
    if (current) previous = found;
    current ??= found;
  }
  const published = current && { current, previous };
  return { deviceTypes: (current ?? newest).stored.deviceTypes, published, problems };
}

/**
 * Ids of releases that a device which leads others, or a gateway, may offer devices of a type: of these offers this server hears only afterwards.
 * @param now milliseconds since 1970
 */
export async function findLed(
  store: Reader & Pick<Store, "listOpenMeshUpdates">,
  deviceType: string,
  now: number,
): Promise<ReadonlySet<number>> {
  const [{ rows }, distributions] = await Promise.all([
    store.listSystems({ isActive: true }, { limit: MAX_LOOKED_AT, offset: 0 }),
    store.listOpenMeshUpdates({ deviceTypes: [deviceType], limit: MAX_LOOKED_AT }),
  ]);
  const led = new Set(distributions.map(({ firmwareId }) => firmwareId));
  const ofType = rows.filter(({ deviceTypes }) => deviceTypes.includes(deviceType));
  for (const name of new Set(ofType.map((system) => system.name))) {
    const published = (await findPublished(store, { name }, now))?.published;
    for (const system of [published?.current, published?.previous])
      for (const { firmware } of system?.components ?? []) led.add(firmware.id);
  }
  return led;
}

const isComplete = (found: FoundSystem): found is CompleteSystem => found.problems.length === 0;

function problemsOf(
  { isActive }: StoredSystem,
  { expires }: System,
  components: readonly FoundComponent[],
  now: number,
): readonly string[] {
  const problems = components.flatMap(({ component, firmware }) => missing(component, firmware) ?? []);
  if (!isActive) problems.push("it was deactivated");
  if (expires !== undefined && now > expires * 1000) problems.push("it has expired");
  if (problems.length > 0) return problems;
  try {
    requireCompatible(components.flatMap(({ firmware }) => (firmware && releaseOf(firmware)) ?? []));
    return [];
  } catch (error) {
    if (error instanceof ReleaseError) return [error.message];
    throw error;
  }
}

function missing(
  { type, version, build, hardware }: SystemComponent,
  firmware: Firmware | undefined,
): string | undefined {
  const release = `${type} ${version}${build > 0 ? ` build ${build}` : ""} for ${hardware}`;
  if (!firmware) return `${release} is not here`;
  if (!firmware.isActive) return `${release} was deactivated`;
  // Devices verify each image by its own manifest.
  return firmware.release === null ? `${release} is not signed` : undefined;
}

async function findComponents(
  store: Pick<Store, "listFirmware">,
  { components }: System,
): Promise<readonly FoundComponent[]> {
  return Promise.all(
    components.map(async (component) => {
      const { type, version, build, hardware, sha256 } = component;
      const filter = { deviceType: type, version, fileHash: sha256 };
      const { rows } = await store.listFirmware(filter, { limit: MAX_NAMES_OF_FILE, offset: 0 });
      const firmware = rows.find((one) => one.hardware === hardware && one.buildNumber === build);
      return { component, firmware };
    }),
  );
}
