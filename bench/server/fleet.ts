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

/** Devices of one type, which run the same. */
export interface Fleet {
  readonly type: string;
  readonly version: string;
  readonly imageSha256: string | null;
  /** Those of other systems' clients have no token, and have told their attributes. */
  readonly hasTokens: boolean;
}

export const deviceId = (at: number, { type }: Pick<Fleet, "type"> = BASE) =>
  `${type}-${at.toString(16).padStart(6, "0")}`;

/** In the form that the server issues. */
export const deviceToken = (at: number, fleet: Pick<Fleet, "type"> = BASE) =>
  `skd_${createHash("sha256").update(deviceId(at, fleet)).digest("base64url")}`;

/** What the firmware sends with every check. */
export function checkRequest(at: number, contentType = "application/json", fleet: Fleet = BASE): string {
  return postRequest("/api/ota/check", at, fleet, checkBody(at, fleet), contentType);
}

const checkBody = (at: number, fleet: Fleet) => ({
  device_id: deviceId(at, fleet),
  device_type: fleet.type,
  current_version: fleet.version,
  current_build: 0,
  hardware: "esp32",
  chip: "esp32",
  image_sha256: fleet.imageSha256,
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

/** A request with the device's own token. */
export function postRequest(
  path: string,
  at: number,
  fleet: Fleet,
  content: object,
  contentType = "application/json",
): string {
  const body = JSON.stringify(content);
  return `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: ${contentType}\r\nauthorization: Bearer ${deviceToken(at, fleet)}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

const buildImageOf = (type: string) =>
  Buffer.from(
    buildFirmwareImage({
      chip: "esp32",
      version: "1.1.0",
      project: type,
      bundle: "trace('Skyslot');\n".repeat(IMAGE_BYTES / 18 - 250),
    }),
  );
const { privateKey } = await makeReleaseKeys();
const describe = (content: Buffer) => describeRelease(content, { created: Math.floor(Date.now() / 1000) });

export const image = buildImageOf("base");
const payload = describe(image);
export const release = await signRelease(payload, privateKey);

/** They run what is released. */
export const BASE: Fleet = Object.freeze({
  type: "base",
  version: "1.1.0",
  imageSha256: payload.imageSha256,
  hasTokens: true,
});

/** They run something older than what is released for their type. */
export const OLDER: Fleet = Object.freeze({
  type: "older",
  version: "1.0.0",
  imageSha256: createHash("sha256").update("1.0.0").digest("hex"),
  hasTokens: true,
});
export const olderImage = buildImageOf(OLDER.type);
export const olderRelease = await signRelease(describe(olderImage), privateKey);

/** Clients of hawkBit's API. */
export const HAWKBIT: Fleet = Object.freeze({
  type: "hawkbit",
  version: "1.1.0",
  imageSha256: null,
  hasTokens: false,
});

/** @param fleets and how many devices each has */
export async function fillStore(
  file: string,
  fleets: ReadonlyMap<Fleet, number>,
  databaseUrl?: string,
): Promise<void> {
  const store = await openStore({ file, databaseUrl });
  const now = Date.now();
  const fill = (fleet: Fleet, start: number, end: number) =>
    store.transaction(async (inside) => {
      for (let at = start; at < end; at++) {
        await inside.putDevice({
          id: deviceId(at, fleet),
          type: fleet.type,
          hardware: "esp32",
          chip: "esp32",
          mac: null,
          version: fleet.version,
          build: 0,
          imageSha256: fleet.imageSha256,
          slot: "ota_0",
          slotState: "valid",
          bootCount: 3,
          resetReason: "software",
          freeHeap: 150_000,
          rssi: -50,
          uptimeSeconds: 60,
          readings: null,
          rootVersion: null,
          frozenSince: null,
          address: "192.168.1.50",
          firstSeen: now,
          lastSeen: now,
        });
        await inside.putIdentity({
          deviceId: deviceId(at, fleet),
          deviceType: fleet.type,
          typeSince: now,
          vouchedHow: null,
          vouchedBy: null,
          vouchedAt: null,
          vouchedType: null,
          state: "approved",
          tokenHash: fleet.hasTokens ? hashSecret(deviceToken(at, fleet)) : null,
          issued: [],
          isRotating: false,
          intervalSeconds: 300,
          createdAt: now,
          updatedAt: now,
        });
        if (!fleet.hasTokens)
          await inside.putAttributes(deviceId(at, fleet), { version: fleet.version }, now);
      }
    });
  const pieces = [...fleets].flatMap(([fleet, count]) =>
    Array.from({ length: Math.ceil(count / FILL_COUNT) }, (_, piece) => ({
      fleet,
      start: piece * FILL_COUNT,
      end: Math.min(count, (piece + 1) * FILL_COUNT),
    })),
  );
  const lane = async () => {
    for (let piece = pieces.shift(); piece; piece = pieces.shift())
      await fill(piece.fleet, piece.start, piece.end);
  };
  // SQLite has a single writer anyway.
  await Promise.all(Array.from({ length: databaseUrl === undefined ? 1 : 6 }, lane));

  await store.close();
}
