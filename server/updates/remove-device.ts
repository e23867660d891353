// Takes a device out of the fleet. Its open attempt ends, and with it its place in a rollout's limit. What has become of it is kept, or
// erased; the audit log keeps its line in any case. A device that checks again registers like a new one.

import type { Journal } from "../events/journal.js";
import { Refusal } from "../shared/refusal.js";
import type { RemovedDevice } from "../store/store.js";
import { failAttempt } from "./attempt.js";

/** `keep`: its attempts and its timeline can be looked at. `erase`: nothing but the line of the audit log is left. */
export type History = "keep" | "erase";

/** Of a device that is here, or of what is kept of one that was removed. */
type Removable = Pick<RemovedDevice, "deviceId" | "deviceType"> & { readonly isHere: boolean };

/** @throws Refusal DEVICE_UNKNOWN */
export async function findRemovable({ store }: Pick<Journal, "store">, id: string): Promise<Removable> {
  const device = await store.findDevice(id);
  if (device) return { deviceId: id, deviceType: device.type, isHere: true };
  const removed = await store.findRemovedDevice(id);
  if (!removed) throw new Refusal("DEVICE_UNKNOWN", `device ${id} has never checked for updates here`);
  return { ...removed, isHere: false };
}

/** @throws Refusal DEVICE_UNKNOWN */
export async function removeDevice(journal: Journal, deviceId: string, history: History): Promise<void> {
  const { store, time, actor } = journal;
  const device = await store.findDevice(deviceId);
  if (!device && history === "keep")
    throw new Refusal("DEVICE_UNKNOWN", `device ${deviceId} is not here: there is nothing to remove`);
  if (device) {
    const open = await store.findOpenUpdate(deviceId);
    if (open) await failAttempt(journal, open, "WITHDRAWN", "the device was removed");
    const { type: deviceType, version, firstSeen, lastSeen } = device;
    await store.removeDevice({
      ...{ deviceId, deviceType, version, firstSeen, lastSeen },
      removedAt: time,
      removedBy: actor?.name ?? "",
    });
  }
  if (history === "erase") await store.eraseRemovedDevice(deviceId);
  await journal.log({
    kind: "device.removed",
    deviceId,
    message: history === "keep" ? `${deviceId} was removed` : `${deviceId} was removed with its history`,
  });
  await journal.audit({
    action: history === "keep" ? "device.removed" : "device.erased",
    subject: `device/${deviceId}`,
    before: device
      ? { device_type: device.type, current_version: device.version, first_seen: new Date(device.firstSeen) }
      : { history: "kept" },
  });
}
