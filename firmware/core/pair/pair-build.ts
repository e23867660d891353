// What a build of a pair's app is configured with besides what every build is, as its manifest has it. Pure.

import { groupOf } from "../radio/beacon.js";
import { parseVersion, versionNumber } from "../update/version.js";
import type { PairSettings } from "./peer-state.js";

export interface PairConfig {
  /** Name of the pair's group: keeps pairs in one room apart. The same on both devices. */
  readonly group?: string;
  /** Of the data packets between the two, 0 to 255; default: 1. */
  readonly protocolVersion?: number;
  /** Oldest version of the other device that this firmware works with, such as `1.2.0`; absent: any. */
  readonly minCompatible?: string;
}

const DEFAULT_GROUP = "pair";

/** The number of the group in the air. */
export const pairGroup = ({ group = DEFAULT_GROUP }: PairConfig): number => groupOf(group);

/** @param peerType device type of the other one. A `minCompatible` that is no version asks for none. */
export function pairSettings(
  { protocolVersion = 1, minCompatible = "" }: PairConfig,
  peerType: string,
): PairSettings {
  const least = parseVersion(minCompatible);
  return { peerType, protocolVersion, minCompatible: least ? versionNumber(least) : 0 };
}
