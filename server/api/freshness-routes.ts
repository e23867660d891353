// Devices ask what is true now; the answer is signed for their nonce. Who may have a type's images may ask about it. Each device has its rate.

import { Type } from "@sinclair/typebox";
import { FRESHNESS_PATH, NONCE_LENGTH } from "../../firmware/core/wire.js";
import { stateFreshness } from "../releases/freshness.js";
import { findLed } from "../releases/systems.js";
import { findCurrent } from "../rollout/current.js";
import { Refusal } from "../shared/refusal.js";
import { sent } from "./answers.js";
import type { Context } from "./context.js";
import { boundDevice } from "./device-rate.js";
import { requireAccess } from "./image-access.js";
import { route } from "./route.js";
import { DeviceId, Name } from "./schemas.js";
import type { Api } from "./typed-app.js";

const MEDIA_TYPE = "application/jose";
const bodyLimit = 1024;

const FreshnessBody = Type.Object({
  device_id: DeviceId,
  device_type: Name,
  nonce: Type.String({
    pattern: `^[0-9a-f]{${NONCE_LENGTH}}$`,
    description: "random, another one for each question",
  }),
});

export function freshnessRoutes(app: Api, context: Context): void {
  const { store, now, settings } = context;
  app.post(
    FRESHNESS_PATH,
    route(
      "device",
      "State what is new, what is withdrawn and what time it is, signed for a device's nonce",
      sent(MEDIA_TYPE, "Compact JWS (ES256), for devices whose trust root names this server's freshness key"),
      { body: FreshnessBody, bodyLimit },
    ),
    async (request, reply) => {
      const { device_id: deviceId, device_type: deviceType, nonce } = request.body;
      await boundDevice(context, request, deviceId);
      await requireAccess(request, context, { deviceType, deviceId });
      const { freshnessKey } = settings;
      if (!freshnessKey)
        throw new Refusal(
          "FRESHNESS_UNKNOWN",
          "this server has no freshness key: make one with `skyslot keys freshness`",
        );
      const led = await findLed(store, deviceType, now());
      const current = await findCurrent(store, { deviceId, deviceType }, led, now());
      const statement = stateFreshness(freshnessKey, { nonce, type: deviceType }, current, now());
      await store.noteStatement(deviceId, deviceType, Math.round(now()));
      reply.header("cache-control", "no-store");
      return reply.type(MEDIA_TYPE).send(Buffer.from(statement));
    },
  );
}
