// How routes for clients of other makers answer: Arduino, ESP Web Tools, hawkBit, pairs, and gateways of a mesh.

import { Type } from "@sinclair/typebox";
// biome-ignore lint/style/noRestrictedImports: an answer of a dialect, described here until it stands at its route
import type { viewDeployment } from "../../../dialects/hawkbit-views.js";
import {
  type Answers,
  created,
  hexSha256,
  IMAGE_FILE,
  named,
  ok,
  oneOf,
  optional,
  orNull,
  shapeOf,
  text,
  textOrNull,
  time,
  timeOrNull,
  UNCHANGED,
  whole,
  wholeOrNull,
  yes,
} from "./parts.js";

const HAWKBIT = "/:tenant/controller/v1/:id";
const total = whole("How many there are in all");

const Link = named("HawkbitLink", "Where something is", { href: text("Absolute") });
const NOTHING = Type.Object({}, { description: "Nothing more is said" });
const Poll = named("HawkbitPoll", "When to poll again, and what there is to do", {
  config: Type.Object({ polling: Type.Object({ sleep: text("HH:MM:SS") }) }),
  _links: Type.Object({
    configData: optional(Link),
    deploymentBase: optional(Link),
    cancelAction: optional(Link),
  }),
});
const Deployment = shapeOf<ReturnType<typeof viewDeployment>>()("HawkbitDeployment", "What to install", {
  id: text("The attempt"),
  deployment: Type.Object({
    download: text(),
    update: text(),
    chunks: Type.Array(
      Type.Object({
        part: text(),
        name: text(),
        version: text(),
        artifacts: Type.Array(
          Type.Object({
            filename: text(),
            hashes: Type.Object({
              sha1: optional(text()),
              md5: optional(text()),
              sha256: hexSha256("Hex"),
            }),
            size: whole("Bytes"),
            _links: Type.Object({ download: Link, "download-http": Link }),
          }),
        ),
      }),
    ),
  }),
});

const WebToolsManifest = named("WebToolsManifest", "What ESP Web Tools flashes and ESPHome updates to", {
  name: text(),
  version: text(),
  new_install_prompt_erase: yes(),
  builds: Type.Array(
    Type.Object({
      chipFamily: text("Such as ESP32-S3"),
      parts: Type.Array(Type.Object({ path: text(), offset: whole("In flash, bytes") })),
      ota: optional(Type.Object({ path: text(), md5: text(), summary: text(), release_url: text() })),
    }),
  ),
});
const SystemManifest = named("SystemManifest", "What the devices of a pair are to run together", {
  system_version: text(),
  min_compatible_version: text(),
  devices: Type.Record(
    Type.String(),
    Type.Object({
      version: text(),
      hardware: text(),
      firmware_url: text("Path on this server"),
      firmware_size: whole("Bytes"),
      checksum: hexSha256("SHA-256, hex"),
      protocol_version: wholeOrNull("null: it is not signed, and tells none"),
      release: optional(text("The signed manifest, compact JWS")),
      digests_url: optional(
        text("Path on this server: the SHA-256 of each chunk; where the manifest is of format 2"),
      ),
    }),
    { description: "By device type" },
  ),
  update_instructions: Type.Object({
    order: Type.Array(Type.String(), { description: "Device types, one after the other" }),
    reboot_delay_seconds: whole(),
    health_check_timeout_seconds: whole(),
  }),
  rollback: orNull(
    Type.Object({ previous_version: text(), urls: Type.Record(Type.String(), Type.String()) }),
    "null: not every device has an older one",
  ),
});

const NodeFirmware = named("NodeFirmware", "Firmware of mesh nodes", {
  id: whole(),
  node_type: text(),
  version: text(),
  hardware: text(),
  size: whole("Bytes"),
  md5: textOrNull(),
  release_notes: textOrNull(),
  is_stable: yes(),
  is_signed: yes(),
  created_at: time(),
});
const distributionFields = {
  id: whole(),
  firmware_id: whole(),
  node_id: textOrNull("null: every node of the type"),
  force_update: yes("Also to nodes that run this very image"),
  status: oneOf(["pending", "distributing", "completed", "failed", "cancelled"]),
  created_at: time(),
  updated_at: time(),
  finished_at: timeOrNull(),
  // Absent if the firmware is not known any more.
  node_type: optional(text()),
  hardware: optional(text()),
  version: optional(text()),
  md5: optional(textOrNull()),
  size: optional(whole("Bytes")),
  part_bytes: optional(whole()),
  part_count: optional(whole()),
  download_url: optional(text("Path on this server")),
};
const Distribution = named(
  "Distribution",
  "An update that a gateway distributes in its mesh",
  distributionFields,
);
const Node = named("MeshNode", "How far a node is", {
  node_id: text(),
  status: oneOf(["pending", "transferring", "completed", "failed"]),
  current_part: whole("Parts that it has"),
  total_parts: whole(),
  error: textOrNull(),
  created_at: time(),
  updated_at: time(),
});

/** Of clients that speak as another maker's server is spoken to. */
export const OTHER_ANSWERS: Answers = Object.freeze({
  "GET /api/arduino/:type": { ...IMAGE_FILE, ...UNCHANGED },
  "GET /api/web-tools/:type/manifest.json": ok(WebToolsManifest),
  "GET /manifest": ok(SystemManifest),
  [`GET ${HAWKBIT}`]: ok(Poll),
  [`PUT ${HAWKBIT}/configData`]: ok(NOTHING),
  [`GET ${HAWKBIT}/deploymentBase/:action`]: ok(Deployment),
  [`GET ${HAWKBIT}/deploymentBase/:action/artifacts/:filename`]: IMAGE_FILE,
  [`POST ${HAWKBIT}/deploymentBase/:action/feedback`]: ok(NOTHING),
  [`GET ${HAWKBIT}/cancelAction/:action`]: ok(
    Type.Object({ id: text("The attempt"), cancelAction: Type.Object({ stopId: text() }) }),
  ),
  [`POST ${HAWKBIT}/cancelAction/:action/feedback`]: ok(NOTHING),
  "POST /api/v1/firmware/upload": created(NodeFirmware),
  "GET /api/v1/firmware": ok(Type.Object({ firmware: Type.Array(NodeFirmware), total })),
  "POST /api/v1/ota/updates": created(Distribution),
  "GET /api/v1/ota/updates": ok(Type.Object({ updates: Type.Array(Distribution), total })),
  "GET /api/v1/ota/updates/pending": ok(Type.Object({ updates: Type.Array(Distribution) })),
  "GET /api/v1/ota/updates/:id": ok(
    named("DistributionDetail", "A distribution and the progress of its nodes", {
      ...distributionFields,
      nodes: Type.Array(Node, { description: "By name" }),
    }),
  ),
  "DELETE /api/v1/ota/updates/:id": ok(Distribution),
  "POST /api/v1/ota/updates/:id/nodes": ok(Node),
  "POST /api/v1/ota/updates/:id/finish": ok(Distribution),
});
