// Every table, for Kysely. Flags are 0 and 1, times are milliseconds since 1970, details are JSON text, on every database.

import type { AttributeTable } from "./attributes.js";
import type { DeviceTable } from "./devices.js";
import type { EventTable } from "./events.js";
import type { FirmwareTable } from "./firmware.js";
import type { VersionSampleTable } from "./fleet.js";
import type { LabelTable, TagTable } from "./labels.js";
import type { MeshNodeTable, MeshUpdateTable } from "./mesh.js";
import type { RolloutMemberTable, RolloutTable } from "./rollouts.js";
import type { DeviceTypeTable } from "./types.js";
import type { UpdateTable } from "./updates.js";

export interface Tables {
  devices: DeviceTable;
  device_labels: LabelTable;
  device_tags: TagTable;
  firmware: FirmwareTable;
  updates: UpdateTable;
  rollouts: RolloutTable;
  rollout_members: RolloutMemberTable;
  events: EventTable;
  device_types: DeviceTypeTable;
  device_attributes: AttributeTable;
  ota_updates: MeshUpdateTable;
  ota_node_status: MeshNodeTable;
  version_samples: VersionSampleTable;
}

/** Every column that names a blob. A blob that none of them names is removed after a while: a new one has to stand here. */
export const BLOB_COLUMNS: readonly (readonly [table: keyof Tables, column: string])[] = [
  ["firmware", "file_hash"],
];
