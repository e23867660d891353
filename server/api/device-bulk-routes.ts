// The same change for many devices: those that are named, or all that a filter finds, however many. A request takes a part of them, by
// id, and tells where the next part begins: nothing is remembered between two requests, so any of several servers can answer each,
// and whoever asks sees how far it is, and can stop. Each device is judged by itself.

import { type Static, Type } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import { changeDevices, type DeviceWork, decideIdentity, giveOrder, relabel } from "../devices/changes.js";
import { BULK_KINDS, type BulkAnswer, type BulkRequest } from "../shared/bulk-run.js";
import { Refusal } from "../shared/refusal.js";
import type { Context } from "./context.js";
import { OrderSettings, readOrder } from "./device-order-routes.js";
import { actorOf } from "./guard.js";
import { DevicePatch } from "./rollout-schemas.js";
import { DeviceFilterFields, DeviceId, Exactly } from "./schemas.js";

/** Of one request: it takes seconds at most. */
const MAX_DEVICE_COUNT = 500;

const BulkBody = Exactly({
  devices: Type.Optional(
    Type.Array(DeviceId, { minItems: 1, maxItems: MAX_DEVICE_COUNT, description: "These devices" }),
  ),
  filter: Type.Optional(
    Type.Object(DeviceFilterFields, {
      additionalProperties: false,
      description: "Instead: all that GET /api/devices finds by it; {} is every device",
    }),
  ),
  after: Type.Optional(
    Type.Unsafe<string>({ ...DeviceId, description: "With a filter: `next` of the answer before" }),
  ),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: MAX_DEVICE_COUNT, description: `Of this part; ${MAX_DEVICE_COUNT}` }),
  ),
  kind: Type.Unsafe<BulkRequest["kind"]>(
    Type.String({ enum: [...BULK_KINDS], pattern: `^(${BULK_KINDS.join("|")})$` }),
  ),
  settings: OrderSettings,
  labels: Type.Optional(DevicePatch),
});
type Bulk = Static<typeof BulkBody>;

export function deviceBulkRoutes(app: FastifyInstance, context: Context): void {
  app.post<{ Body: Bulk }>(
    "/api/devices/bulk",
    {
      config: { access: "devices:write" as const },
      bodyLimit: 128 * 1024,
      schema: {
        summary: "Change many devices: those named, or all that a filter finds, part by part",
        body: BulkBody,
      },
    },
    async (request): Promise<BulkAnswer> => {
      const work = readWork(request.body);
      const { ids, next } = await selectDevices(request.body, context);
      const outcomes = await changeDevices(context, actorOf(request), ids, work);
      const refused = outcomes.flatMap((one) => ("refusal" in one ? [one] : []));
      return {
        done: outcomes.length - refused.length,
        refused: refused.map(({ deviceId, refusal: { code, message } }) => ({
          device_id: deviceId,
          error: code,
          message,
        })),
        next,
      };
    },
  );
}

/** @throws Refusal DEVICES_MISSING */
async function selectDevices(
  { devices, filter, after, limit = MAX_DEVICE_COUNT }: BulkRequest,
  { store, settings, now }: Context,
) {
  if ((devices === undefined) === (filter === undefined))
    throw new Refusal("DEVICES_MISSING", "say either devices or filter: which are to be changed");
  if (devices !== undefined || filter === undefined) return { ids: devices ?? [], next: null };
  const { status, ...rest } = filter;
  const terms = { now: now(), usualMs: settings.onlineMs };
  const found = { ...rest, ...(status === undefined ? {} : { status: { is: status, ...terms } }) };
  const ids = await store.listDeviceIds(found, after, limit);
  return { ids, next: ids.length < limit ? null : (ids.at(-1) ?? null) };
}

/** @throws Refusal LABELS_MISSING, and as readOrder */
function readWork({ kind, settings, labels }: BulkRequest): DeviceWork<unknown> {
  if (kind === "restart" || kind === "settings")
    return giveOrder(readOrder({ kind, ...(settings ? { settings } : {}) }));
  if (kind !== "labels") return decideIdentity(kind);
  if (labels === undefined || Object.keys(labels).length === 0)
    throw new Refusal("LABELS_MISSING", "labels is missing: say which tags, group or pin");
  return relabel(labels);
}
