// Firmware before it is registered: what is said about it, and what that comes to once it is checked.

import type { NewFirmware } from "../store/store.js";

/** What a person may say about firmware beside its manifest. */
export interface FirmwareFields {
  /** The signed manifest; absent: firmware of a legacy type. */
  readonly release?: string;
  readonly device_type?: string;
  readonly hardware?: string;
  readonly chip?: string;
  readonly version?: string;
  readonly build_number?: number;
  readonly filename?: string;
  readonly min_current_version?: string;
  readonly is_stable?: boolean;
  readonly is_active?: boolean;
  readonly release_notes?: string;
  /** Makes the type legacy. Who says so has to have the right to. */
  readonly legacy?: boolean;
}

export type CheckedFirmware = Omit<NewFirmware, "createdAt">;
