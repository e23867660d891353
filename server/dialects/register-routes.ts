// Registration and heartbeat as separate calls, for clients that register before they check for updates. A check includes both.
//
//   POST /api/devices/register            as a check; answers the device's record
//   POST /api/devices/{id}/heartbeat      what has changed, if anything

import { Type } from "@sinclair/typebox";
import type { FastifyRequest } from "fastify";
import { created, ok } from "../api/answers.js";
import { pollSeconds, RegisteredView, serverTime } from "../api/check-views.js";
import type { Context } from "../api/context.js";
import { readOtherClients } from "../api/device-body.js";
import { aboutDevice, expectDevice, noteRefusal, recordDevice, showOf } from "../api/device-check.js";
import { boundDevice } from "../api/device-rate.js";
import { CheckBody, type CheckInput } from "../api/device-schemas.js";
import { viewDevice } from "../api/device-views.js";
import { route } from "../api/route.js";
import { DeviceParams } from "../api/schemas.js";
import type { Api } from "../api/typed-app.js";
import { admitDevice } from "../devices/identity.js";
import { readingsIn } from "../devices/readings.js";
import { record } from "../events/journal.js";
import { defined } from "../shared/defined.js";
import { Refusal } from "../shared/refusal.js";
import type { Device } from "../store/store.js";
import { hearDevice, seeDevice } from "../updates/check.js";
import { buildOf } from "./unknown-version.js";

const bodyLimit = 4096;
const HeartbeatBody = Type.Partial(
  Type.Pick(CheckBody, [
    "current_version",
    "current_build",
    "free_heap",
    "rssi",
    "uptime_seconds",
    "boot_count",
    "reset_reason",
    "address",
    "temperature_c",
    "humidity_percent",
    "battery_percent",
  ]),
);

export function registerRoutes(app: Api, context: Context): void {
  app.post(
    "/api/devices/register",
    {
      ...route(
        "device",
        "Register a device without asking for an update",
        { ...ok(RegisteredView, "It was known"), ...created(RegisteredView, "It is new") },
        { body: CheckBody, bodyLimit },
      ),
      preValidation: readOtherClients,
    },
    async (request, reply) => {
      const { body } = request;
      await boundDevice(context, request, body.device_id);
      const isKnown = (await context.store.findDevice(body.device_id)) !== undefined;
      const { device, state, newToken } = await register(context, request, body);
      return reply.code(isKnown ? 200 : 201).send({
        ...viewDevice(device),
        state,
        ...defined({ device_token: newToken }),
        time: seconds(context.now()),
      });
    },
  );

  app.post(
    "/api/devices/:id/heartbeat",
    route(
      "device",
      "Report that a device is alive, and its readings",
      ok(Type.Object({ time: serverTime, poll_seconds: Type.Optional(pollSeconds) })),
      { params: DeviceParams, body: HeartbeatBody, bodyLimit },
    ),
    async (request) => {
      const { params, body } = request;
      await boundDevice(context, request, params.id);
      await recordDevice(context, request, params.id, async (journal) => {
        const known = await journal.store.findDevice(params.id);
        if (!known) {
          throw new Refusal(
            "DEVICE_UNKNOWN",
            `device ${params.id} is not registered here: POST /api/devices/register`,
          );
        }
        const alive: Device = {
          ...known,
          freeHeap: body.free_heap ?? known.freeHeap,
          rssi: body.rssi ?? known.rssi,
          uptimeSeconds: body.uptime_seconds ?? known.uptimeSeconds,
          readings: readingsIn(body) ?? known.readings,
          bootCount: body.boot_count ?? known.bootCount,
          resetReason: body.reset_reason ?? known.resetReason,
          address: body.address ?? known.address,
          lastSeen: journal.time,
        };
        const version = body.current_version ?? known.version;
        const build = body.current_build ?? (await buildOf(journal.store, known, version));
        if (version === known.version && build === known.build) await journal.putDevice(alive);
        // Another image runs, of which it says nothing else.
        else
          await hearDevice(journal, known, { ...alive, version, build, imageSha256: null, slotState: null });
      });
      const { pollSeconds } = context.settings;
      return { time: seconds(context.now()), ...defined({ poll_seconds: pollSeconds }) };
    },
  );
}

/** @throws Refusal DEVICE_LIMIT, TOO_MANY_NEW_DEVICES, DEVICE_…, ENROLMENT_REQUIRED */
async function register(context: Context, request: FastifyRequest, body: CheckInput) {
  const takePlace = await expectDevice(context, request, body.device_id);
  return noteRefusal(context, body.device_id, () =>
    record(
      context,
      async (journal) => {
        const admission = await admitDevice(journal, showOf(request, body));
        return { ...admission, ...(await seeDevice(journal, body, () => takePlace(admission))) };
      },
      { about: aboutDevice(body.device_id) },
    ),
  );
}

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);
