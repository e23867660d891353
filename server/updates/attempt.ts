// One attempt and its changes, each with its line in the log. An attempt is
//
//   pending ──▶ downloading ──▶ installing ──▶ success   only by evidence, see devices/evidence.ts
//      └────────────┴───────────────┴────────▶ failed    with a code

import type { Journal } from "../events/journal.js";
import { noteEnd, noteProgress } from "../rollout/members.js";
import { nameRelease } from "../shared/rollout.js";
import { type Device, ENDED_BY_SERVER, type Firmware, type Update } from "../store/store.js";

/** The step of an attempt whose success a legacy device has reported; it counts when its next check shows the version. */
export const CLAIMED = "claimed";

export const addAttempt = (journal: Journal, device: Device, firmware: Firmware): Promise<Update> =>
  journal.addUpdate({
    deviceId: device.id,
    firmwareId: firmware.id,
    fromVersion: device.version,
    fromBuild: device.build,
  });

export const logAttempt = (
  journal: Journal,
  { id, deviceId, firmwareId }: Update,
  kind: string,
  message: string,
  detail?: Readonly<Record<string, unknown>>,
): Promise<void> =>
  journal.log({ kind, deviceId, firmwareId, updateId: id, message, ...(detail ? { detail } : {}) });

/** A step forward. The log has a line for every new step, not for every percent. */
export async function moveAttempt(
  journal: Journal,
  firmware: Firmware,
  attempt: Update,
  change: Pick<Update, "status" | "step"> & { readonly bytesDownloaded?: number },
): Promise<Update> {
  const moved = await journal.changeUpdate(attempt.id, change);
  await noteProgress(journal, moved);
  const { status, step, deviceId, bytesDownloaded } = moved;
  if (status !== attempt.status || step !== attempt.step)
    await logAttempt(
      journal,
      moved,
      `update.${status}`,
      `${deviceId}: ${step ?? status} ${nameRelease(firmware)}`,
      { step, bytes_downloaded: bytesDownloaded },
    );
  return moved;
}

/** @param step what proves it: the image's hash and the slot's state, or only the version that a legacy device reports */
export async function succeed(
  journal: Journal,
  device: Device,
  firmware: Firmware,
  attempt: Update,
  step: "validated" | "reported" = "validated",
): Promise<Update> {
  const done = await journal.changeUpdate(attempt.id, {
    status: "success",
    step,
    bytesDownloaded: firmware.fileSize,
    errorCode: null,
    errorMessage: null,
    finishedAt: journal.time,
  });
  const how = step === "validated" ? "validated" : "by its own account";
  await logAttempt(journal, done, "update.success", `${device.id} runs ${nameRelease(firmware)}, ${how}`, {
    step,
    image_sha256: firmware.imageSha256,
    slot: device.slot,
  });
  await noteEnd(journal, done);
  return done;
}

/** @param last what the device tells of how far it came */
export async function failAttempt(
  journal: Journal,
  attempt: Update,
  code: string,
  message: string,
  last: { readonly step?: string; readonly bytesDownloaded?: number } = {},
): Promise<Update> {
  const failed = await journal.changeUpdate(attempt.id, {
    status: "failed",
    ...last,
    errorCode: code,
    errorMessage: message,
    finishedAt: journal.time,
  });
  await noteEnd(journal, failed);
  const kind = ENDED_BY_SERVER.includes(code) ? `update.${code.toLowerCase()}` : "update.failed";
  const reason = `${code}${message ? `, ${message}` : ""}`;
  await logAttempt(journal, failed, kind, `${attempt.deviceId}: ${reason}`, {
    error_code: code,
    step: failed.step,
  });
  return failed;
}
