// Orders to devices: give them, to one or to many, withdraw them, and see what became of them. A route that orders many judges each.

import { type Static, type TObject, type TSchema, Type } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import {
  MAX_ORDER_SETTINGS,
  MAX_ORDER_SETTINGS_BYTES,
  OWNERS_SETTINGS,
  type PushedSettings,
} from "../../firmware/core/wire.js";
import { requireChange } from "../auth/require-change.js";
import { changeDevice, changeDevices, findDevice, giveOrder } from "../devices/changes.js";
import { withdrawOrder } from "../devices/orders.js";
import { type Journal, recordChange } from "../events/journal.js";
import { time, timeOrNull } from "../shared/iso-time.js";
import { Refusal } from "../shared/refusal.js";
import type { NewOrder, StoredOrder } from "../store/store.js";
import { aboutDevice } from "./check.js";
import type { Context } from "./context.js";
import { actorOf } from "./guard.js";
import { DeviceId, DeviceParams, Exactly, Id, Text } from "./schemas.js";

const READ = Object.freeze({ access: "read" as const });
const WRITE = Object.freeze({ access: "devices:write" as const });
const MAX_DEVICE_COUNT = 500;
const LIST_LENGTH = 50;

const kindOf = <const Kind extends string>(kinds: readonly Kind[]) =>
  Type.Unsafe<Kind>(Type.String({ enum: [...kinds], pattern: `^(${kinds.join("|")})$` }));
export const OrderSettings = Type.Optional(
  Type.Record(
    Type.String({ pattern: "^[A-Za-z][A-Za-z0-9]{0,31}$" }),
    Type.Union([
      Text(MAX_ORDER_SETTINGS_BYTES),
      Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
    ]),
    {
      additionalProperties: false,
      minProperties: 1,
      maxProperties: MAX_ORDER_SETTINGS,
      description:
        "of the kind settings: names and values as on the device's own pages; the device judges them",
    },
  ),
);
const OrderBody = Exactly({
  kind: kindOf(["identify", "restart", "settings"]),
  settings: OrderSettings,
});
/** To identify many devices at once tells nothing. */
const OrdersBody = Exactly({
  devices: Type.Array(DeviceId, { minItems: 1, maxItems: MAX_DEVICE_COUNT }),
  kind: kindOf(["restart", "settings"]),
  settings: OrderSettings,
});
const OrderParams = Type.Object({ id: DeviceId, order: Id });

type With<Params extends TObject, Body extends TSchema = TSchema> = {
  Params: Static<Params>;
  Body: Static<Body>;
};

export function deviceOrderRoutes(app: FastifyInstance, context: Context): void {
  const { store } = context;

  app.get<With<typeof DeviceParams>>(
    "/api/devices/:id/orders",
    { config: READ, schema: { summary: "Orders to a device, newest first", params: DeviceParams } },
    async ({ params }) => {
      await findDevice(store, params.id);
      return {
        device_id: params.id,
        orders: (await store.listOrders(params.id, LIST_LENGTH)).map(viewOrder),
      };
    },
  );

  app.post<With<typeof DeviceParams, typeof OrderBody>>(
    "/api/devices/:id/orders",
    {
      config: WRITE,
      schema: {
        summary: "Order a device to identify itself, to restart, or to change settings",
        params: DeviceParams,
        body: OrderBody,
      },
    },
    async (request, reply) => {
      const work = giveOrder(readOrder(request.body));
      const order = await changeDevice(context, actorOf(request), request.params.id, work);
      return reply.code(201).send(viewOrder(order));
    },
  );

  app.delete<With<typeof OrderParams>>(
    "/api/devices/:id/orders/:order",
    { config: WRITE, schema: { summary: "Withdraw an order that is pending", params: OrderParams } },
    async (request) => {
      const { id, order } = request.params;
      const actor = actorOf(request);
      const work = async (journal: Journal) => {
        requireChange(actor, { deviceType: (await findDevice(journal.store, id)).type });
        return withdrawOrder(journal, id, order);
      };
      return viewOrder(await recordChange(context, actor, work, { about: aboutDevice(id) }));
    },
  );

  // Each device is judged by itself: the answer says of each what became of it.
  app.post<{ Body: Static<typeof OrdersBody> }>(
    "/api/devices/orders",
    {
      config: WRITE,
      schema: { summary: "Order many devices to restart or to change settings", body: OrdersBody },
    },
    async (request) => {
      const { devices, ...body } = request.body;
      const outcomes = await changeDevices(context, actorOf(request), devices, giveOrder(readOrder(body)));
      const results = outcomes.map((one) =>
        "refusal" in one
          ? { device_id: one.deviceId, error: one.refusal.code, message: one.refusal.message }
          : viewOrder(one.result),
      );
      const failedCount = results.filter((result) => "error" in result).length;
      return { ordered: results.length - failedCount, failed: failedCount, devices: results };
    },
  );
}

type Ordered = Pick<NewOrder, "kind" | "settings">;

/** @throws Refusal SETTINGS_MISSING, SETTINGS_UNWANTED, SETTINGS_TOO_LONG, SETTING_IS_OWNERS */
export function readOrder({ kind, settings }: Static<typeof OrderBody>): Ordered {
  if (kind === "settings") return { kind, settings: readSettings(settings) };
  if (settings === undefined) return { kind, settings: null };
  throw new Refusal("SETTINGS_UNWANTED", `an order to ${kind} has no settings`);
}

/** What no device would take is refused here: its operator need not wait for that. */
function readSettings(settings: PushedSettings | undefined): PushedSettings {
  if (!settings) throw new Refusal("SETTINGS_MISSING", "settings is missing: say which are to be changed");
  const sizeBytes = Buffer.byteLength(JSON.stringify(settings));
  if (sizeBytes > MAX_ORDER_SETTINGS_BYTES)
    throw new Refusal(
      "SETTINGS_TOO_LONG",
      `the settings are ${sizeBytes} bytes of JSON, ${MAX_ORDER_SETTINGS_BYTES} are allowed`,
    );
  const owners = Object.keys(settings).find((name) => OWNERS_SETTINGS.includes(name));
  if (owners === undefined) return settings;
  throw new Refusal(
    "SETTING_IS_OWNERS",
    `${owners} is for who is at the device: it is changed on the device's own page only`,
  );
}

export const viewOrder = (order: StoredOrder) => ({
  id: order.id,
  device_id: order.deviceId,
  kind: order.kind,
  settings: order.settings,
  state: order.state,
  reason: order.reason,
  ordered_by: order.orderedBy,
  created_at: time(order.createdAt),
  expires_at: time(order.expiresAt),
  sent_at: timeOrNull(order.sentAt),
  ended_at: timeOrNull(order.endedAt),
});

export type OrderView = ReturnType<typeof viewOrder>;
