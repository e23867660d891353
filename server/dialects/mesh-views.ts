// Firmware, distributions and nodes as the mesh gateway's API shows them.

import { type Static, Type } from "@sinclair/typebox";
import { chunkCountOf } from "../../firmware/core/update/digests.js";
import {
  boolean,
  dateTime,
  dateTimeOrNull,
  integer,
  list,
  named,
  oneOf,
  text,
  textOrNull,
} from "../api/fields.js";
import { digestsPath, downloadPath, type Place } from "../api/release-views.js";
import { viewer } from "../api/view.js";
import { releaseOf } from "../releases/chunk-digests.js";
import { defined } from "../shared/defined.js";
import type { Firmware, MeshNode, MeshUpdate } from "../store/store.js";

/** What painlessMesh nodes take: parts of 1 KiB. */
const PART_BYTES = 1024;
export const DISTRIBUTION_STATUSES = ["pending", "distributing", "completed", "failed", "cancelled"] as const;
export const NODE_STATUSES = ["pending", "transferring", "staged", "completed", "failed"] as const;
export const RULES = ["all", "each"] as const;

export const total = integer("Total number");

/**
 * Hardware as painlessMesh nodes compare it, letter by letter: `ESP32` for all of its kinds, else `ESP8266` (State in its ota.hpp). What is
 * neither is named as it was uploaded.
 */
function hardwareOf({ chip, hardware }: Pick<Firmware, "chip" | "hardware">): string {
  const names = [chip, hardware].map((name) => name.toUpperCase());
  return ["ESP32", "ESP8266"].find((known) => names.some((name) => name.startsWith(known))) ?? hardware;
}

export const NodeFirmwareView = named("NodeFirmware", "Firmware of mesh nodes", {
  id: integer(),
  node_type: text(),
  version: text(),
  hardware: text("As nodes compare it, such as ESP32"),
  chip: text("Such as esp32c3"),
  size: integer("Bytes"),
  size_bytes: integer("The same, as the mesh gateway's tables name it"),
  md5: textOrNull(),
  md5_hash: textOrNull("The same, as the mesh gateway's tables name it"),
  release_notes: textOrNull(),
  is_stable: boolean(),
  is_signed: boolean(),
  created_at: dateTime(),
});
export const viewNodeFirmware = viewer(NodeFirmwareView, (firmware: Firmware) => ({
  ...firmware,
  nodeType: firmware.deviceType,
  hardware: hardwareOf(firmware),
  size: firmware.fileSize,
  sizeBytes: firmware.fileSize,
  md5Hash: firmware.md5,
  releaseNotes: firmware.notes,
  isSigned: firmware.release !== null,
}));

const updateFields = {
  id: integer(),
  firmware_id: integer(),
  node_id: textOrNull("null: every node of the type"),
  force_update: boolean("Also to nodes that already run this image"),
  rule: oneOf(
    RULES,
    "all: every node installs it or none does, as only Skyslot's own nodes can; each: as many as can",
  ),
  status: oneOf(DISTRIBUTION_STATUSES),
  created_at: dateTime(),
  updated_at: dateTime(),
  started_at: dateTimeOrNull("When the first node was reported"),
  finished_at: dateTimeOrNull(),
  completed_at: dateTimeOrNull("The same as finished_at, as the mesh gateway's tables name it"),
  error_message: textOrNull("Why it failed"),
};
export const viewMeshUpdate = viewer(Type.Object(updateFields), (update: MeshUpdate) => ({
  ...update,
  nodeId: update.targetNode,
  forceUpdate: update.isForced,
  completedAt: update.finishedAt,
  errorMessage: update.error,
}));

const Announced = Type.Object({
  node_type: text(),
  target_node_type: text("The same, as the mesh gateway's tables name it"),
  hardware: text("As nodes compare it, such as ESP32"),
  version: text(),
  md5: textOrNull(),
  size: integer("Bytes"),
  part_bytes: integer(),
  part_count: integer(),
  download_url: text("Path on this host"),
});
/** What gateways and nodes of ours go by. */
const Signed = Type.Object({
  build_number: integer(),
  sha256: text("Of the whole file, hex"),
  release: text("The signed manifest, compact JWS; absent: of a legacy type"),
  chunk_bytes: integer("Size of a chunk with a digest of its own"),
  chunk_count: integer(),
  digests_url: text("Path on this host: the SHA-256 of each chunk; only for manifests of format 2"),
});
const distributionFields = {
  ...updateFields,
  target_node_id: textOrNull("The same as node_id, as the mesh gateway's tables name it"),
  // Firmware is never removed, only deactivated; old databases may lack it.
  ...Type.Partial(Announced).properties,
  ...Type.Partial(Signed).properties,
};
export const DistributionView = named(
  "Distribution",
  "An update that a gateway distributes in its mesh",
  distributionFields,
);
const announcedFields = viewer(Announced);
/** What a gateway announces in its mesh. */
export const viewDistribution = (
  update: MeshUpdate,
  firmware: Firmware | undefined,
  place: Place,
): Static<typeof DistributionView> => ({
  ...viewMeshUpdate(update),
  target_node_id: update.targetNode,
  ...(firmware &&
    announcedFields({
      ...firmware,
      nodeType: firmware.deviceType,
      targetNodeType: firmware.deviceType,
      hardware: hardwareOf(firmware),
      size: firmware.fileSize,
      partBytes: PART_BYTES,
      partCount: Math.ceil(firmware.fileSize / PART_BYTES),
      downloadUrl: downloadPath(place, firmware.id),
    })),
  ...(firmware && describeSigned(firmware, place)),
});

function describeSigned(firmware: Firmware, place: Place): Partial<Static<typeof Signed>> {
  const release = releaseOf(firmware);
  return {
    build_number: firmware.buildNumber,
    sha256: firmware.fileHash,
    ...(release &&
      defined({
        release: firmware.release ?? undefined,
        chunk_bytes: release.chunkSize,
        chunk_count: chunkCountOf(release),
        digests_url: release.digestsOf === "pages" ? digestsPath(place, firmware.id) : undefined,
      })),
  };
}

export const NodeView = named("MeshNode", "Progress of a node", {
  node_id: text(),
  status: oneOf(NODE_STATUSES),
  current_part: integer("Parts that it has"),
  total_parts: integer(),
  error: textOrNull(),
  error_message: textOrNull("The same, as the mesh gateway's tables name it"),
  created_at: dateTime(),
  updated_at: dateTime(),
});
export const viewNode = viewer(NodeView, (node: MeshNode) => ({ ...node, errorMessage: node.error }));
export const DistributionDetailView = named(
  "DistributionDetail",
  "A distribution and the progress of its nodes",
  { ...distributionFields, nodes: list(NodeView, "By name") },
);
