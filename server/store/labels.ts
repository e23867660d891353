// Labels that operators put on devices: tags, a group, a pin. A device without labels has no record.

import type { DeviceLabels } from "../shared/rollout.js";

/** How many devices have a label. */
export interface LabelCount {
  readonly name: string;
  readonly deviceCount: number;
}

export interface LabelStore {
  findLabels(deviceId: string): Promise<DeviceLabels>;
  /** Of each device that has any. */
  findLabelsOf(deviceIds: readonly string[]): Promise<ReadonlyMap<string, DeviceLabels>>;
  /** Replaces all of them. Tags are kept sorted, each once. */
  putLabels(deviceId: string, labels: DeviceLabels): Promise<DeviceLabels>;
  /** By name; of devices of these types. */
  countLabels(
    deviceTypes?: readonly string[],
  ): Promise<{ readonly tags: readonly LabelCount[]; readonly groups: readonly LabelCount[] }>;
}
