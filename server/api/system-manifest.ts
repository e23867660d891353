// The manifest of a system as its devices read it: which releases they are to run together, where these are, and in which order to install
// them. Devices trust the signed manifests in it and nothing else of it.

import { type Static, Type } from "@sinclair/typebox";
import type { FastifyRequest } from "fastify";
import { versionNumber } from "../../firmware/core/update/version.js";
import { describeDocument, type SystemDocument } from "../../release/system-document.js";
import { releaseOf } from "../releases/chunk-digests.js";
import type { PublishedSystem } from "../releases/systems.js";
import { defined } from "../shared/defined.js";
import { versionOf } from "../shared/version-of.js";
import type { Firmware } from "../store/store.js";
import type { Context } from "./context.js";
import { dateTime, integer, integerOrNull, list, named, orNull, text, textOrNull } from "./fields.js";
import { absoluteUrl } from "./http/links.js";
import { digestsPath, downloadPath, releasePath } from "./release-views.js";
import { choice } from "./schemas.js";

const SystemRelease = Type.Object({
  device_type: text(),
  version: text(),
  version_number: integer("MAJOR * 10000 + MINOR * 100 + PATCH"),
  build_number: integer(),
  hardware: text(),
  firmware_url: text("Absolute URL of the image"),
  firmware_size: integer("Bytes"),
  checksum: text("SHA-256, hex"),
  md5_checksum: textOrNull("null: it was uploaded to an older server"),
  protocol_version: integerOrNull("null: not signed, so not stated"),
  download_url: text("Path of the image on this host, as in the answers to checks"),
  release: Type.Optional(
    text("The signed manifest, compact JWS; absent: not signed, or only its link was asked for"),
  ),
  release_url: Type.Optional(text("Path on this host: the same")),
  digests_url: Type.Optional(
    text("Path on this host: the SHA-256 of each chunk; only for manifests of format 2"),
  ),
});
export const SystemManifest = named("SystemManifest", "What the devices of a system are to run together", {
  system: Type.Optional(
    text("Its name; absent: composed of the newest releases, without a manifest of its own"),
  ),
  system_version: text("Of a system without a manifest: the newest version that every type has"),
  min_compatible_version: text("Oldest version of the system that may be updated to this one"),
  release_date: dateTime(),
  description: text(),
  manifest: Type.Optional(text("The signed manifest of the system, a JWS, compact or general")),
  devices: Type.Record(Type.String(), SystemRelease, { description: "By their names in the system" }),
  update_instructions: Type.Object({
    order: list(Type.String(), "Names of devices, one after the other"),
    reboot_delay_seconds: integer(),
    health_check_timeout_seconds: integer(),
  }),
  rollback: orNull(
    Type.Object(
      {
        previous_version: text(),
        urls: Type.Record(Type.String(), Type.String(), { description: "Absolute, by the names of devices" }),
      },
      {
        additionalProperties: Type.String(),
        description: "Also NAME_url of each device, such as receiver_url",
      },
    ),
    "null: there is no older version with all of its releases",
  ),
});
type SystemManifest = Static<typeof SystemManifest>;

/** How the query asks for the releases' manifests. */
export const Releases = choice(
  ["inline", "links"],
  "links: of each release only where its manifest is, for devices with little memory",
);

/** What is told of a system, wherever it comes from. */
export interface ToldSystem extends SystemDocument {
  /** In the order in which they are updated. */
  readonly components: readonly Named[];
  readonly previous: { readonly version: string; readonly components: readonly Named[] } | undefined;
}

interface Named {
  /** In the system. */
  readonly name: string;
  readonly firmware: Firmware;
}

interface Asked {
  readonly releases?: "inline" | "links" | undefined;
  /** Which device a URL is to name: the one that asks, where the image's type is its own. */
  readonly deviceFor: (deviceType: string) => string | undefined;
}

/** A published system as it is told. */
export function tellPublished({ current, previous }: PublishedSystem): ToldSystem {
  const { system, stored } = current;
  const componentsOf = ({ components }: PublishedSystem["current"]) =>
    components.map(({ component, firmware }) => ({ name: component.name, firmware }));
  return {
    name: system.name,
    version: system.version,
    minimum: system.minCompatibleVersion ?? "0.0.0",
    releasedAt: system.created * 1000,
    description: system.description ?? "",
    manifest: stored.manifest,
    components: componentsOf(current),
    rebootDelaySeconds: system.rebootDelaySeconds,
    healthTimeoutSeconds: system.healthTimeoutSeconds,
    previous: previous && { version: previous.system.version, components: componentsOf(previous) },
  };
}

export function describeSystem(
  request: FastifyRequest,
  context: Context,
  told: ToldSystem,
  { releases = "inline", deviceFor }: Asked,
): SystemManifest {
  const urlOf = ({ id, deviceType }: Firmware) =>
    absoluteUrl(request, context, downloadPath({ prefix: "" }, id, deviceFor(deviceType)));
  const describe = (firmware: Firmware) => {
    const { id, deviceType, version, buildNumber } = firmware;
    const device = deviceFor(deviceType);
    const signed = releaseOf(firmware);
    return {
      device_type: deviceType,
      version,
      version_number: versionNumber(versionOf(version, buildNumber)),
      build_number: buildNumber,
      hardware: firmware.hardware,
      firmware_url: urlOf(firmware),
      firmware_size: firmware.fileSize,
      checksum: firmware.fileHash,
      md5_checksum: firmware.md5,
      // Stated by signed manifests only; other devices compare version packets.
      protocol_version: signed?.protocolVersion ?? null,
      download_url: downloadPath(context, id, device),
      ...defined({
        release: releases === "links" ? undefined : (firmware.release ?? undefined),
        release_url: signed && releasePath(context, id, device),
        digests_url: signed?.digestsOf === "pages" ? digestsPath(context, id, device) : undefined,
      }),
    };
  };
  const { previous, components, ...document } = told;
  return describeDocument(
    document,
    components.map(({ name, firmware }) => [name, describe(firmware)]),
    previous && {
      version: previous.version,
      urls: previous.components.map(({ name, firmware }) => [name, urlOf(firmware)]),
    },
  );
}
