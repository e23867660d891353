// Which firmware is the newest of its type, for those who ask by name.

import { newestFirst } from "../rollout/order.js";
import { isForAll } from "../rollout/rollout-obstacle.js";
import type { Firmware, Store } from "../store/store.js";

/** Stable and active firmware of a type that no rollout keeps for some, the newest first. */
export async function newestOf(store: Store, type: string): Promise<readonly Firmware[]> {
  const rollouts = await store.governingRollouts(type);
  return (await store.offeredFirmware(type))
    .filter((firmware) => isForAll(firmware, rollouts))
    .sort(newestFirst);
}
