// For panels: `GET /api/content/{device_id}` returns the picture that is assigned to a device, under the access rules of its type's images
// (image-access.ts). Every answer has a length, 304 too: otherwise the HTTP client on the device waits for the end of the connection.

import { CONTENT_PATH } from "../../firmware/core/wire.js";
import { notePanel } from "../content/panel.js";
import { Refusal } from "../shared/refusal.js";
import { sent, UNCHANGED } from "./answers.js";
import { PICTURE_TYPE } from "./content-views.js";
import type { Context } from "./context.js";
import { boundDevice } from "./device-rate.js";
import { hasIt } from "./http/conditions.js";
import { requireAccess } from "./image-access.js";
import { route } from "./route.js";
import { DeviceParams } from "./schemas.js";
import type { Api } from "./typed-app.js";

export function contentRoutes(app: Api, context: Context): void {
  const { store, content } = context;

  app.route({
    method: ["GET", "HEAD"],
    url: `${CONTENT_PATH}:id`,
    ...route(
      "device",
      "The picture of a panel, as binary PBM",
      { ...sent(PICTURE_TYPE, "The picture as binary PBM (P4)"), ...UNCHANGED },
      { params: DeviceParams },
    ),
    async handler(request, reply) {
      const { method, headers } = request;
      const { id } = request.params;
      await boundDevice(context, request, id);
      // A device that was only given a token by hand has an identity and no record.
      const device = await store.findDevice(id);
      const type = device?.type ?? (await store.findIdentity(id))?.deviceType;
      const audience = await requireAccess(request, context, { deviceType: type, deviceId: id });
      const found = await content.find({ id, type });
      const isUnchanged = found !== undefined && hasIt(headers["if-none-match"], found.etag);
      if (device && method === "GET") await notePanel(context, id, found?.etag ?? null, isUnchanged);
      if (!found) throw new Refusal("CONTENT_NONE", `no picture is assigned to device ${id}`);
      reply
        .header("etag", found.etag)
        .header("cache-control", audience === "everybody" ? "no-cache" : "private, no-cache");
      if (isUnchanged) return reply.code(304).header("content-length", 0).send();
      reply.type(PICTURE_TYPE).header("content-length", found.pbm.length);
      return method === "HEAD" ? reply.send() : reply.send(Buffer.from(found.pbm));
    },
  });
}
