// Systems as clients see them.

import { type Static, Type } from "@sinclair/typebox";
import type { FoundSystem } from "../releases/systems.js";
import {
  boolean,
  dateTime,
  dateTimeOrNull,
  integer,
  integerOrNull,
  list,
  named,
  oneOf,
  text,
  textOrNull,
} from "./fields.js";
import { viewer } from "./view.js";

const ComponentView = Type.Object({
  name: text("In the system"),
  device_type: text(),
  hardware: text(),
  version: text(),
  build_number: integer(),
  checksum: text("SHA-256 of the image, hex"),
  firmware_id: integerOrNull("null: its release is not here"),
  is_stable: boolean("true: its devices are offered it alone, too, which parts them from the others"),
});

export const SystemView = named(
  "System",
  "A version of a system: the releases that several devices are to run together",
  {
    id: integer(),
    name: text(),
    version: text(),
    min_compatible_version: textOrNull(
      "Oldest version of the system that may be updated to this one; null: any",
    ),
    description: text(),
    components: list(ComponentView, "In the order in which they are updated"),
    state: oneOf(
      ["published", "older", "incomplete", "inactive"],
      "published: what devices are told; older: of an older version than that; incomplete: see problems",
    ),
    problems: list(Type.String(), "Why devices are not told of it"),
    is_active: boolean("Devices may be told of it"),
    signed_at: dateTime(),
    expires_at: dateTimeOrNull("null: never"),
    created_at: dateTime(),
    updated_at: dateTime(),
  },
);
export type SystemView = Static<typeof SystemView>;

/** @param publishedId of the version of this system that devices are told of */
export const viewSystem = viewer(SystemView, (found: FoundSystem, publishedId: number | undefined) => {
  const { stored, system, components, problems } = found;
  return {
    ...stored,
    minCompatibleVersion: system.minCompatibleVersion ?? null,
    description: system.description ?? "",
    components: components.map(({ component, firmware }) => ({
      name: component.name,
      device_type: component.type,
      hardware: component.hardware,
      version: component.version,
      build_number: component.build,
      checksum: component.sha256,
      firmware_id: firmware?.id ?? null,
      is_stable: firmware?.isStable ?? false,
    })),
    state: stateOf(found, publishedId),
    problems,
    signedAt: system.created * 1000,
    expiresAt: system.expires === undefined ? null : system.expires * 1000,
  };
});

function stateOf({ stored, problems }: FoundSystem, publishedId: number | undefined): SystemView["state"] {
  if (stored.id === publishedId) return "published";
  if (!stored.isActive) return "inactive";
  return problems.length > 0 ? "incomplete" : "older";
}

export const SignedSystemView = named(
  "SystemWithManifest",
  "A version of a system with its signed manifest",
  {
    ...SystemView.properties,
    manifest: text("The signed manifest, a JWS, compact or general"),
  },
);
