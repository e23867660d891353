// Manifests that other tools read: ESP Web Tools (flashes from a browser) with ESPHome's `ota` in it, and the system manifest of a
// synchronised pair of devices. Where a signed system of the pair's types is registered, that is it; otherwise it is composed of the newest
// releases that have one version.
//
//   GET /api/web-tools/{device_type}/manifest.json       https://esphome.github.io/esp-web-tools/
//   GET /manifest?types=receiver,transmitter

import { type Static, Type } from "@sinclair/typebox";
import type { FastifyRequest } from "fastify";
import { compareVersions } from "../../firmware/core/update/version.js";
import { ok } from "../api/answers.js";
import type { Context } from "../api/context.js";
import { AskingDevice } from "../api/device-schemas.js";
import { mayAccess } from "../api/image-access.js";
import { downloadPath, type Place } from "../api/release-views.js";
import { route } from "../api/route.js";
import { Name } from "../api/schemas.js";
import { findAccessible } from "../api/system-access.js";
import {
  describeSystem,
  Releases,
  SystemManifest,
  type ToldSystem,
  tellPublished,
} from "../api/system-manifest.js";
import { incompleteSystem } from "../api/system-routes.js";
import type { Api } from "../api/typed-app.js";
import {
  findPublished,
  HEALTH_TIMEOUT_SECONDS,
  REBOOT_DELAY_SECONDS,
  type SystemState,
} from "../releases/systems.js";
import { isVersion } from "../rollout/order.js";
import { Refusal } from "../shared/refusal.js";
import { versionOf } from "../shared/version-of.js";
import type { Firmware } from "../store/store.js";
import { WebToolsManifest } from "./manifest-views.js";
import { newestOf } from "./newest-firmware.js";

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
  releases: Type.Optional(Releases),
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
      reply.header("cache-control", "private, no-cache");
      const signed = await findPublished(
        context.store,
        { deviceTypes: [...new Set(types)].sort() },
        context.now(),
      );
      if (signed) return describeSigned(request, context, signed, query);
      const releases = await Promise.all(
        types.map((type) => newestFor(request, context, type, query.device)),
      );
      return describeSystem(request, context, compose(types, releases), {
        releases: query.releases,
        deviceFor: () => query.device,
      });
    },
  );
}

/** @throws Refusal FIRMWARE_UNKNOWN, SYSTEM_INCOMPLETE */
async function describeSigned(
  request: FastifyRequest,
  context: Context,
  { deviceTypes, published, problems }: SystemState,
  { device, releases }: Static<typeof SystemQuery>,
) {
  const own = await findAccessible(request, context, deviceTypes, device);
  if (own === undefined) throw inaccessible(deviceTypes.join(", "));
  if (!published) throw incompleteSystem(problems);
  const deviceFor = (type: string) => (type === own ? device : undefined);
  return describeSystem(request, context, tellPublished(published), { releases, deviceFor });
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
  throw inaccessible(type);
}

const inaccessible = (type: string): Refusal =>
  new Refusal(
    "FIRMWARE_UNKNOWN",
    `type ${type} has no stable firmware here, or none that is accessible without a token`,
  );

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
function compose(
  types: readonly string[],
  releases: readonly (readonly [Firmware, ...Firmware[]])[],
): ToldSystem {
  const [current, previous] = findSystems(releases);
  if (!current) {
    const newest = releases.map(([{ deviceType, version }]) => `${deviceType} ${version}`);
    throw new Refusal(
      "FIRMWARE_UNKNOWN",
      `there is no version that all of ${types.join(", ")} have: the newest are ${newest.join(" and ")}`,
    );
  }
  const version = versionIn(current);
  const name = (system: System) => system.map((firmware) => ({ name: firmware.deviceType, firmware }));
  return {
    version,
    minimum: highestMinimum(current),
    releasedAt: Math.max(...current.map(({ createdAt }) => createdAt)),
    description: current.flatMap(({ notes }) => notes ?? [])[0] ?? "",
    components: name(current),
    rebootDelaySeconds: REBOOT_DELAY_SECONDS,
    healthTimeoutSeconds: HEALTH_TIMEOUT_SECONDS,
    previous: previous && { version: versionIn(previous), components: name(previous) },
  };
}

const versionIn = ([first]: System): string => first?.version ?? "";

/** What every device of a system may be updated from. */
const highestMinimum = (system: System): string =>
  system
    .flatMap(({ minCurrentVersion }) => minCurrentVersion ?? [])
    .reduce(
      (highest, minimum) =>
        compareVersions(versionOf(minimum, 0), versionOf(highest, 0)) > 0 ? minimum : highest,
      "0.0.0",
    );
