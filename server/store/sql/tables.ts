// Every table, for Kysely. Flags are 0 and 1, times are milliseconds since 1970, details are JSON text, on every database.

import type { Generated } from "kysely";
import type { Rollout, RolloutPlan } from "../../shared/rollout.js";
import type {
  ApiToken,
  AuditEntry,
  BulkJob,
  ContentImage,
  Delivery,
  Device,
  DeviceIdentity,
  DeviceType,
  EnrolmentToken,
  Firmware,
  LogEvent,
  Member,
  MeshNode,
  MeshUpdate,
  OneTimeLink,
  Panel,
  RegistrationPolicy,
  RemovedDevice,
  SavedView,
  Session,
  SigningKey,
  StoredOrder,
  StoredRoot,
  StoredSystem,
  Update,
  User,
  VersionSample,
  Webhook,
  WithdrawnRelease,
} from "../store.js";
import type { RowOf } from "./rows.js";

interface DeviceTable extends RowOf<Device> {
  quiet_key: string | null;
  quiet_revision: number | null;
  /** See 0157-device-freshness.ts. */
  stated_at: number | null;
}

interface LabelTable {
  device_id: string;
  group_name: string | null;
  pin: string | null;
  tags: string;
}

interface FirmwareTable extends RowOf<Omit<Firmware, "release">, "id"> {
  /** Empty: it has no manifest. */
  release_jws: string;
}

/** See 0156-withdrawn-releases.ts. */
export interface DeletedRelease extends WithdrawnRelease {
  readonly deviceType: string;
  readonly deletedAt: number;
}

/** A rollout without the fields of its plan that have no column of their own. */
export type RolloutRecord = Omit<Rollout, keyof RolloutPlan> & Pick<Rollout, "name" | "firmwareId">;
interface RolloutTable extends RowOf<RolloutRecord, "id"> {
  /** JSON of the others. */
  plan: string;
}

interface ContentAssignmentTable {
  id: Generated<number>;
  image_id: number;
  target_kind: string;
  target: string;
  from_time: number | null;
  until_time: number | null;
  windows: string | null;
  created_by: string;
  created_at: number;
}

export interface Tables {
  devices: DeviceTable;
  device_labels: LabelTable;
  device_tags: { device_id: string; tag: string };
  firmware: FirmwareTable;
  deleted_releases: RowOf<DeletedRelease>;
  trust_roots: RowOf<StoredRoot>;
  systems: RowOf<StoredSystem, "id">;
  updates: RowOf<Update, "id">;
  rollouts: RolloutTable;
  rollout_members: RowOf<Member>;
  events: RowOf<LogEvent, "id">;
  bulk_jobs: RowOf<BulkJob, "id">;
  removed_devices: RowOf<RemovedDevice>;
  device_types: RowOf<DeviceType>;
  device_attributes: { device_id: string; attributes: string; updated_at: number };
  ability_sets: { hash: string; orders: string; fields: string };
  device_abilities: {
    device_id: string;
    digest: string;
    set_hash: string;
    setting_values: string;
    told_at: number;
  };
  panels: RowOf<Panel>;
  saved_views: RowOf<SavedView>;
  reading_samples: {
    is_daily: number;
    device_id: string;
    time: number;
    readings: string;
    rssi: number | null;
  };
  ota_updates: RowOf<MeshUpdate, "id">;
  ota_node_status: RowOf<MeshNode>;
  version_samples: RowOf<VersionSample>;
  users: RowOf<User, "id">;
  sessions: RowOf<Session>;
  one_time_links: RowOf<OneTimeLink>;
  api_tokens: RowOf<ApiToken, "id">;
  signing_keys: RowOf<SigningKey>;
  login_buckets: { name: string; full_at: number };
  known_clients: { client: string; account: string; seen_at: number };
  audit: RowOf<AuditEntry, "id">;
  device_identities: RowOf<DeviceIdentity>;
  device_orders: RowOf<StoredOrder>;
  enrolment_tokens: RowOf<EnrolmentToken, "id">;
  registration_policies: RowOf<RegistrationPolicy>;
  content_images: RowOf<ContentImage, "id">;
  content_assignments: ContentAssignmentTable;
  webhooks: RowOf<Webhook, "id">;
  webhook_deliveries: RowOf<Delivery, "id">;
  fleet_revision: { id: number; revision: number };
  device_sightings: {
    id: Generated<number>;
    device_id: string;
    seen_at: number;
    free_heap: number | null;
    rssi: number | null;
    uptime_seconds: number | null;
    readings: string | null;
  };
}

/** Every column that names a blob. A blob that none of them names is removed after a while: a new one has to be listed here. */
export const BLOB_COLUMNS: readonly (readonly [table: keyof Tables, column: string])[] = [
  ["firmware", "file_hash"],
  ["content_images", "hash"],
];
