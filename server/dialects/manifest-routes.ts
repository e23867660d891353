// Manifests that other tools read: ESP Web Tools (flashes from a browser) with ESPHome's `ota` in it, and the system manifest of a
// synchronised pair of devices.
//
//   GET /api/web-tools/{device_type}/manifest.json       https://esphome.github.io/esp-web-tools/
//   GET /manifest?types=receiver,transmitter

import { Type } from "@sinclair/typebox";
import type { FastifyRequest } from "fastify";
import { compareVersions } from "../../firmware/core/update/version.js";
import { ok } from "../api/answers.js";
import type { Context } from "../api/context.js";
import { AskingDevice } from "../api/device-schemas.js";
import { mayAccess } from "../api/image-access.js";
import { digestsPath, downloadPath, type Place } from "../api/release-views.js";
import { route } from "../api/route.js";
import { Name } from "../api/schemas.js";
import type { Api } from "../api/typed-app.js";
import { releaseOf } from "../releases/chunk-digests.js";
import { isVersion, newestFirst } from "../rollout/order.js";
import { isForAll } from "../rollout/rollout-obstacle.js";
import { defined } from "../shared/defined.js";
import { Refusal } from "../shared/refusal.js";
import { versionOf } from "../shared/version-of.js";
import type { Firmware, Store } from "../store/store.js";
import { SystemManifest, WebToolsManifest } from "./manifest-views.js";

/** It has no boot loader of its own: the image begins the flash. */
const ESP8266 = Object.freeze({ chip: "esp8266", offset: 0 });

/** Names as ESP Web Tools has them (its src/const.ts). */
const CHIP_FAMILIES: Readonly<Record<string, string>> = Object.freeze({
  esp32: "ESP32",
  esp32c2: "ESP32-C2",
  esp32c3: "ESP32-C3",
  esp32c5: "ESP32-C5",
  esp32c6: "ESP32-C6",
  esp32c61: "ESP32-C61",
  esp32h2: "ESP32-H2",
  esp32p4: "ESP32-P4",
  esp32s2: "ESP32-S2",
  esp32s3: "ESP32-S3",
  [ESP8266.chip]: "ESP8266",
});

/**
 * Where the first app begins: in our own partition tables (partitions/*.csv), and in the usual ones of ESP-IDF, Arduino and ESPHome. An
 * image in the wrong place would run over the one that begins behind it.
 */
const APP_OFFSETS = Object.freeze({ signed: 0x20000, legacy: 0x10000 });
const MAX_TYPE_COUNT = 8;
const REBOOT_DELAY_SECONDS = 5;
/** How long a pair's orchestrator waits for a device that it has updated. */
const HEALTH_CHECK_SECONDS = 30;

const TypeParams = Type.Object({ type: Name });
const OffsetQuery = Type.Object({
  offset: Type.Optional(
    Type.Integer({
      minimum: 0x1000,
      maximum: 0x1000000,
      multipleOf: 0x1000,
      description: `Where the app begins in flash; default ${APP_OFFSETS.signed}, for legacy types ${APP_OFFSETS.legacy}; of an ESP8266 always 0`,
    }),
  ),
  ...AskingDevice,
});
const SystemQuery = Type.Object({
  types: Type.String({ pattern: "^[A-Za-z0-9._,-]{1,256}$", default: "receiver,transmitter" }),
  ...AskingDevice,
});

export function manifestRoutes(app: Api, context: Context): void {
  app.get(
    "/api/web-tools/:type/manifest.json",
    route("device", "Manifest for ESP Web Tools and ESPHome", ok(WebToolsManifest), {
      params: TypeParams,
      querystring: OffsetQuery,
    }),
    async (request, reply) => {
      const { params, query } = request;
      const newest = await newestFor(request, context, params.type, query.device);
      const kind = (await context.store.findType(params.type))?.kind ?? "signed";
      const manifest = describeForWebTools(context, newest, query.offset ?? APP_OFFSETS[kind], query.device);
      // Pages that flash devices may be on another origin; public manifests are no secret.
      if (await context.access.isOpen(params.type)) reply.header("access-control-allow-origin", "*");
      return reply.header("cache-control", "private, no-cache").send(manifest);
    },
  );

  app.get(
    "/manifest",
    route("device", "System manifest of a synchronised pair", ok(SystemManifest), {
      querystring: SystemQuery,
    }),
    async (request, reply) => {
      const { query } = request;
      const types = query.types.split(",").filter((type) => type !== "");
      if (types.length > MAX_TYPE_COUNT)
        throw new Refusal("INVALID_REQUEST", `${types.length} types, a system has at most ${MAX_TYPE_COUNT}`);
      const releases = await Promise.all(
        types.map((type) => newestFor(request, context, type, query.device)),
      );
      reply.header("cache-control", "private, no-cache");
      return describeSystem(context, types, releases, query.device);
    },
  );
}

/** Without access, a closed type is indistinguishable from one that does not exist. @throws Refusal FIRMWARE_UNKNOWN */
async function newestFor(
  request: FastifyRequest,
  context: Context,
  type: string,
  deviceId: string | undefined,
): Promise<readonly [Firmware, ...Firmware[]]> {
  const [first, ...others] = await newestOf(context.store, type);
  if (first && (await mayAccess(request, context, { deviceType: type, deviceId }))) return [first, ...others];
  throw new Refusal(
    "FIRMWARE_UNKNOWN",
    `type ${type} has no stable firmware here, or none that is accessible without a token`,
  );
}

/** Stable and active firmware of a type that no rollout keeps for some, the newest first. */
async function newestOf(store: Store, type: string): Promise<readonly Firmware[]> {
  const rollouts = await store.governingRollouts(type);
  return (await store.offeredFirmware(type))
    .filter((firmware) => isForAll(firmware, rollouts))
    .sort(newestFirst);
}

/** @throws Refusal FIRMWARE_UNKNOWN */
function describeForWebTools(
  place: Place,
  offered: readonly [Firmware, ...Firmware[]],
  offset: number,
  deviceId: string | undefined,
) {
  const flashable = offered.filter(({ chip }) => Object.hasOwn(CHIP_FAMILIES, chip));
  const [newest] = flashable;
  if (!newest) {
    const chips = [...new Set(offered.map(({ chip }) => chip))];
    throw new Refusal(
      "FIRMWARE_UNKNOWN",
      `type ${offered[0].deviceType} has no firmware that ESP Web Tools can flash: it is for ${chips.join(", ")}`,
    );
  }
  const sameVersion = flashable.filter(
    ({ version, buildNumber }) => version === newest.version && buildNumber === newest.buildNumber,
  );
  return {
    name: newest.deviceType,
    version: newest.version,
    new_install_prompt_erase: true,
    builds: sameVersion.map((firmware) => {
      const path = downloadPath(place, firmware.id, deviceId);
      return {
        chipFamily: CHIP_FAMILIES[firmware.chip] as string,
        parts: [{ path, offset: firmware.chip === ESP8266.chip ? ESP8266.offset : offset }],
        ...(firmware.md5 === null
          ? {}
          : { ota: { path, md5: firmware.md5, summary: firmware.notes ?? "", release_url: "" } }),
      };
    }),
  };
}

/** One release of each type, in the order of the types, all of the same version. */
type System = readonly Firmware[];

/**
 * The versions that every type has, the newest first. A version that only one half of a pair has would lead that half away from the other. Build
 * numbers may differ: of each type the newest counts.
 */
function findSystems(releases: readonly (readonly [Firmware, ...Firmware[]])[]): readonly System[] {
  const [first = []] = releases;
  const versions = [...new Set(first.map(({ version }) => version))];
  return versions.flatMap((version) => {
    const system = releases.flatMap((own) => own.find((firmware) => isVersion(firmware, version)) ?? []);
    return system.length === releases.length ? [system] : [];
  });
}

/** @throws Refusal FIRMWARE_UNKNOWN */
function describeSystem(
  place: Place,
  types: readonly string[],
  releases: readonly (readonly [Firmware, ...Firmware[]])[],
  deviceId: string | undefined,
) {
  const [current, previous] = findSystems(releases);
  if (!current) {
    const newest = releases.map(([{ deviceType, version }]) => `${deviceType} ${version}`);
    throw new Refusal(
      "FIRMWARE_UNKNOWN",
      `there is no version that all of ${types.join(", ")} have: the newest are ${newest.join(" and ")}`,
    );
  }
  const signed = current.map(releaseOf);
  return {
    ...defined({ system_version: current[0]?.version }),
    min_compatible_version: highestMinimum(current),
    devices: Object.fromEntries(
      current.map((firmware, at) => [
        types[at] as string,
        {
          version: firmware.version,
          hardware: firmware.hardware,
          firmware_url: downloadPath(place, firmware.id, deviceId),
          firmware_size: firmware.fileSize,
          checksum: firmware.fileHash,
          // Stated by signed manifests only; other devices compare version packets.
          protocol_version: signed[at]?.protocolVersion ?? null,
          ...defined({
            release: firmware.release ?? undefined,
            digests_url:
              signed[at]?.digestsOf === "pages" ? digestsPath(place, firmware.id, deviceId) : undefined,
          }),
        },
      ]),
    ),
    update_instructions: {
      order: types,
      reboot_delay_seconds: REBOOT_DELAY_SECONDS,
      health_check_timeout_seconds: HEALTH_CHECK_SECONDS,
    },
    rollback: previous
      ? {
          ...defined({ previous_version: previous[0]?.version }),
          urls: Object.fromEntries(
            previous.map((firmware, at) => [types[at] as string, downloadPath(place, firmware.id, deviceId)]),
          ),
        }
      : null,
  };
}

/** What every device of a system may be updated from. */
const highestMinimum = (system: System): string =>
  system
    .flatMap(({ minCurrentVersion }) => minCurrentVersion ?? [])
    .reduce(
      (highest, minimum) =>
        compareVersions(versionOf(minimum, 0), versionOf(highest, 0)) > 0 ? minimum : highest,
      "0.0.0",
    );
