// What the store keeps for no-op checks, those that change nothing but when a device was last seen. A check that took the full path
// and proved to be a no-op leaves a key at its device: a digest of everything that mattered in the request. Until something else
// happens to the device or the fleet, a check with the same key has the same answer, on every server of this store.
//
//   full path ──putDevice──▶ key ──same key──▶ updateLastSeen        deletes one key: putDevice, putIdentity, putLabels, addOrder
//                             └──anything else──▶ full path          deletes all keys: firmware, rollouts, types, policies, webhooks

import type { Readings } from "../../firmware/core/wire.js";

/** What a no-op check stores. */
export interface LastSeenUpdate {
  readonly deviceId: string;
  /** Stored only if the device still has this key. */
  readonly noOpKey: string;
  /** Milliseconds since 1970. */
  readonly seenAt: number;
  readonly freeHeap: number | null;
  readonly rssi: number | null;
  readonly uptimeSeconds: number | null;
  readonly readings: Readings | null;
}

export interface LastSeenStore {
  /** Stores the updates whose key is still good and returns their devices. Each device once; outside of transactions only. */
  updateLastSeen(updates: readonly LastSeenUpdate[]): Promise<ReadonlySet<string>>;
}
