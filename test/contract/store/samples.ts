// Sample records for the tests of the store.

import type { Device, NewFirmware, Store, Update } from "../../../server/store/store.js";

export const PAGE = { limit: 50, offset: 0 };

export const sampleDevice = (changes: Partial<Device> = {}): Device => ({
  id: "base-010203",
  type: "base",
  hardware: "esp32",
  chip: "esp32",
  mac: null,
  version: "1.0.0",
  build: 0,
  imageSha256: "a".repeat(64),
  slot: "factory",
  slotState: "factory",
  bootCount: 1,
  resetReason: "power-on",
  freeHeap: 200_000,
  rssi: -55,
  uptimeSeconds: 12.5,
  readings: null,
  rootVersion: null,
  frozenSince: null,
  address: "192.168.1.100",
  firstSeen: 1000,
  lastSeen: 1000,
  ...changes,
});

export const sampleFirmware = (changes: Partial<NewFirmware> = {}): NewFirmware => ({
  deviceType: "base",
  hardware: "esp32",
  chip: "esp32",
  version: "1.1.0",
  buildNumber: 0,
  filename: "base-1.1.0.bin",
  fileSize: 90_000,
  fileHash: "b".repeat(64),
  binaryPath: `bb/${"b".repeat(64)}`,
  md5: "d".repeat(32),
  sha1: null,
  imageSha256: "c".repeat(64),
  isStable: true,
  isActive: true,
  minCurrentVersion: null,
  securityVersion: 0,
  sequence: 0,
  notes: null,
  release: "header.payload.signature",
  expiresAt: null,
  createdAt: 2000,
  ...changes,
});

/** An open attempt, with its device and its firmware. */
export async function addAttempt(
  store: Store,
  deviceId = "base-010203",
  firmware: Partial<NewFirmware> = {},
): Promise<Update> {
  await store.putDevice(sampleDevice({ id: deviceId }));
  const { id } = await store.addFirmware(sampleFirmware(firmware));
  return store.addUpdate({ deviceId, firmwareId: id, fromVersion: "1.0.0", fromBuild: 0, createdAt: 3000 });
}
