// The fleet of the bench: its devices, what they send, a release, and a store filled with them.

import { createHash } from "node:crypto";
import { buildFirmwareImage } from "../../host-sim/hardware/image/firmware-image.js";
import { describeRelease } from "../../release/describe.js";
import { makeReleaseKeys } from "../../release/keys.js";
import { signRelease } from "../../release/signing.js";
import { hashSecret } from "../../server/auth/secret.js";
import { openStore } from "../../server/store/open.js";

export const IMAGE_BYTES = 1024 * 1024;
/** Devices added per transaction. */
const FILL_COUNT = 2500;

export const deviceId = (at: number) => `base-${at.toString(16).padStart(6, "0")}`;

/** In the form that the server issues. */
export const deviceToken = (at: number) =>
  `skd_${createHash("sha256").update(deviceId(at)).digest("base64url")}`;

/** What the firmware sends with every check. */
export function checkRequest(at: number, contentType = "application/json"): string {
  const body = JSON.stringify({
    device_id: deviceId(at),
    device_type: "base",
    current_version: "1.1.0",
    current_build: 0,
    hardware: "esp32",
    chip: "esp32",
    image_sha256: imageSha256,
    slot: "ota_0",
    slot_state: "valid",
    boot_count: 3,
    reset_reason: "software",
    free_heap: 150_000 + (at % 1000),
    rssi: -50 - (at % 30),
    uptime_seconds: 3600 + at,
    address: "192.168.1.50",
    keeps_token: true,
    check_seconds: 300,
  });
  return `POST /api/ota/check HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: ${contentType}\r\nauthorization: Bearer ${deviceToken(at)}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

export const image = Buffer.from(
  buildFirmwareImage({
    chip: "esp32",
    version: "1.1.0",
    project: "base",
    bundle: "trace('Skyslot');\n".repeat(IMAGE_BYTES / 18 - 250),
  }),
);
const payload = describeRelease(image, { created: Math.floor(Date.now() / 1000) });
const { imageSha256 } = payload;
export const release = await signRelease(payload, (await makeReleaseKeys()).privateKey);

export async function fillStore(file: string, deviceCount: number, databaseUrl?: string): Promise<void> {
  const store = await openStore({ file, databaseUrl });
  const now = Date.now();
  const fill = (start: number) =>
    store.transaction(async (inside) => {
      for (let at = start; at < Math.min(start + FILL_COUNT, deviceCount); at++) {
        await inside.putDevice({
          id: deviceId(at),
          type: "base",
          hardware: "esp32",
          chip: "esp32",
          mac: null,
          version: "1.1.0",
          build: 0,
          imageSha256,
          slot: "ota_0",
          slotState: "valid",
          bootCount: 3,
          resetReason: "software",
          freeHeap: 150_000,
          rssi: -50,
          uptimeSeconds: 60,
          readings: null,
          rootVersion: null,
          isFrozen: false,
          address: "192.168.1.50",
          firstSeen: now,
          lastSeen: now,
        });
        await inside.putIdentity({
          deviceId: deviceId(at),
          deviceType: "base",
          typeSince: now,
          vouchedHow: null,
          vouchedBy: null,
          vouchedAt: null,
          vouchedType: null,
          state: "approved",
          tokenHash: hashSecret(deviceToken(at)),
          issued: [],
          isRotating: false,
          intervalSeconds: 300,
          createdAt: now,
          updatedAt: now,
        });
      }
    });
  let next = 0;
  const lane = async () => {
    while (next < deviceCount) {
      const start = next;
      next += FILL_COUNT;
      await fill(start);
    }
  };
  // SQLite has a single writer anyway.
  await Promise.all(Array.from({ length: databaseUrl === undefined ? 1 : 6 }, lane));

  await store.close();
}
