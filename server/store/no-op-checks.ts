// What the store remembers for checks that change nothing but when a device was seen. A check that went the whole way and proved to
// be such a one leaves a key at its device: of everything that mattered in the request. As long as nothing else has happened to the
// device or the fleet, whoever comes with the same key gets the same answer, whichever server is asked.
//
//   whole check ──putQuietKey──▶ key ──same key──▶ seeAgain          what forgets one key: putDevice, putIdentity, putLabels, addOrder
//                                 └──anything else──▶ whole check    what forgets all keys: firmware, rollouts, types, policies

import type { Readings } from "../../firmware/core/wire.js";

/** What a check that changes nothing else tells. */
export interface Sighting {
  readonly deviceId: string;
  readonly noOpKey: string;
  readonly seenAt: number;
  readonly freeHeap: number | null;
  readonly rssi: number | null;
  readonly uptimeSeconds: number | null;
  readonly readings: Readings | null;
}

export interface NoOpStore {
  /** In the transaction that proved it. It lasts until the device or the fleet changes. */
  putQuietKey(deviceId: string, noOpKey: string): Promise<void>;
}

export interface SightingStore {
  /**
   * Keeps the sightings of those devices whose key is still good, and says which they are; all others are left alone. Each device
   * once. Outside of transactions only.
   */
  seeAgain(sightings: readonly Sighting[]): Promise<ReadonlySet<string>>;
}
