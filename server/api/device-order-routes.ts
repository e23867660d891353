// Orders to devices: create, for one or many, withdraw and list them.

import { type Static, Type } from "@sinclair/typebox";
import {
  MAX_ORDER_SETTINGS,
  MAX_ORDER_SETTINGS_BYTES,
  OWNERS_SETTINGS,
  type PushedSettings,
} from "../../firmware/core/wire.js";
import { requireChange } from "../auth/require-change.js";
import { changeDevice, changeDevices, findDevice, findSeenDevice, giveOrder } from "../devices/changes.js";
import { withdrawOrder } from "../devices/orders.js";
import { type Journal, recordChange } from "../events/journal.js";
import { Refusal } from "../shared/refusal.js";
import type { NewOrder } from "../store/store.js";
import { created, ok, resultsOf } from "./answers.js";
import type { Context } from "./context.js";
import { aboutDevice } from "./device-check.js";
import { OrderView, viewOrder, viewOutcomes } from "./device-views.js";
import { integer, list, text } from "./fields.js";
import { actorOf } from "./guard.js";
import { route } from "./route.js";
import { choice, DeviceId, DeviceParams, Exactly, Id, Text } from "./schemas.js";
import type { Api } from "./typed-app.js";

const MAX_DEVICE_COUNT = 500;
const LIST_LENGTH = 50;

export const OrderSettings = Type.Optional(
  Type.Record(
    Type.String({ pattern: "^[A-Za-z][A-Za-z0-9]{0,31}$" }),
    Type.Union([
      Text(MAX_ORDER_SETTINGS_BYTES),
      Type.Number({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
      Type.Boolean(),
    ]),
    {
      additionalProperties: false,
      minProperties: 1,
      maxProperties: MAX_ORDER_SETTINGS,
      description: "for settings: names and values as on the device's own pages; the device validates them",
    },
  ),
);
const OrderBody = Exactly({
  kind: choice(["identify", "restart", "settings"]),
  settings: OrderSettings,
});
/** Without identify, which is pointless for many devices at once. */
const OrdersBody = Exactly({
  devices: Type.Array(DeviceId, { minItems: 1, maxItems: MAX_DEVICE_COUNT }),
  kind: choice(["restart", "settings"]),
  settings: OrderSettings,
});
const OrderParams = Type.Object({ id: DeviceId, order: Id });

export function deviceOrderRoutes(app: Api, context: Context): void {
  const { store } = context;

  app.get(
    "/api/devices/:id/orders",
    route(
      "read",
      "List the orders of a device, newest first",
      ok(Type.Object({ device_id: text(), orders: list(OrderView) })),
      { params: DeviceParams },
    ),
    async (request) => {
      const { id } = await findSeenDevice(store, actorOf(request), request.params.id);
      return { device_id: id, orders: (await store.listOrders(id, LIST_LENGTH)).map(viewOrder) };
    },
  );

  app.post(
    "/api/devices/:id/orders",
    route(
      "devices:write",
      "Order a device to identify itself, to restart, or to change settings",
      created(OrderView),
      { params: DeviceParams, body: OrderBody },
    ),
    async (request, reply) => {
      const work = giveOrder(readOrder(request.body));
      const order = await changeDevice(context, actorOf(request), request.params.id, work);
      return reply.code(201).send(viewOrder(order));
    },
  );

  app.delete(
    "/api/devices/:id/orders/:order",
    route("devices:write", "Withdraw a pending order", ok(OrderView), { params: OrderParams }),
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

  // Each device gets its order or is refused separately: the answer has an entry for each.
  app.post(
    "/api/devices/orders",
    route(
      "devices:write",
      "Order many devices to restart or to change settings",
      ok(
        Type.Object({
          ordered: integer("Devices"),
          failed: integer("Devices"),
          devices: resultsOf(OrderView),
        }),
      ),
      { body: OrdersBody },
    ),
    async (request) => {
      const { devices, ...body } = request.body;
      const outcomes = await changeDevices(context, actorOf(request), devices, giveOrder(readOrder(body)));
      const results = viewOutcomes(outcomes, viewOrder);
      return { ordered: results.doneCount, failed: results.refusedCount, devices: results.views };
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

/** Refuses settings that no device would accept, without waiting for the device. */
function readSettings(settings: PushedSettings | undefined): PushedSettings {
  if (!settings) throw new Refusal("SETTINGS_MISSING", "settings is missing: name the settings to change");
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
    `${owners} is reserved for the owner: it can be changed on the device's own page only`,
  );
}
