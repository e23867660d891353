// The manifest that ESP Web Tools and ESPHome read.

import { Type } from "@sinclair/typebox";
import { boolean, integer, list, named, text } from "../api/fields.js";

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
