// The same change for many devices: those listed, or all that match a filter. A request changes one part of them, ordered by id, and
// returns where the next part begins: the server keeps no state between requests, so any of several servers can answer each, and the
// client sees the progress and can stop. Each device is changed or refused separately.

import { type Static, Type } from "@sinclair/typebox";
import { sightOf } from "../auth/require-change.js";
import { changeDevices, type DeviceWork, decideIdentity, giveOrder, relabel } from "../devices/changes.js";
import type { Actor } from "../shared/actor.js";
import { BULK_KINDS, type BulkChange, type Selection } from "../shared/bulk-run.js";
import { defined } from "../shared/defined.js";
import { Refusal } from "../shared/refusal.js";
import type { DeviceFilter } from "../store/devices.js";
import { ok } from "./answers.js";
import type { Context } from "./context.js";
import { OrderSettings, readOrder } from "./device-order-routes.js";
import { DeviceFilterFields, DevicePatch } from "./device-schemas.js";
import { BulkAnswer, viewRefusal } from "./device-views.js";
import { actorOf } from "./guard.js";
import { takeOut } from "./removed-device-routes.js";
import { route } from "./route.js";
import { choice, DeviceId, Exactly } from "./schemas.js";
import type { Api } from "./typed-app.js";

/** Per request, which then takes seconds at most. */
const MAX_DEVICE_COUNT = 500;

const filter = Type.Optional(
  Type.Object(DeviceFilterFields, {
    additionalProperties: false,
    description: "Instead: all that GET /api/devices finds by it; {} is every device",
  }),
);
/** A page of the list, or a script's list; more are found by a filter. */
const MAX_LISTED_COUNT = 5000;
/** Which devices, of a request that is not carried out in parts. */
export const selectionFields = {
  filter,
  devices: Type.Optional(
    Type.Array(DeviceId, { minItems: 1, maxItems: MAX_LISTED_COUNT, description: "These devices" }),
  ),
};
/** @throws Refusal DEVICES_MISSING */
export function selectionOf({ devices, filter }: Pick<Bulk, "devices" | "filter">): Selection {
  if (devices && filter === undefined) return { ids: [...new Set(devices)] };
  if (!devices && filter !== undefined) return { filter };
  throw new Refusal("DEVICES_MISSING", "name the devices to change: either devices or filter");
}

/** Which devices, and what changes. */
export const bulkFields = {
  filter,
  kind: choice(BULK_KINDS),
  settings: OrderSettings,
  labels: Type.Optional(DevicePatch),
};
const BulkBody = Exactly({
  ...bulkFields,
  devices: Type.Optional(
    Type.Array(DeviceId, { minItems: 1, maxItems: MAX_DEVICE_COUNT, description: "These devices" }),
  ),
  after: Type.Optional(
    Type.Unsafe<string>({ ...DeviceId, description: "With a filter: `next` of the answer before" }),
  ),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: MAX_DEVICE_COUNT, description: `Of this part; ${MAX_DEVICE_COUNT}` }),
  ),
});
type Bulk = Static<typeof BulkBody>;

export function deviceBulkRoutes(app: Api, context: Context): void {
  app.post(
    "/api/devices/bulk",
    route(
      "devices:write",
      "Change many devices: those listed, or all that match a filter, in parts",
      ok(BulkAnswer),
      { body: BulkBody, bodyLimit: 128 * 1024 },
    ),
    async (request): Promise<BulkAnswer> => {
      const work = readWork(changeOf(request.body));
      const actor = actorOf(request);
      const { ids, next } = await selectDevices(request.body, actor, context);
      const outcomes = await changeDevices(context, actor, ids, work);
      const refused = outcomes.flatMap((one) => ("refusal" in one ? [one] : []));
      return {
        done: outcomes.length - refused.length,
        refused: refused.map(viewRefusal),
        next,
      };
    },
  );
}

/** What changes, of a request. */
export const changeOf = ({
  kind,
  settings,
  labels,
}: Pick<Bulk, "kind" | "settings" | "labels">): BulkChange => ({
  kind,
  ...defined({ settings, labels }),
});

/** The filter of a query in the store's terms. */
export const filterOf = (
  { status, vouched, root, ...rest }: NonNullable<Bulk["filter"]>,
  { settings, now }: Context,
): DeviceFilter => ({
  ...rest,
  ...(root === "behind" ? { isRootBehind: true } : {}),
  ...(root === "frozen" ? { isFrozen: true } : {}),
  ...defined({ isVouched: vouched && vouched === "yes" }),
  ...defined({ status: status && { is: status, now: now(), usualMs: settings.onlineMs } }),
});

/** @throws Refusal DEVICES_MISSING */
export async function selectDevices(
  { devices, filter, after, limit = MAX_DEVICE_COUNT }: Pick<Bulk, "devices" | "filter" | "after" | "limit">,
  actor: Actor,
  context: Context,
) {
  if ((devices === undefined) === (filter === undefined))
    throw new Refusal("DEVICES_MISSING", "name the devices to change: either devices or filter");
  if (devices !== undefined || filter === undefined) return { ids: devices ?? [], next: null };
  const seen = { ...filterOf(filter, context), ...sightOf(actor) };
  const ids = await context.store.listDeviceIds(seen, after, limit);
  return { ids, next: ids.length < limit ? null : (ids.at(-1) ?? null) };
}

/** @throws Refusal LABELS_MISSING, and as readOrder */
export function readWork({ kind, settings, labels }: BulkChange): DeviceWork<unknown> {
  if (kind === "restart" || kind === "settings")
    return giveOrder(readOrder({ kind, ...(settings ? { settings } : {}) }));
  if (kind === "remove" || kind === "erase") return takeOut(kind === "remove" ? "keep" : "erase");
  if (kind !== "labels") return decideIdentity(kind);
  if (labels === undefined || Object.keys(labels).length === 0)
    throw new Refusal("LABELS_MISSING", "labels is missing: give tags, group or pin");
  return relabel(labels);
}
