// Records as clients see them: snake_case, times in ISO 8601. No record leaves the server in any other form. Beside them: an event
// (event-view.ts) and a rollout (shared/rollout-view.ts), which webhooks and the audit log tell too.

import type { Readings } from "../../firmware/core/wire.js";
import type { Seen } from "../events/live.js";
import { time } from "../shared/iso-time.js";
import type { Device, DeviceType, Firmware, Update } from "../store/store.js";

export const viewDevice = (device: Device) => ({
  device_id: device.id,
  device_type: device.type,
  hardware: device.hardware,
  chip: device.chip,
  current_version: device.version,
  current_build: device.build,
  image_sha256: device.imageSha256,
  slot: device.slot,
  slot_state: device.slotState,
  boot_count: device.bootCount,
  reset_reason: device.resetReason,
  free_heap: device.freeHeap,
  rssi: device.rssi,
  uptime_seconds: device.uptimeSeconds,
  ...viewReadings(device.readings),
  address: device.address,
  first_seen: time(device.firstSeen),
  last_seen: time(device.lastSeen),
});

/** By the names that the device tells them by. */
const viewReadings = (readings: Readings | null) => ({
  temperature_c: readings?.temperature_c ?? null,
  humidity_percent: readings?.humidity_percent ?? null,
  battery_percent: readings?.battery_percent ?? null,
});

export const viewFirmware = (firmware: Firmware) => ({
  id: firmware.id,
  device_type: firmware.deviceType,
  hardware: firmware.hardware,
  chip: firmware.chip,
  version: firmware.version,
  build_number: firmware.buildNumber,
  filename: firmware.filename,
  file_size: firmware.fileSize,
  file_hash: firmware.fileHash,
  binary_path: firmware.binaryPath,
  md5: firmware.md5,
  /** Firmware of a legacy type is not: whoever has the server has its devices. */
  is_signed: firmware.release !== null,
  image_sha256: firmware.imageSha256,
  is_stable: firmware.isStable,
  is_active: firmware.isActive,
  min_current_version: firmware.minCurrentVersion,
  security_version: firmware.securityVersion,
  release_notes: firmware.notes,
  expires_at: firmware.expiresAt === null ? null : time(firmware.expiresAt),
  download_url: downloadPath(firmware.id),
  created_at: time(firmware.createdAt),
  updated_at: time(firmware.updatedAt),
});

export const viewUpdate = (update: Update) => ({
  id: update.id,
  device_id: update.deviceId,
  firmware_id: update.firmwareId,
  status: update.status,
  outcome: outcomeOf(update),
  step: update.step,
  from_version: update.fromVersion,
  from_build: update.fromBuild,
  bytes_downloaded: update.bytesDownloaded,
  error_code: update.errorCode,
  error_message: update.errorMessage,
  created_at: time(update.createdAt),
  updated_at: time(update.updatedAt),
  finished_at: update.finishedAt === null ? null : time(update.finishedAt),
});

/**
 * How an attempt ended, truthfully: `failed` on the wire may mean that the server itself ended it, and success
 * may be what a legacy device says of itself. `null`: it is under way.
 */
export type AttemptOutcome = "validated" | "reported" | "rolled_back" | "failed" | "superseded" | "withdrawn";
function outcomeOf({ status, step, errorCode }: Update): AttemptOutcome | null {
  if (status === "success") return step === "reported" ? "reported" : "validated";
  if (status !== "failed") return null;
  if (errorCode === "ROLLED_BACK") return "rolled_back";
  if (errorCode === "SUPERSEDED") return "superseded";
  return errorCode === "WITHDRAWN" ? "withdrawn" : "failed";
}

export const viewType = (type: DeviceType) => ({
  name: type.name,
  kind: type.kind,
  created_at: time(type.createdAt),
  updated_at: time(type.updatedAt),
});

export type TypeView = ReturnType<typeof viewType>;
export const viewSeen = (seen: Seen) => ({
  device_id: seen.id,
  last_seen: time(seen.lastSeen),
  free_heap: seen.freeHeap,
  rssi: seen.rssi,
  uptime_seconds: seen.uptimeSeconds,
  ...viewReadings(seen.readings),
});

export type SeenView = ReturnType<typeof viewSeen>;
export type DeviceView = ReturnType<typeof viewDevice>;
export type FirmwareView = ReturnType<typeof viewFirmware>;
export type UpdateView = ReturnType<typeof viewUpdate>;

/** Where an image is. A device of a closed type names itself there; what proves it goes in a header. */
export const downloadPath = (firmwareId: number, deviceId?: string): string =>
  `/api/ota/download/${firmwareId}${naming(deviceId)}`;

/** Where the digests of its chunks are. */
export const digestsPath = (firmwareId: number, deviceId?: string): string =>
  `/api/ota/download/${firmwareId}/digests${naming(deviceId)}`;

const naming = (deviceId: string | undefined): string =>
  deviceId === undefined ? "" : `?device=${encodeURIComponent(deviceId)}`;
