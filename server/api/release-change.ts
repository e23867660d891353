// Changes or deletes a release, with its line in the audit log.

import { requireChange } from "../auth/require-change.js";
import type { Journal } from "../events/journal.js";
import { changeRelease } from "../releases/add-release.js";
import { deleteRelease } from "../releases/delete-release.js";
import type { Actor } from "../shared/actor.js";
import { Refusal } from "../shared/refusal.js";
import type { Firmware, FirmwareChanges } from "../store/store.js";
import type { Context } from "./context.js";
import { viewFirmware } from "./release-views.js";

/** @throws Refusal FIRMWARE_UNKNOWN, FORBIDDEN and what the change itself is refused for */
export async function changeFirmware(
  journal: Journal,
  context: Context,
  actor: Actor,
  id: number,
  changes: FirmwareChanges,
): Promise<Firmware> {
  const before = await journal.store.findFirmware(id);
  if (before) requireChange(actor, before);
  const after = await changeRelease(journal, id, changes);
  await journal.audit({
    action: changes.isActive === false ? "firmware.deactivated" : "firmware.changed",
    subject: `firmware/${id}`,
    before: before && viewFirmware(before, context),
    after: viewFirmware(after, context),
  });
  return after;
}

/** @returns as it was @throws Refusal FIRMWARE_UNKNOWN, FORBIDDEN, RELEASE_IN_USE */
export async function deleteFirmware(
  journal: Journal,
  context: Context,
  actor: Actor,
  id: number,
): Promise<Firmware> {
  const firmware = await journal.store.findFirmware(id);
  if (!firmware) throw new Refusal("FIRMWARE_UNKNOWN", `firmware ${id} does not exist`);
  requireChange(actor, firmware);
  const { endedRolloutCount } = await deleteRelease(journal, firmware);
  await journal.audit({
    action: "firmware.deleted",
    subject: `firmware/${id}`,
    before: { ...viewFirmware(firmware, context), ended_rollouts: endedRolloutCount },
  });
  return firmware;
}
