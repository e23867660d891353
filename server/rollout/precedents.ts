// What a person should know before a plan becomes a rollout: how the same release fared before, and which other rollouts are for the same
// devices. As sentences beside the numbers of a plan; they change nothing.

import { countDevices, nameRelease, type Rollout, type RolloutDevice } from "../shared/rollout.js";
import { words } from "../shared/words.js";
import type { Store } from "../store/store.js";
import { missesTarget, stageOf } from "./target.js";

/** Rollouts that are named, the newest ones. */
const NAMED_COUNT = 5;

type Reader = Pick<Store, "listRollouts" | "listRolledBack" | "findFirmware">;

/** Rollouts of other releases that offer theirs, or are about to. */
const GOING: readonly Rollout["state"][] = Object.freeze(["running", "paused", "scheduled"]);

/** How the release of a plan fared before. @param rollout the plan; its own rollout is no precedent */
export async function notePrecedents(store: Reader, rollout: Rollout): Promise<readonly string[]> {
  const { firmwareId } = rollout;
  const { rows } = await store.listRollouts({ firmwareId }, { limit: 50, offset: 0 });
  const failed = rows
    .filter(({ id, state }) => id !== rollout.id && (state === "paused" || state === "cancelled"))
    .slice(0, NAMED_COUNT);
  const rolledBackCount = (await store.listRolledBack(firmwareId, 1)).length;
  return [
    ...failed.map(
      ({ id, name, state, reason }) =>
        `Rollout ${id} "${name}" of the same release ${state === "paused" ? "is paused" : "was cancelled"}: ${reason}.`,
    ),
    ...(rolledBackCount > 0
      ? [`${countDevices(rolledBackCount)} ${rolledBackCount === 1 ? "has" : "have"} rolled back from it.`]
      : []),
  ];
}

/** Counts the devices of a plan that other rollouts are for, too. */
export class Overlaps {
  readonly #others: readonly { readonly rollout: Rollout; count: number }[];

  /** @param rollouts all of the device type */
  constructor(rollout: Rollout, rollouts: readonly Rollout[]) {
    this.#others = rollouts
      .filter(({ id, firmwareId }) => id !== rollout.id && firmwareId !== rollout.firmwareId)
      .filter(({ state }) => GOING.includes(state))
      .map((other) => ({ rollout: other, count: 0 }));
  }

  /** One that the plan would update. */
  add(device: RolloutDevice): void {
    for (const other of this.#others) {
      const { rollout } = other;
      if (missesTarget(rollout.target, device) === undefined && stageOf(rollout, device) !== undefined)
        other.count++;
    }
  }

  async notes(store: Reader): Promise<readonly string[]> {
    const overlapping = this.#others
      .filter(({ count }) => count > 0)
      .toSorted((a, b) => b.rollout.id - a.rollout.id)
      .slice(0, NAMED_COUNT);
    return Promise.all(
      overlapping.map(async ({ rollout: { id, name, state, firmwareId, priority }, count }) => {
        const firmware = await store.findFirmware(firmwareId);
        return `Rollout ${id} "${name}"${firmware ? ` of ${nameRelease(firmware)}` : ""} is ${words(state)} and is for ${count} of these devices, with priority ${priority}.`;
      }),
    );
  }
}
