// The HTTPUpdate class of the Arduino cores: one GET whose headers contain what runs, answered by the image or 304.
//
//   GET /api/arduino/{device_type}     the headers: arduino-sketch.ts
//
//   200   the image, with its MD5          the next request shows whether it runs: updates/sent-image.ts
//   304   there is nothing newer, or it failed and waits
//   403   the image is larger than the room for it; 404: it asks for a file system
//
// Such clients cannot check signatures, so only legacy types are served.

import { isDeepStrictEqual } from "node:util";
import { Type } from "@sinclair/typebox";
import type { FastifyReply, FastifyRequest } from "fastify";
import { IMAGE_FILE } from "../api/answers.js";
import type { Context } from "../api/context.js";
import { answerCheck, recordDevice } from "../api/device-check.js";
import { boundDevice } from "../api/device-rate.js";
import { sendImage } from "../api/http/send-image.js";
import { whenSentWhole } from "../api/http/when-sent.js";
import { route } from "../api/route.js";
import { Name } from "../api/schemas.js";
import type { Api } from "../api/typed-app.js";
import { requireLegacy } from "../releases/unsigned.js";
import { Refusal } from "../shared/refusal.js";
import type { Firmware } from "../store/store.js";
import { failAttempt } from "../updates/attempt.js";
import { beginSending, noteSent } from "../updates/sent-image.js";
import { checkOf } from "./arduino-check.js";
import { isForSketch, readSketch, type Sketch } from "./arduino-sketch.js";

const Params = Type.Object({ type: Name });
/** The answer depends on who asks: a cache in between would send a device what it runs already, for ever. */
const NO_CACHING = "no-store";

export function arduinoRoutes(app: Api, context: Context): void {
  app.get(
    "/api/arduino/:type",
    route("device", "Arduino HTTPUpdate: the image, or 304", IMAGE_FILE, { params: Params }),
    async (request, reply) => {
      const { type } = request.params;
      const sketch = readSketch(request.headers);
      await boundDevice(context, request, sketch.deviceId ?? "");
      await requireLegacy(type, context.store);
      refuseFileSystem(sketch);
      const check = await checkOf(context.store, type, sketch);
      const deviceId = check.device_id;
      const { release } = await answerCheck(context, request, check);
      await keepAttributes(context, request, deviceId, sketch);
      if (!release) return reply.header("cache-control", NO_CACHING).code(304).send();
      await refuseTooLarge(context, request, deviceId, sketch, release);
      const attempt = await recordDevice(context, request, deviceId, (journal) =>
        beginSending(journal, deviceId, release),
      );
      if (attempt)
        whenSentWhole(context, request, reply, deviceId, (journal) => noteSent(journal, attempt.id, release));
      return send(request, reply, context, release, deviceId);
    },
  );
}

/** @throws Refusal FILE_SYSTEM_UNKNOWN */
function refuseFileSystem(sketch: Sketch): void {
  if (isForSketch(sketch)) return;
  throw new Refusal(
    "FILE_SYSTEM_UNKNOWN",
    `mode is ${sketch.mode}: there are sketches here only, no images of file systems`,
  );
}

/** What is not part of a check, when it has changed. */
async function keepAttributes(
  context: Context,
  request: FastifyRequest,
  deviceId: string,
  { attributes }: Sketch,
): Promise<void> {
  const known = await context.store.findAttributes(deviceId);
  if (known && isDeepStrictEqual(known, attributes)) return;
  await recordDevice(context, request, deviceId, (journal) =>
    journal.store.putAttributes(deviceId, attributes, journal.time),
  );
}

/** The attempt ends with its reason, so that the rollout's gates count it and the device does not ask for it every time. @throws Refusal */
async function refuseTooLarge(
  context: Context,
  request: FastifyRequest,
  deviceId: string,
  { roomBytes }: Sketch,
  release: Firmware,
): Promise<void> {
  if (roomBytes === undefined || release.fileSize <= roomBytes) return;
  const reason = `image is ${release.fileSize} bytes, the device has room for ${roomBytes}`;
  await recordDevice(context, request, deviceId, async (journal) => {
    const open = await journal.store.findOpenUpdate(deviceId);
    if (open?.firmwareId === release.id) await failAttempt(journal, open, "IMAGE_TOO_LARGE", reason);
  });
  throw new Refusal("IMAGE_TOO_LARGE", reason);
}

function send(
  request: FastifyRequest,
  reply: FastifyReply,
  context: Context,
  release: Firmware,
  deviceId: string,
): Promise<FastifyReply> {
  // A proxy that stores it first (nginx) would take it whole, whatever the device then gets.
  reply.header("x-accel-buffering", "no");
  if (release.md5 !== null) reply.header("x-md5", release.md5);
  return sendImage(request, reply, context, release, { caching: NO_CACHING, isDirect: true, deviceId });
}
