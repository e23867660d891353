// Devices are taken out of the fleet, and what is kept of them is shown.

import { Type } from "@sinclair/typebox";
import { requireChange, requireSight, sightOf } from "../auth/require-change.js";
import { changeDevice, type DeviceWork } from "../devices/changes.js";
import { defined } from "../shared/defined.js";
import { Refusal } from "../shared/refusal.js";
import { findRemovable, type History, removeDevice } from "../updates/remove-device.js";
import { listOf, ok, page } from "./answers.js";
import type { Context } from "./context.js";
import { RemovedDeviceDetail, RemovedDeviceView, viewRemovedDevice } from "./device-views.js";
import { oneOf, text } from "./fields.js";
import { actorOf } from "./guard.js";
import { viewUpdate } from "./release-views.js";
import { route } from "./route.js";
import { choice, DeviceParams, Page } from "./schemas.js";
import type { Api } from "./typed-app.js";

const ATTEMPT_COUNT = 20;
const HISTORIES = ["keep", "erase"] as const;

const RemovalQuery = Type.Object({
  history: Type.Optional(
    choice(
      HISTORIES,
      "keep: attempts and timeline stay, the default. erase: only the audit log's line stays",
    ),
  ),
});
const RemovedQuery = Type.Object({
  search: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: "Part of the id" })),
  ...Page,
});

/** @throws Refusal DEVICE_UNKNOWN, FORBIDDEN */
export const takeOut =
  (history: History): DeviceWork<History> =>
  async (journal, id, actor) => {
    requireChange(actor, await findRemovable(journal, id));
    await removeDevice(journal, id, history);
    return history;
  };

export function removedDeviceRoutes(app: Api, context: Context): void {
  const { store } = context;

  app.delete(
    "/api/devices/:id",
    route(
      "devices:write",
      "Remove a device from the fleet, or erase what is kept of a removed one; it registers like a new one if it checks again",
      ok(Type.Object({ device_id: text(), history: oneOf(HISTORIES) })),
      { params: DeviceParams, querystring: RemovalQuery },
    ),
    async (request) => {
      const { id } = request.params;
      const { history = "keep" } = request.query;
      return {
        device_id: id,
        history: await changeDevice(context, actorOf(request), id, takeOut(history)),
      };
    },
  );

  app.get(
    "/api/removed-devices",
    route("read", "List devices that were removed, newest first", ok(listOf("devices", RemovedDeviceView)), {
      querystring: RemovedQuery,
    }),
    async (request) => {
      const { query } = request;
      const filter = { ...defined({ search: query.search }), ...sightOf(actorOf(request)) };
      return page("devices", await store.listRemovedDevices(filter, query), viewRemovedDevice, query);
    },
  );

  app.get(
    "/api/removed-devices/:id",
    route("read", "Show what is kept of a removed device", ok(RemovedDeviceDetail), { params: DeviceParams }),
    async (request) => {
      const { id } = request.params;
      const removed = await store.findRemovedDevice(id);
      if (!removed) throw new Refusal("DEVICE_UNKNOWN", `no device ${id} was removed here`);
      requireSight(actorOf(request), removed);
      const attempts = await store.listUpdates({ deviceId: id }, { limit: ATTEMPT_COUNT, offset: 0 });
      return { ...viewRemovedDevice(removed), attempts: attempts.rows.map(viewUpdate) };
    },
  );
}
