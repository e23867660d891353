// Deletes a release for good, with its ended rollouts and its attempts. Only one that is inactive, so that nothing offers it or goes by way
// of it, and that nothing needs: no device runs it or is kept at it, nothing installs it, no rollout and no system refers to it. Devices are still told that
// it was withdrawn. Its file goes a day later, if nothing else has the same bytes (upkeep.ts).

import { readSystem } from "../../release/system.js";
import type { Journal } from "../events/journal.js";
import { Refusal } from "../shared/refusal.js";
import { nameRelease } from "../shared/rollout.js";
import { plural } from "../shared/words.js";
import type { Firmware, FirmwareUses } from "../store/store.js";

/** Versions of systems that are looked at. */
const SYSTEM_LIMIT = 500;

/** @throws Refusal RELEASE_IN_USE with all that needs it */
export async function deleteRelease(journal: Journal, firmware: Firmware): Promise<FirmwareUses> {
  const uses = await journal.store.findFirmwareUses(firmware);
  const reasons = await reasonsToKeep(journal, firmware, uses);
  const name = nameRelease(firmware);
  if (reasons.length > 0)
    throw new Refusal("RELEASE_IN_USE", `${name} cannot be deleted: ${reasons.join(", ")}`);
  await journal.store.removeFirmware(firmware.id, journal.time);
  await journal.log({
    kind: "firmware.deleted",
    firmwareId: firmware.id,
    message: `${name} was deleted for good`,
  });
  return uses;
}

async function reasonsToKeep(
  { store }: Journal,
  firmware: Firmware,
  { runningCount, pinnedCount, openCount, rolloutCount }: FirmwareUses,
): Promise<readonly string[]> {
  const counted = (count: number, what: string, one: string, many = one) =>
    count === 0 ? [] : [`${plural(count, what)} ${count === 1 ? one : many}`];
  const { rows } = await store.listSystems({}, { limit: SYSTEM_LIMIT, offset: 0 });
  const systemCount = rows.filter(({ manifest }) => hasComponent(manifest, firmware)).length;
  return [
    ...(firmware.isActive ? ["it is active"] : []),
    ...counted(runningCount, "device", "runs it", "run it"),
    ...counted(pinnedCount, "device", "is pinned to it", "are pinned to it"),
    ...counted(openCount, "update", "is installing it", "are installing it"),
    ...counted(rolloutCount, "rollout", "has not ended", "have not ended"),
    ...counted(systemCount, "system", "contains it", "contain it"),
  ];
}

const hasComponent = (manifest: string, { deviceType, version, buildNumber, fileHash }: Firmware): boolean =>
  readSystem(manifest).system.components.some(
    ({ type, version: wanted, build, sha256 }) =>
      type === deviceType && wanted === version && build === buildNumber && sha256 === fileHash,
  );
