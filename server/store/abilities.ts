// What the store remembers of what devices can be ordered to do (firmware/core/wire.ts: Abilities).

import type { Abilities, PushedSettings } from "../../firmware/core/wire.js";
import type { DeviceFilter } from "./devices.js";

export interface DeviceAbilities extends Abilities {
  readonly deviceId: string;
  /** As the device calls it in its checks. */
  readonly digest: string;
  readonly values: PushedSettings;
  readonly toldAt: number;
}

/** Of devices that can do the same. */
export interface AbilityCount extends Pick<Abilities, "orders" | "fields"> {
  readonly deviceCount: number;
}

export interface AbilityStore {
  /** `undefined`: the device has told none. */
  findAbilities(deviceId: string): Promise<DeviceAbilities | undefined>;
  /** Replaces what it told before. */
  putAbilities(abilities: DeviceAbilities): Promise<void>;
  removeAbilities(deviceId: string): Promise<void>;
  /** Of the devices that a filter finds, among those with these ids if there are any: most frequent first. Devices that told nothing are not counted. */
  countAbilities(devices: {
    readonly filter: DeviceFilter;
    readonly ids?: readonly string[];
  }): Promise<readonly AbilityCount[]>;
}
