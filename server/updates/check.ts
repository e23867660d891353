// A device checks for updates: what its state proves about an open attempt, and which release it is offered.

import type { CheckRequest } from "../../firmware/core/wire.js";
import {
  compareToRelease,
  evaluateEvidence,
  evaluateVersion,
  isVersionOf,
  TRIAL,
} from "../devices/evidence.js";
import { readingsIn } from "../devices/readings.js";
import type { Journal } from "../events/journal.js";
import { chooseRelease } from "../rollout/choose-release.js";
import type { Offer } from "../rollout/decision.js";
import { followUpIdle } from "../rollout/evaluate.js";
import { isLasting } from "../rollout/lasting.js";
import { believeRunning, settleLeases } from "../rollout/members.js";
import { isOnTrial } from "../rollout/obstacle.js";
import { statesVersion } from "../rollout/order.js";
import { type DeviceScene, readScene } from "../rollout/scene.js";
import { nameRelease, type RolloutRelease } from "../shared/rollout.js";
import type { Device, DeviceTraces, Firmware, Update } from "../store/store.js";
import { addAttempt, CLAIMED, failAttempt, logAttempt, moveAttempt, succeed } from "./attempt.js";
import { endUnproved } from "./sent-image.js";

interface CheckResult {
  /** What it has said. The caller stores it, once it knows whether the check was a no-op. */
  readonly device: Device;
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
  traces: DeviceTraces,
  takePlace: () => void,
): Promise<CheckResult> {
  const { known, said } = await recogniseDevice(journal, request, takePlace);
  // Its row is written once, at the end; other rows refer to that of a new device.
  const device = known ? said : await journal.putDevice(said);
  const { open, scene } = await judgeDevice(journal, known, device, traces);
  const decision = chooseRelease(scene);
  const { offer } = decision;
  const release = offer && (await journal.store.findFirmware(offer.release.id));
  if (open) await closeStale(journal, scene, open, release);
  await settleLeases(journal, scene, offer);
  if (offer && release && release.id !== open?.firmwareId) await openAttempt(journal, device, release, offer);
  followUpIdle(journal, scene.rollouts);
  return { device, release, isLasting: !open && isLasting(scene, decision) };
}

interface Seen {
  readonly device: Device;
  /** Its attempt, if that may still go on. */
  readonly open: Update | undefined;
  readonly scene: DeviceScene;
}

/**
 * A device reports what it is and what runs: it is registered or seen again, its open attempt is settled if that proves something, and
 * rollouts learn of it. `takePlace` is asked for a device that is new, and may refuse it.
 */
export async function seeDevice(
  journal: Journal,
  request: CheckRequest,
  takePlace: () => void,
): Promise<Seen> {
  const { known, said } = await recogniseDevice(journal, request, takePlace);
  return hearDevice(journal, known, said);
}

async function recogniseDevice(
  journal: Journal,
  request: CheckRequest,
  takePlace: () => void,
): Promise<{ readonly known: Device | undefined; readonly said: Device }> {
  const known = await journal.store.findDevice(request.device_id);
  if (!known) takePlace();
  if (request.root_refused !== undefined)
    await journal.log({
      kind: "device.root-refused",
      deviceId: request.device_id,
      message: `${request.device_id} refuses the trust root after ${request.root_version ?? "none"}: ${request.root_refused}`,
    });
  return { known, said: describeDevice(request, known, journal.time) };
}

/** What a device says of itself in any way: the last word is believed, whatever was known before. */
export async function hearDevice(journal: Journal, known: Device | undefined, said: Device): Promise<Seen> {
  const device = await journal.putDevice(said);
  return judgeDevice(journal, known, device, await journal.store.findTraces(device.id));
}

/** @param traces as they were before anything was recorded about what it says */
async function judgeDevice(
  journal: Journal,
  known: Device | undefined,
  device: Device,
  { hasLabels, hasOpenUpdate, hasFailedUpdate }: DeviceTraces,
): Promise<Seen> {
  await logDevice(journal, known, device);
  const settled = hasOpenUpdate ? await settleAttempt(journal, device) : undefined;
  const open = await endUnproved(journal, device, settled);
  const isOther = known !== undefined && runsOther(known, device);
  if (isOther && !open) await withdrawReported(journal, device);
  const scene = await readScene(journal.store, device, journal.time, open, {
    hasLabels,
    hasFailedUpdate: hasFailedUpdate || hasOpenUpdate || isOther,
  });
  return { device, open, scene: await believeRunning(journal, scene) };
}

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
    rootVersion: request.root_version ?? null,
    frozenSince: request.frozen === true ? (known?.frozenSince ?? time) : null,
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
  const isFrozen = device.frozenSince !== null;
  if ((known.frozenSince !== null) !== isFrozen)
    await journal.log({
      kind: isFrozen ? "device.frozen" : "device.fresh",
      deviceId,
      message: isFrozen
        ? `${deviceId} has had no statement of freshness for two weeks: somebody may keep updates from it, or this server's freshness key is not in its trust root`
        : `${deviceId} has had a statement of freshness again`,
    });
  const isAnew =
    known.bootCount !== null && device.bootCount !== null && known.bootCount !== device.bootCount;
  // one that sleeps wakes up a hundred times a day
  if (isAnew && device.resetReason !== "deep-sleep") {
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

/** Closes the open attempt if what the device says proves how it ended. Returns it while it is open. */
async function settleAttempt(journal: Journal, device: Device): Promise<Update | undefined> {
  const open = await journal.store.findOpenUpdate(device.id);
  const firmware = open && (await journal.store.findFirmware(open.firmwareId));
  if (!open || !firmware) return undefined;
  const verdict = evaluate(open, firmware, device, journal.time);
  switch (verdict) {
    case "validated":
    case "reported":
      await succeed(journal, device, firmware, open, verdict);
      return undefined;
    case "rolledBack":
      await failAttempt(
        journal,
        open,
        "ROLLED_BACK",
        `runs ${device.version} again instead of ${firmware.version} (reset: ${device.resetReason ?? "unknown"})`,
      );
      return undefined;
    case "disproved":
      await failAttempt(
        journal,
        open,
        "CLAIM_DISPROVED",
        `reported success, but runs ${device.version} instead of ${firmware.version}`,
      );
      return undefined;
    case "onTrial":
      if (open.status === "installing" && open.step === TRIAL) return open;
      return moveAttempt(journal, firmware, open, { status: "installing", step: TRIAL });
    case "nothing":
      return open;
  }
}

const runsOther = (known: Device, device: Device): boolean =>
  known.version !== device.version || known.build !== device.build;

/** How long a success that nothing but the device's word proves may be taken back by it. */
const WITHDRAWABLE_MS = 24 * 60 * 60_000;

/**
 * A device that has succeeded by its own account and runs something older again has rolled back after all. The attempt becomes a failed one, so
 * that a device that goes back each time, or whose client says the same version for ever, is not updated for ever.
 */
async function withdrawReported(journal: Journal, device: Device): Promise<void> {
  const { rows } = await journal.store.listUpdates({ deviceId: device.id }, { limit: 1, offset: 0 });
  const [last] = rows;
  if (last?.status !== "success" || last.step !== "reported") return;
  if (journal.time - (last.finishedAt ?? 0) > WITHDRAWABLE_MS) return;
  const firmware = await journal.store.findFirmware(last.firmwareId);
  if (!firmware || device.imageSha256 === firmware.imageSha256) return;
  if (!statesVersion(device) || compareToRelease(device, firmware) >= 0) return;
  const failed = await journal.changeUpdate(last.id, {
    status: "failed",
    errorCode: "ROLLED_BACK",
    errorMessage: `reported success, then that it runs ${device.version} again`,
    finishedAt: journal.time,
  });
  await logAttempt(journal, failed, "update.failed", `${device.id}: ROLLED_BACK, ${failed.errorMessage}`, {
    error_code: failed.errorCode,
    step: failed.step,
  });
}

/** The hash of the image decides. Where the device or the firmware has none, and of firmware that is not signed, the version counts too. */
function evaluate(open: Update, firmware: Firmware, device: Device, now: number) {
  const { imageSha256 } = firmware;
  const isSigned = firmware.release !== null;
  const from = { version: open.fromVersion, build: open.fromBuild };
  const claimedAt = open.step === CLAIMED ? open.updatedAt : null;
  // Only a client that verifies signatures may try an image by itself.
  const trialMs = !isSigned ? Number.POSITIVE_INFINITY : open.step === TRIAL ? now - open.updatedAt : 0;
  const byImage = imageSha256 === "" ? "nothing" : evaluateEvidence(open, imageSha256, device, trialMs);
  if (device.imageSha256 !== null && (isSigned || device.imageSha256 === imageSha256)) {
    // Another image of the version that was offered came another way, not by a roll back.
    if (byImage === "rolledBack" && isVersionOf(firmware, device)) return "nothing";
    // The same image ran before: to run it proves nothing.
    const isSuccess = byImage === "reported" || byImage === "validated";
    return isSuccess && claimedAt === null && isVersionOf(firmware, from) ? "nothing" : byImage;
  }
  const byVersion = evaluateVersion({ from, claimedAt }, firmware, device, now);
  if (byVersion !== "reported") return byVersion === "nothing" ? byImage : byVersion;
  const byState = evaluateEvidence(open, imageSha256, { ...device, imageSha256 }, trialMs);
  return byState === "validated" ? "reported" : byState;
}

/** An attempt whose firmware is not what the device is to get now has no future. */
async function closeStale(
  journal: Journal,
  { device }: DeviceScene,
  open: Update,
  release: Firmware | undefined,
): Promise<void> {
  if (release?.id === open.firmwareId) return;
  // On trial nothing is offered; the attempt is well under way.
  if (!release && isOnTrial(device)) return;
  if (release) {
    await failAttempt(journal, open, "SUPERSEDED", `${release.version} is offered instead`);
    return;
  }
  const firmware = await journal.store.findFirmware(open.firmwareId);
  if (firmware && compareToRelease(device, firmware) >= 0)
    await failAttempt(journal, open, "SUPERSEDED", `runs ${device.version}, which came another way`);
  else await failAttempt(journal, open, "WITHDRAWN", "the firmware is not offered to this device any more");
}

async function openAttempt(
  journal: Journal,
  device: Device,
  release: Firmware,
  { rollout, wanted }: Offer<RolloutRelease>,
): Promise<void> {
  const attempt = await addAttempt(journal, device, release);
  const way = wanted.id === release.id ? "" : `, on the way to ${nameRelease(wanted)}`;
  const message = `${device.id} is offered ${nameRelease(release)} over ${device.version}${way}`;
  await logAttempt(journal, attempt, "update.pending", message, rollout && { rollout_id: rollout.id });
}
