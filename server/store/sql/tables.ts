// Every table, for Kysely. Flags are 0 and 1, times are milliseconds since 1970, details are JSON text, on every database.

import type { ApiTokenTable } from "./api-tokens.js";
import type { AttributeTable } from "./attributes.js";
import type { AuditTable } from "./audit.js";
import type { ContentAssignmentTable, ContentImageTable } from "./content.js";
import type {
  DeviceIdentityTable,
  EnrolmentTokenTable,
  RegistrationPolicyTable,
} from "./device-identities.js";
import type { DeviceTable } from "./devices.js";
import type { EventTable } from "./events.js";
import type { FirmwareTable } from "./firmware.js";
import type { LabelTable, TagTable } from "./labels.js";
import type { LoginBucketTable } from "./login-buckets.js";
import type { MeshNodeTable, MeshUpdateTable } from "./mesh.js";
import type { FleetRevisionTable } from "./no-op-checks.js";
import type { OrderTable } from "./orders.js";
import type { RolloutMemberTable, RolloutTable } from "./rollouts.js";
import type { SightingTable } from "./sightings.js";
import type { SigningKeyTable } from "./signing-keys.js";
import type { DeviceTypeTable } from "./types.js";
import type { UpdateTable } from "./updates.js";
import type { LinkTable, SessionTable, UserTable } from "./users.js";
import type { VersionSampleTable } from "./version-history.js";
import type { DeliveryTable, WebhookTable } from "./webhooks.js";

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
  users: UserTable;
  sessions: SessionTable;
  one_time_links: LinkTable;
  api_tokens: ApiTokenTable;
  signing_keys: SigningKeyTable;
  login_buckets: LoginBucketTable;
  audit: AuditTable;
  device_identities: DeviceIdentityTable;
  device_orders: OrderTable;
  enrolment_tokens: EnrolmentTokenTable;
  registration_policies: RegistrationPolicyTable;
  content_images: ContentImageTable;
  content_assignments: ContentAssignmentTable;
  webhooks: WebhookTable;
  webhook_deliveries: DeliveryTable;
  fleet_revision: FleetRevisionTable;
  device_sightings: SightingTable;
}

/** Every column that names a blob. A blob that none of them names is removed after a while: a new one has to stand here. */
export const BLOB_COLUMNS: readonly (readonly [table: keyof Tables, column: string])[] = [
  ["firmware", "file_hash"],
  ["content_images", "hash"],
];
