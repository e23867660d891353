// Manifests that other tools read: of ESP Web Tools and ESPHome, and of a synchronised pair of devices.

import { Type } from "@sinclair/typebox";
import { boolean, integer, integerOrNull, list, named, orNull, text } from "../api/fields.js";

export const WebToolsManifest = named(
  "WebToolsManifest",
  "What ESP Web Tools flashes and ESPHome updates to",
  {
    name: text(),
    version: text(),
    new_install_prompt_erase: boolean(),
    builds: list(
      Type.Object({
        chipFamily: text("Such as ESP32-S3"),
        parts: list(Type.Object({ path: text(), offset: integer("In flash, bytes") })),
        ota: Type.Optional(Type.Object({ path: text(), md5: text(), summary: text(), release_url: text() })),
      }),
    ),
  },
);

const PairedRelease = Type.Object({
  version: text(),
  hardware: text(),
  firmware_url: text("Path on this host"),
  firmware_size: integer("Bytes"),
  checksum: text("SHA-256, hex"),
  protocol_version: integerOrNull("null: not signed, so not stated"),
  release: Type.Optional(text("The signed manifest, compact JWS")),
  digests_url: Type.Optional(
    text("Path on this host: the SHA-256 of each chunk; only for manifests of format 2"),
  ),
});
export const SystemManifest = named("SystemManifest", "What the devices of a pair are to run together", {
  system_version: Type.Optional(text("The newest version that every type has")),
  min_compatible_version: text(),
  devices: Type.Record(Type.String(), PairedRelease, { description: "By device type" }),
  update_instructions: Type.Object({
    order: list(Type.String(), "Device types, one after the other"),
    reboot_delay_seconds: integer(),
    health_check_timeout_seconds: integer(),
  }),
  rollback: orNull(
    Type.Object({ previous_version: Type.Optional(text()), urls: Type.Record(Type.String(), Type.String()) }),
    "null: no older version that every type has",
  ),
});
