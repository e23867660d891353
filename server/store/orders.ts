// What the store remembers of orders to devices, see devices/orders.ts. An order is pending until the device reports its result, an
// operator withdraws it, or it expires.

import type { OrderKind, PushedSettings } from "../../firmware/core/wire.js";

type OrderState = "pending" | "done" | "refused" | "withdrawn" | "expired";

export interface StoredOrder {
  readonly deviceId: string;
  /** Of one device they rise, also after a database is recreated: the seconds since 1970 at least. */
  readonly id: number;
  readonly kind: OrderKind;
  /** Of `settings` only. */
  readonly settings: PushedSettings | null;
  readonly state: OrderState;
  /** Why it was refused, in the device's words. */
  readonly reason: string | null;
  readonly orderedBy: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** When an answer to the device brought it first. */
  readonly sentAt: number | null;
  readonly endedAt: number | null;
}

export type NewOrder = Pick<
  StoredOrder,
  "deviceId" | "kind" | "settings" | "orderedBy" | "createdAt" | "expiresAt"
>;

export interface OrderStore {
  /** Pending. The device's next check takes the full path. */
  addOrder(order: NewOrder): Promise<StoredOrder>;
  findOrder(deviceId: string, id: number): Promise<StoredOrder | undefined>;
  changeOrder(
    deviceId: string,
    id: number,
    changes: Partial<Pick<StoredOrder, "state" | "reason" | "sentAt" | "endedAt">>,
  ): Promise<StoredOrder | undefined>;
  /** The oldest first. */
  listPendingOrders(deviceId: string): Promise<readonly StoredOrder[]>;
  /** Of one device, the newest first. */
  listOrders(deviceId: string, limit: number): Promise<readonly StoredOrder[]>;
  /** Of any device: pending, and their time is over. */
  listOverdueOrders(time: number, limit: number): Promise<readonly StoredOrder[]>;
  /** Removes those that ended before. Returns how many: 0 is the end. */
  pruneOrders(bounds: { readonly before: number; readonly limit: number }): Promise<number>;
}
