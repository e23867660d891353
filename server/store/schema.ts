// The tables as SQL has them, for Kysely. Booleans are 0 and 1, times are milliseconds since 1970, details are JSON text.

import type { Generated } from "kysely";

export interface DeviceTable {
  id: string;
  type: string;
  hardware: string | null;
  chip: string | null;
  mac: string | null;
  version: string;
  build: number;
  image_sha256: string | null;
  slot: string | null;
  slot_state: string | null;
  boot_count: number | null;
  reset_reason: string | null;
  free_heap: number | null;
  rssi: number | null;
  uptime_seconds: number | null;
  address: string | null;
  first_seen: number;
  last_seen: number;
}

export interface FirmwareTable {
  id: Generated<number>;
  device_type: string;
  hardware: string;
  chip: string;
  version: string;
  build_number: number;
  filename: string;
  file_size: number;
  file_hash: string;
  binary_path: string;
  image_sha256: string;
  is_stable: number;
  is_active: number;
  min_current_version: string | null;
  security_version: number;
  notes: string | null;
  release_jws: string;
  expires_at: number | null;
  created_at: number;
  updated_at: number;
}

export interface UpdateTable {
  id: Generated<number>;
  device_id: string;
  firmware_id: number;
  status: string;
  step: string | null;
  from_version: string;
  from_build: number;
  bytes_downloaded: number;
  error_code: string | null;
  error_message: string | null;
  created_at: number;
  updated_at: number;
  finished_at: number | null;
}

export interface EventTable {
  id: Generated<number>;
  time: number;
  kind: string;
  device_id: string | null;
  firmware_id: number | null;
  update_id: number | null;
  message: string;
  detail: string | null;
}

export interface Tables {
  devices: DeviceTable;
  firmware: FirmwareTable;
  updates: UpdateTable;
  events: EventTable;
}
