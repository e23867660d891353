// Orders to a device: identify, restart, change settings. A device polls, it is never called: an order waits for the device's next
// check, and is sent with every answer until the device reports its result (wire.ts).
//
//   pending ──sent with answers──▶ done, refused     as the device reports, even after the order was withdrawn or has expired
//      ├────── withdrawn ──▶ withdrawn
//      └────── a day later ▶ expired
//
// Orders are sent only to a device that proves itself by its token, and only its reports count.

import {
  type CheckRequest,
  MAX_ANSWER_FRAME_BYTES,
  MAX_CHECK_RESPONSE_BYTES,
  MAX_ORDER_COUNT,
  type Order,
  type OrderResult,
} from "../../firmware/core/wire.js";
import { type Journal, type Recorder, record } from "../events/journal.js";
import { Refusal } from "../shared/refusal.js";
import type { Device, DeviceTraces, NewOrder, StoredOrder } from "../store/store.js";
import { requireAble } from "./abilities.js";

/** An order that a device has not answered by then has expired. */
const ORDER_LIFE_MS = 24 * 60 * 60_000;

/** @throws Refusal DEVICE_IS_LEGACY, DEVICE_NOT_APPROVED, DEVICE_HAS_NO_TOKEN, ORDER_PENDING, TOO_MANY_ORDERS, and as requireAble */
export async function orderDevice(
  journal: Journal,
  device: Device,
  order: Pick<NewOrder, "kind" | "settings">,
): Promise<StoredOrder> {
  const { store, time, actor } = journal;
  await requireOrderly(journal, device);
  requireAble(device.id, order, await store.findAbilities(device.id));
  const pending = await store.listPendingOrders(device.id);
  const same = pending.find(({ kind }) => kind === order.kind && kind !== "settings");
  if (same)
    throw new Refusal("ORDER_PENDING", `${device.id} is ordered to ${same.kind} already (order ${same.id})`);
  if (pending.length >= MAX_ORDER_COUNT)
    throw new Refusal(
      "TOO_MANY_ORDERS",
      `${pending.length} orders wait for ${device.id}, that is the limit: wait for its next check, or withdraw one`,
    );
  const added = await store.addOrder({
    ...order,
    deviceId: device.id,
    orderedBy: actor?.name ?? "",
    createdAt: time,
    expiresAt: time + ORDER_LIFE_MS,
  });
  await journal.audit({
    action: "device.ordered",
    subject: `device/${device.id}`,
    after: describeOrder(added),
  });
  await tell(journal, added, "given", `${added.orderedBy} orders ${device.id} to ${nameOrder(added)}`);
  return added;
}

/** @throws Refusal ORDER_UNKNOWN, ORDER_ENDED */
export async function withdrawOrder(journal: Journal, deviceId: string, id: number): Promise<StoredOrder> {
  const { store, actor } = journal;
  const order = await store.findOrder(deviceId, id);
  if (!order) throw new Refusal("ORDER_UNKNOWN", `${deviceId} was never given an order ${id}`);
  if (order.state !== "pending")
    throw new Refusal("ORDER_ENDED", `order ${id} of ${deviceId} is ${order.state} already`);
  const after = await end(journal, order, "withdrawn");
  await journal.audit({
    action: "device.order-withdrawn",
    subject: `device/${deviceId}`,
    before: describeOrder(order),
    after: describeOrder(after),
  });
  const late = order.sentAt === null ? "" : "; it was sent to the device, which may carry it out";
  await tell(journal, after, "withdrawn", `${actor?.name} withdraws the order to ${nameOrder(order)}${late}`);
  return after;
}

/**
 * A check of a device that has proved itself: takes the results of its orders and returns the orders to send, oldest first; what does not
 * fit into `roomBytes` beside an offer waits for the next check.
 */
export async function exchangeOrders(
  journal: Journal,
  check: CheckRequest,
  { hasPendingOrder }: Pick<DeviceTraces, "hasPendingOrder">,
  roomBytes: number,
): Promise<readonly Order[]> {
  const { store, time } = journal;
  for (const result of check.order_results ?? []) await takeResult(journal, check.device_id, result);
  if (!hasPendingOrder) return [];
  const pending = await store.listPendingOrders(check.device_id);
  const due = pending.filter(({ expiresAt }) => time < expiresAt).slice(0, MAX_ORDER_COUNT);
  const orders: Order[] = [];
  let leftBytes = roomBytes;
  for (const { deviceId, id, kind, settings, sentAt } of due) {
    const order: Order = { id, kind, ...(settings === null ? {} : { settings }) };
    leftBytes -= Buffer.byteLength(JSON.stringify(order)) + 1;
    if (leftBytes < 0) break;
    if (sentAt === null) await store.changeOrder(deviceId, id, { sentAt: time });
    orders.push(order);
  }
  return orders;
}

/** Bytes that the orders of an answer may take beside the manifest that it offers. */
export const roomForOrders = (manifest: string | null | undefined): number =>
  MAX_CHECK_RESPONSE_BYTES - MAX_ANSWER_FRAME_BYTES - (manifest?.length ?? 0);

/** A repeated result, or one of an unknown order, changes nothing. */
async function takeResult(
  journal: Journal,
  deviceId: string,
  { id, result, reason }: OrderResult,
): Promise<void> {
  const order = await journal.store.findOrder(deviceId, id);
  if (!order || order.state === "done" || order.state === "refused") return;
  const after = await end(journal, order, result, reason ?? null);
  const message =
    result === "done"
      ? `${deviceId} has carried out the order to ${nameOrder(order)}`
      : `${deviceId} refuses the order to ${nameOrder(order)}: ${reason ?? "it gives no reason"}`;
  const late = order.state === "pending" ? "" : `, which was ${order.state}`;
  await tell(journal, after, result, `${message}${late}`);
}

/** Orders expired in one tick: none waits behind a flood of them. */
const EXPIRED_AT_ONCE_COUNT = 200;

/** What only time brings; a running server calls it every few seconds. */
export async function expireOrders(recorder: Recorder): Promise<void> {
  const overdue = await recorder.store.listOverdueOrders(Math.round(recorder.now()), EXPIRED_AT_ONCE_COUNT);
  for (const { deviceId, id } of overdue)
    await record(recorder, (journal) => expire(journal, deviceId, id), { about: `device:${deviceId}` });
}

async function expire(journal: Journal, deviceId: string, id: number): Promise<void> {
  const order = await journal.store.findOrder(deviceId, id);
  if (order?.state !== "pending") return;
  const after = await end(journal, order, "expired");
  const why =
    order.sentAt === null
      ? "the device has not asked since"
      : "it was sent and never answered: the device's firmware may know no orders";
  await tell(journal, after, "expired", `the order to ${nameOrder(order)} has expired: ${why}`);
}

async function end(
  { store, time }: Journal,
  { deviceId, id }: StoredOrder,
  state: StoredOrder["state"],
  reason: string | null = null,
): Promise<StoredOrder> {
  const ended = await store.changeOrder(deviceId, id, { state, reason, endedAt: time });
  if (!ended) throw new Error(`order ${id} of ${deviceId} is gone`);
  return ended;
}

const tell = (journal: Journal, order: StoredOrder, what: string, message: string): Promise<void> =>
  journal.log({
    kind: `order.${what}`,
    deviceId: order.deviceId,
    message,
    detail: {
      order_id: order.id,
      order: order.kind,
      ...(order.reason === null ? {} : { reason: order.reason }),
    },
  });

/** @throws Refusal DEVICE_IS_LEGACY, DEVICE_NOT_APPROVED, DEVICE_HAS_NO_TOKEN */
async function requireOrderly({ store }: Journal, { id, type }: Device): Promise<void> {
  if ((await store.findType(type))?.kind === "legacy")
    throw new Refusal(
      "DEVICE_IS_LEGACY",
      `devices of type ${type} are served as clients of other systems, and these know no orders`,
    );
  const identity = await store.findIdentity(id);
  if (identity && identity.state !== "approved")
    throw new Refusal("DEVICE_NOT_APPROVED", `device ${id} is ${identity.state}: approve it first`);
  if (!identity?.tokenHash)
    throw new Refusal(
      "DEVICE_HAS_NO_TOKEN",
      `device ${id} has shown no token of its own: any client could fetch its orders, and answer for it`,
    );
}

/** What is to be done, for a person. */
function nameOrder({ kind, settings }: Pick<StoredOrder, "kind" | "settings">): string {
  if (kind !== "settings") return kind === "identify" ? "show which one it is" : "restart";
  return `set ${Object.entries(settings ?? {})
    .map(([name, value]) => `${name} to ${value}`)
    .join(", ")}`;
}

const describeOrder = ({ id, kind, settings, state }: StoredOrder) => ({ order: id, kind, settings, state });
