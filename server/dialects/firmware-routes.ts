// Images by the names of their device type and version, for people and for clients that know no check.
//
//   GET /firmware/{device}/{version}      such as /firmware/receiver/1.2.0 or /firmware/receiver/latest

import { Type } from "@sinclair/typebox";
import { parseVersion } from "../../firmware/core/update/version.js";
import { IMAGE_FILE } from "../api/answers.js";
import type { Context } from "../api/context.js";
import { AskingDevice } from "../api/device-schemas.js";
import { SHORT_CACHING, sendImage } from "../api/http/send-image.js";
import { mayAccess } from "../api/image-access.js";
import { route } from "../api/route.js";
import { Name, VersionText } from "../api/schemas.js";
import type { Api } from "../api/typed-app.js";
import { isVersion, newestFirst } from "../rollout/order.js";
import { defined } from "../shared/defined.js";
import { Refusal } from "../shared/refusal.js";
import type { Firmware, Store } from "../store/store.js";
import { newestOf } from "./newest-firmware.js";

const LATEST = "latest";

const Params = Type.Object({ device: Name, version: VersionText });
const Query = Type.Object({
  hardware: Type.Optional(
    Type.String({ ...Name, description: "Needed where a version is for several boards" }),
  ),
  ...AskingDevice,
});

export function firmwareRoutes(app: Api, context: Context): void {
  app.route({
    method: ["GET", "HEAD"],
    url: "/firmware/:device/:version",
    ...route("device", "Download the image of a version, or of the latest: whole, ranges, HEAD", IMAGE_FILE, {
      params: Params,
      querystring: Query,
    }),
    handler: async (request, reply) => {
      const { device: deviceType, version } = request.params;
      const { hardware, device: deviceId } = request.query;
      const isAccessible = await mayAccess(request, context, { deviceType, deviceId });
      const found = isAccessible ? await findFirmware(context.store, deviceType, version) : [];
      const fitting = hardware === undefined ? found : found.filter((one) => one.hardware === hardware);
      const firmware = pick(fitting, deviceType, version);
      return sendImage(request, reply, context, firmware, {
        caching: SHORT_CACHING,
        isDirect: false,
        ...defined({ deviceId }),
      });
    },
  });
}

/** Of one version, the newest build first. */
async function findFirmware(store: Store, type: string, version: string): Promise<readonly Firmware[]> {
  if (version === LATEST) {
    const offered = await newestOf(store, type);
    return offered.filter((one) => one.version === offered[0]?.version);
  }
  const named = parseVersion(version);
  const summaries = (await store.activeFirmware(type))
    .filter((one) => (named ? isVersion(one, version) : one.version === version))
    .sort(newestFirst);
  const found = await Promise.all(summaries.map(({ id }) => store.findFirmware(id)));
  return found.flatMap((firmware) => firmware ?? []);
}

/** @throws Refusal FIRMWARE_UNKNOWN, INVALID_REQUEST */
function pick([newest, ...others]: readonly Firmware[], type: string, version: string): Firmware {
  if (!newest)
    throw new Refusal(
      "FIRMWARE_UNKNOWN",
      `there is no ${type} ${version} to download here, or none that is accessible without a token`,
    );
  const boards = [...new Set([newest, ...others].map(({ hardware }) => hardware))].sort();
  if (boards.length > 1)
    throw new Refusal(
      "INVALID_REQUEST",
      `${type} ${newest.version} is for ${boards.join(" and ")}: add ?hardware=${boards[0]}`,
    );
  return newest;
}
