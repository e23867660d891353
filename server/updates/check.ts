// A device checks for updates: what its state proves about an open attempt, and which release it is offered.

import type { CheckRequest } from "../../firmware/core/wire.js";
import { evaluateClaim, evaluateEvidence } from "../devices/evidence.js";
import { readingsIn } from "../devices/readings.js";
import type { Journal } from "../events/journal.js";
import { chooseRelease } from "../rollout/choose-release.js";
import type { Offer } from "../rollout/decision.js";
import { followUpIdle } from "../rollout/evaluate.js";
import { isLasting } from "../rollout/lasting.js";
import { believeImage, settleLeases } from "../rollout/members.js";
import { isOnTrial } from "../rollout/obstacle.js";
import { readScene } from "../rollout/scene.js";
import { nameRelease, type RolloutRelease } from "../shared/rollout.js";
import type { Device, Firmware, Update } from "../store/store.js";
import { addAttempt, CLAIMED, failAttempt, logAttempt, moveAttempt, succeed } from "./attempt.js";

interface CheckResult {
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
      return moveAttempt(journal, firmware, open, { status: "installing", step: "trial" });
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
  const attempt = await addAttempt(journal, device, release);
  const way = wanted.id === release.id ? "" : `, on the way to ${nameRelease(wanted)}`;
  const message = `${device.id} is offered ${nameRelease(release)} over ${device.version}${way}`;
  await logAttempt(journal, attempt, "update.pending", message, rollout && { rollout_id: rollout.id });
}
