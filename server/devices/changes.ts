import { requireChange, requireSight } from "../auth/require-change.js";

import { type Journal, type Recorder, recordChange } from "../events/journal.js";
import type { Actor } from "../shared/actor.js";
import { Refusal } from "../shared/refusal.js";
import type { DeviceLabels, LabelChanges } from "../shared/rollout.js";
import type { Device, DeviceIdentity, NewOrder, Store, StoredOrder } from "../store/store.js";
import { changeIdentity, type IdentityAction } from "./identity-changes.js";
import { changeLabels } from "./labels.js";
import { orderDevice } from "./orders.js";

/** Changes one device within a transaction. @throws Refusal why it is left as it is */
export type DeviceWork<Result> = (journal: Journal, deviceId: string, actor: Actor) => Promise<Result>;

export type Outcome<Result> =
  | { readonly deviceId: string; readonly result: Result }
  | { readonly deviceId: string; readonly refusal: Refusal };

export const changeDevice = <Result>(
  recorder: Recorder,
  actor: Actor,
  deviceId: string,
  work: DeviceWork<Result>,
): Promise<Result> =>
  recordChange(recorder, actor, (journal) => work(journal, deviceId, actor), { about: `device:${deviceId}` });

/** Each of them once, in their order, in a transaction of its own: what one waits for keeps none of the others. */
export async function changeDevices<Result>(
  recorder: Recorder,
  actor: Actor,
  deviceIds: readonly string[],
  work: DeviceWork<Result>,
): Promise<readonly Outcome<Result>[]> {
  const outcomes: Outcome<Result>[] = [];
  for (const deviceId of new Set(deviceIds))
    outcomes.push(await outcomeOf(deviceId, changeDevice(recorder, actor, deviceId, work)));
  return outcomes;
}

/**
 * The same in one transaction, for so many devices that a transaction for each would take too long.
 * @param work refuses before it writes anything
 */
export async function changeTogether<Result>(
  recorder: Recorder,
  actor: Actor,
  deviceIds: readonly string[],
  work: DeviceWork<Result>,
): Promise<readonly Outcome<Result>[]> {
  let outcomes: Outcome<Result>[] = [];
  const all = async (journal: Journal) => {
    outcomes = [];
    for (const deviceId of new Set(deviceIds))
      outcomes.push(await outcomeOf(deviceId, work(journal, deviceId, actor)));
    // There is nothing to be kept, nor to be written to the audit log.
    if (outcomes.every((one) => "refusal" in one)) throw new AllRefused();
  };
  await recordChange(recorder, actor, all).catch((error: unknown) => {
    if (!(error instanceof AllRefused)) throw error;
  });
  return outcomes;
}

class AllRefused extends Error {}

const outcomeOf = <Result>(deviceId: string, change: Promise<Result>): Promise<Outcome<Result>> =>
  change.then(
    (result) => ({ deviceId, result }),
    (error: unknown) => {
      if (!(error instanceof Refusal)) throw error;
      return { deviceId, refusal: error };
    },
  );

/** @throws Refusal DEVICE_UNKNOWN */
export async function findDevice(store: Pick<Store, "findDevice">, id: string): Promise<Device> {
  const device = await store.findDevice(id);
  if (!device) throw new Refusal("DEVICE_UNKNOWN", `device ${id} has never checked for updates here`);
  return device;
}

/** The same, if an actor may see it. @throws Refusal DEVICE_UNKNOWN, FORBIDDEN */
export async function findSeenDevice(
  store: Pick<Store, "findDevice">,
  actor: Actor,
  id: string,
): Promise<Device> {
  const device = await findDevice(store, id);
  requireSight(actor, { deviceType: device.type });
  return device;
}

/** @throws Refusal DEVICE_UNKNOWN, FORBIDDEN, and as orderDevice */
export const giveOrder =
  (order: Pick<NewOrder, "kind" | "settings">): DeviceWork<StoredOrder> =>
  async (journal, id, actor) => {
    const device = await findDevice(journal.store, id);
    requireChange(actor, { deviceType: device.type });
    return orderDevice(journal, device, order);
  };

/** @throws Refusal DEVICE_UNKNOWN, FORBIDDEN, PIN_INVALID, TOO_MANY_TAGS */
export const relabel =
  (changes: LabelChanges): DeviceWork<DeviceLabels> =>
  async (journal, id, actor) => {
    const device = await findDevice(journal.store, id);
    requireChange(actor, { deviceType: device.type });
    const before = await journal.store.findLabels(id);
    const after = await changeLabels(journal, device, changes, actor.name);
    await journal.audit({ action: "device.labelled", subject: `device/${id}`, before, after });
    return after;
  };

/** @throws Refusal DEVICE_UNKNOWN, FORBIDDEN */
export const decideIdentity =
  (action: IdentityAction): DeviceWork<DeviceIdentity> =>
  async (journal, id, actor) => {
    const identity = await journal.store.findIdentity(id);
    if (!identity)
      throw new Refusal("DEVICE_UNKNOWN", `device ${id} was never registered: there is nothing to change`);
    requireChange(actor, identity);
    return changeIdentity(journal, identity, action, actor.person);
  };
