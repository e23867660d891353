// The life of an attempt on the server: what a check means, what a status report means. An attempt is
//
//   pending ──▶ downloading ──▶ installing ──▶ success   only by evidence, see evidence.ts
//      └────────────┴───────────────┴────────▶ failed    with a code

import type { CheckRequest, StatusRequest } from "../../firmware/core/wire.js";
import { evaluateClaim, evaluateEvidence, isValidated } from "../devices/evidence.js";
import { readingsIn } from "../devices/readings.js";
import type { Journal } from "../events/journal.js";
import { chooseRelease } from "../rollout/choose-release.js";
import type { Offer } from "../rollout/decision.js";
import { followUpIdle } from "../rollout/evaluate.js";
import { isLasting } from "../rollout/lasting.js";
import { believeImage, noteEnd, noteProgress, settleLeases } from "../rollout/members.js";
import { isOnTrial } from "../rollout/obstacle.js";
import { readScene } from "../rollout/scene.js";
import { Refusal } from "../shared/refusal.js";
import { nameRelease, type RolloutRelease } from "../shared/rollout.js";
import { type Device, ENDED_BY_SERVER, type Firmware, type Update } from "../store/store.js";

export interface CheckResult {
  /** That the device may have; `undefined`: there is none for it. */
  readonly release: Firmware | undefined;
  /** There is none, and the same check finds none until something is changed. */
  readonly isLasting: boolean;
}

/**
 * A device checks: it is registered or seen again, an open attempt is settled if its state proves something, and the release
 * that it may have is chosen. `takePlace` is asked for a device that is new, and may refuse it.
 */
export async function checkDevice(
  journal: Journal,
  request: CheckRequest,
  takePlace: () => void,
): Promise<CheckResult> {
  const { device, open } = await seeDevice(journal, request, takePlace);
  const scene = await believeImage(journal, device, await readScene(journal.store, device, journal.time));
  const decision = chooseRelease(scene);
  const { offer } = decision;
  const release = offer && (await journal.store.findFirmware(offer.release.id));
  if (open) await closeStale(journal, device, open, release);
  await settleLeases(journal, scene, offer);
  if (offer && release && release.id !== open?.firmwareId) await openAttempt(journal, device, release, offer);
  followUpIdle(journal, scene.rollouts);
  return { release, isLasting: !open && isLasting(scene, decision) };
}

/**
 * A device reports what it is and what runs: it is registered or seen again, and its open attempt is settled if that proves
 * something. `takePlace` is asked for a device that is new, and may refuse it.
 */
export async function seeDevice(
  journal: Journal,
  request: CheckRequest,
  takePlace: () => void,
): Promise<{ readonly device: Device; readonly open: Update | undefined }> {
  const known = await journal.store.findDevice(request.device_id);
  if (!known) takePlace();
  const device = await journal.putDevice(describeDevice(request, known, journal.time));
  await logDevice(journal, known, device);
  return { device, open: await settleAttempt(journal, device) };
}

/** A device reports one step. Returns the attempt as it is then. @throws Refusal */
export async function reportStatus(journal: Journal, request: StatusRequest): Promise<Update> {
  const known = await journal.store.findDevice(request.device_id);
  if (!known)
    throw new Refusal("DEVICE_UNKNOWN", `device ${request.device_id} has never checked for updates here`);
  const firmware = await journal.store.findFirmware(request.firmware_id);
  if (!firmware) throw new Refusal("FIRMWARE_UNKNOWN", `firmware ${request.firmware_id} does not exist`);
  const device = await journal.putDevice(seenRunning(known, request, firmware, journal.time));
  const last = await journal.store.findLastUpdate(device.id, firmware.id);
  if (request.status === "success") return reportSuccess(journal, device, firmware, request, last);
  if (request.status === "failed") return reportFailure(journal, device, firmware, request, last);
  return reportProgress(journal, device, firmware, request, last);
}

// ── a check ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

function describeDevice(request: CheckRequest, known: Device | undefined, time: number): Device {
  return {
    id: request.device_id,
    type: request.device_type,
    version: request.current_version,
    build: request.current_build,
    hardware: request.hardware ?? known?.hardware ?? null,
    chip: request.chip ?? known?.chip ?? null,
    mac: known?.mac ?? null,
    // What a client leaves out about its image is unknown now, whatever was true before.
    imageSha256: request.image_sha256?.toLowerCase() || null,
    slot: request.slot ?? null,
    slotState: request.slot_state ?? null,
    bootCount: request.boot_count ?? null,
    resetReason: request.reset_reason ?? null,
    freeHeap: request.free_heap ?? null,
    rssi: request.rssi ?? null,
    uptimeSeconds: request.uptime_seconds ?? null,
    readings: readingsIn(request),
    address: request.address ?? known?.address ?? null,
    firstSeen: known?.firstSeen ?? time,
    lastSeen: time,
  };
}

async function logDevice(journal: Journal, known: Device | undefined, device: Device): Promise<void> {
  const deviceId = device.id;
  const name = `${device.version}${device.build > 0 ? ` build ${device.build}` : ""}`;
  if (!known) {
    await journal.log({
      kind: "device.registered",
      deviceId,
      message: `${deviceId} registered: ${device.type} ${name}${device.chip ? ` on ${device.chip}` : ""}`,
    });
    return;
  }
  if (known.bootCount !== null && device.bootCount !== null && known.bootCount !== device.bootCount) {
    await journal.log({
      kind: "device.booted",
      deviceId,
      message: `${deviceId} started ${name} from ${device.slot ?? "its slot"} (${device.resetReason ?? "unknown reset"}, boot ${device.bootCount})`,
      detail: { boot_count: device.bootCount, reset_reason: device.resetReason, slot: device.slot },
    });
  } else if (known.version !== device.version || known.build !== device.build) {
    await journal.log({
      kind: "device.version",
      deviceId,
      message: `${deviceId} runs ${name}, before ${known.version}`,
    });
  }
}

/** Closes the open attempt if the device's state proves how it ended. Returns it while it is open. */
async function settleAttempt(journal: Journal, device: Device): Promise<Update | undefined> {
  const open = await journal.store.findOpenUpdate(device.id);
  const firmware = open && (await journal.store.findFirmware(open.firmwareId));
  if (!open || !firmware) return undefined;
  if (device.imageSha256 === null) return settleClaim(journal, device, firmware, open);
  switch (evaluateEvidence(open, firmware.imageSha256, device)) {
    case "validated":
      await succeed(journal, device, firmware, open);
      return undefined;
    case "rolledBack":
      await failAttempt(
        journal,
        open,
        "ROLLED_BACK",
        `runs ${device.version} again instead of ${firmware.version} (reset: ${device.resetReason ?? "unknown"})`,
      );
      return undefined;
    case "onTrial":
      if (open.status === "installing" && open.step === "trial") return open;
      return moveAttempt(journal, device, firmware, open, { status: "installing", step: "trial" });
    case "nothing":
      return open;
  }
}

/** Closes an attempt that a device without image hashes has claimed to be done, once its version bears it out. */
async function settleClaim(
  journal: Journal,
  device: Device,
  firmware: Firmware,
  open: Update,
): Promise<Update | undefined> {
  if (open.step !== CLAIMED) return open;
  switch (evaluateClaim(firmware, device, open.updatedAt, journal.time)) {
    case "reported":
      await succeed(journal, device, firmware, open, "reported");
      return undefined;
    case "disproved":
      await failAttempt(
        journal,
        open,
        "CLAIM_DISPROVED",
        `reported success, but runs ${device.version} instead of ${firmware.version}`,
      );
      return undefined;
    case "nothing":
      return open;
  }
}

/** An attempt whose firmware is not what the device is to get now has no future. */
async function closeStale(
  journal: Journal,
  device: Device,
  open: Update,
  release: Firmware | undefined,
): Promise<void> {
  if (release?.id === open.firmwareId) return;
  // On trial nothing is offered; the attempt is well under way.
  if (!release && isOnTrial(device)) return;
  if (release) await failAttempt(journal, open, "SUPERSEDED", `${release.version} is offered instead`);
  else await failAttempt(journal, open, "WITHDRAWN", "the firmware is not offered to this device any more");
}

async function openAttempt(
  journal: Journal,
  device: Device,
  release: Firmware,
  { rollout, wanted }: Offer<RolloutRelease>,
): Promise<void> {
  const attempt = await journal.addUpdate({
    deviceId: device.id,
    firmwareId: release.id,
    fromVersion: device.version,
    fromBuild: device.build,
  });
  await journal.log({
    kind: "update.pending",
    deviceId: device.id,
    firmwareId: release.id,
    updateId: attempt.id,
    message: `${device.id} is offered ${nameRelease(release)} over ${device.version}${wanted.id === release.id ? "" : `, on the way to ${nameRelease(wanted)}`}`,
    ...(rollout ? { detail: { rollout_id: rollout.id } } : {}),
  });
}

/** The step of an attempt whose success a legacy device has reported; it counts when its next check shows the version. */
const CLAIMED = "claimed";

// ── a status report ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** The device as this report shows it: a report with the image's hash is evidence of what runs. */
function seenRunning(known: Device, request: StatusRequest, firmware: Firmware, time: number): Device {
  const imageSha256 = request.image_sha256?.toLowerCase();
  if (!imageSha256) return { ...known, lastSeen: time };
  const runsRelease = imageSha256 === firmware.imageSha256;
  return {
    ...known,
    imageSha256,
    slotState: request.slot_state ?? known.slotState,
    ...(runsRelease ? { version: firmware.version, build: firmware.buildNumber } : {}),
    lastSeen: time,
  };
}

async function reportSuccess(
  journal: Journal,
  device: Device,
  firmware: Firmware,
  request: StatusRequest,
  last: Update | undefined,
): Promise<Update> {
  if (!last) throw new Refusal("ATTEMPT_UNKNOWN", `${device.id} was never offered ${nameRelease(firmware)}`);
  if (last.status === "success") return last;
  if (firmware.release === null && !request.image_sha256) {
    return moveAttempt(journal, device, firmware, last, { status: "installing", step: CLAIMED });
  }
  const imageSha256 = request.image_sha256?.toLowerCase();
  const isProven = imageSha256 === firmware.imageSha256 && isValidated(request.slot_state ?? null);
  if (!isProven) {
    throw new Refusal(
      "NOT_PROVEN",
      `success counts when image_sha256 is ${firmware.imageSha256} and slot_state is valid; ` +
        `reported were ${imageSha256 ?? "none"} and ${request.slot_state ?? "none"}`,
    );
  }
  return succeed(journal, device, firmware, last);
}

async function reportFailure(
  journal: Journal,
  device: Device,
  firmware: Firmware,
  request: StatusRequest,
  last: Update | undefined,
): Promise<Update> {
  const code = request.error_code ?? "UNKNOWN";
  const message = request.error_message ?? "";
  if (last?.status === "success") {
    throw new Refusal("ATTEMPT_CLOSED", `attempt ${last.id} of ${device.id} has succeeded already`);
  }
  const known = await findRepeated(journal, code, last);
  // The device gives the reason for what the server has concluded, or repeats a report whose answer was lost.
  if (known && message !== "" && known.errorMessage !== message) {
    return journal.changeUpdate(known.id, { errorMessage: message });
  }
  if (known) return known;
  const open = last?.status === "failed" ? undefined : last;
  return failAttempt(
    journal,
    open ?? (await startAttempt(journal, device, firmware)),
    code,
    message,
    request.step,
  );
}

/** The failed attempt that a failure report repeats, if it repeats one. */
async function findRepeated(
  journal: Journal,
  code: string,
  last: Update | undefined,
): Promise<Update | undefined> {
  if (last?.status === "failed") return last.errorCode === code ? last : undefined;
  // An attempt that has not begun to install cannot have been rolled back: the report is about the one before it, which a check
  // has closed meanwhile.
  if (!last || code !== "ROLLED_BACK" || last.status === "installing") return undefined;
  const { deviceId, firmwareId } = last;
  const failed = await journal.store.listUpdates(
    { deviceId, firmwareId, status: "failed" },
    { limit: 1, offset: 0 },
  );
  return failed.rows.find(({ errorCode }) => errorCode === code);
}

async function reportProgress(
  journal: Journal,
  device: Device,
  firmware: Firmware,
  request: StatusRequest,
  last: Update | undefined,
): Promise<Update> {
  if (last?.status === "success") {
    throw new Refusal("ATTEMPT_CLOSED", `attempt ${last.id} of ${device.id} has succeeded already`);
  }
  // A device may try again by itself, without another check.
  const open = last && last.status !== "failed" ? last : await startAttempt(journal, device, firmware);
  return moveAttempt(journal, device, firmware, open, {
    status: request.status,
    step: request.step ?? null,
    ...(request.bytes_downloaded === undefined
      ? {}
      : { bytesDownloaded: Math.min(request.bytes_downloaded, firmware.fileSize) }),
  });
}

/** Opens an attempt that no check has opened, and closes another that is in its way. */
async function startAttempt(journal: Journal, device: Device, firmware: Firmware): Promise<Update> {
  const open = await journal.store.findOpenUpdate(device.id);
  if (open) await failAttempt(journal, open, "SUPERSEDED", `${firmware.version} is installed instead`);
  return journal.addUpdate({
    deviceId: device.id,
    firmwareId: firmware.id,
    fromVersion: device.version,
    fromBuild: device.build,
  });
}

// ── changes of an attempt ────────────────────────────────────────────────────────────────────────────────────────────────

/** A step forward. The log has a line for every new step, not for every percent. */
async function moveAttempt(
  journal: Journal,
  device: Device,
  firmware: Firmware,
  attempt: Update,
  change: Pick<Update, "status" | "step"> & { readonly bytesDownloaded?: number },
): Promise<Update> {
  const moved = await journal.changeUpdate(attempt.id, change);
  await noteProgress(journal, moved);
  if (moved.status !== attempt.status || moved.step !== attempt.step) {
    await journal.log({
      kind: `update.${moved.status}`,
      deviceId: device.id,
      firmwareId: firmware.id,
      updateId: attempt.id,
      message: `${device.id}: ${moved.step ?? moved.status} ${nameRelease(firmware)}`,
      detail: { step: moved.step, bytes_downloaded: moved.bytesDownloaded },
    });
  }
  return moved;
}

async function succeed(
  journal: Journal,
  device: Device,
  firmware: Firmware,
  attempt: Update,
  /** What bears it out: the image's hash and the slot's state, or a legacy device's version only. */
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
  await journal.log({
    kind: "update.success",
    deviceId: device.id,
    firmwareId: firmware.id,
    updateId: attempt.id,
    message: `${device.id} runs ${nameRelease(firmware)}, ${step === "validated" ? "validated" : "by its own account"}`,
    detail: { step, image_sha256: firmware.imageSha256, slot: device.slot },
  });
  await noteEnd(journal, done);
  return done;
}

async function failAttempt(
  journal: Journal,
  attempt: Update,
  code: string,
  message: string,
  step?: string,
): Promise<Update> {
  const failed = await journal.changeUpdate(attempt.id, {
    status: "failed",
    ...(step === undefined ? {} : { step }),
    errorCode: code,
    errorMessage: message,
    finishedAt: journal.time,
  });
  await noteEnd(journal, failed);
  await journal.log({
    kind: ENDED_BY_SERVER.includes(code) ? `update.${code.toLowerCase()}` : "update.failed",
    deviceId: attempt.deviceId,
    firmwareId: attempt.firmwareId,
    updateId: attempt.id,
    message: `${attempt.deviceId}: ${code}${message ? `, ${message}` : ""}`,
    detail: { error_code: code, step: failed.step },
  });
  return failed;
}
