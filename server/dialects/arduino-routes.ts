// The HTTPUpdate class of the Arduino cores: one GET whose headers contain the running version, answered by the image or 304.
//
//   GET /api/arduino/{device_type}     x-ESP32-STA-MAC, x-ESP32-version, x-ESP32-sketch-sha256, x-ESP32-free-space …
//
// Source: arduino-esp32 libraries/HTTPUpdate/src/HTTPUpdate.cpp; the ESP8266 core says x-ESP8266-… instead. Such clients
// cannot check signatures, so only legacy types are served.

import { Type } from "@sinclair/typebox";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { CheckRequest } from "../../firmware/core/wire.js";
import { IMAGE_FILE } from "../api/answers.js";
import type { Context } from "../api/context.js";
import { answerCheck, recordDevice } from "../api/device-check.js";
import { boundDevice } from "../api/device-rate.js";
import { CheckBody } from "../api/device-schemas.js";
import { SHORT_CACHING, sendImage } from "../api/http/send-image.js";
import { route } from "../api/route.js";
import { Name } from "../api/schemas.js";
import type { Api } from "../api/typed-app.js";
import { parseText } from "../api/validate.js";
import { requireLegacy } from "../releases/unsigned.js";
import { Refusal } from "../shared/refusal.js";
import type { Firmware } from "../store/store.js";
import { reportStatus } from "../updates/status-report.js";
import { UNKNOWN_VERSION } from "./unknown-version.js";

const Params = Type.Object({ type: Name });

export function arduinoRoutes(app: Api, context: Context): void {
  app.get(
    "/api/arduino/:type",
    route("device", "Arduino HTTPUpdate: the image, or 304", IMAGE_FILE, { params: Params }),
    async (request, reply) => {
      const check = readHeaders(request, request.params.type);
      await boundDevice(context, request, check.device_id);
      await requireLegacy(request.params.type, context.store);
      const { release } = await answerCheck(context, request, check);
      if (!release) return reply.code(304).send();
      refuseTooLarge(request, release);
      await recordDevice(context, request, check.device_id, (journal) =>
        reportStatus(journal, {
          device_id: check.device_id,
          firmware_id: release.id,
          status: "downloading",
        }),
      );
      return send(request, reply, context, release, check.device_id);
    },
  );
}

function send(
  request: FastifyRequest,
  reply: FastifyReply,
  context: Context,
  release: Firmware,
  deviceId: string,
): Promise<FastifyReply> {
  if (release.md5 !== null) reply.header("x-md5", release.md5);
  return sendImage(request, reply, context, release, { caching: SHORT_CACHING, isDirect: true, deviceId });
}

/** @throws Refusal INVALID_REQUEST */
function readHeaders(request: FastifyRequest, deviceType: string): CheckRequest {
  const header = (name: string): string | undefined => {
    const value = request.headers[`x-esp32-${name}`] ?? request.headers[`x-esp8266-${name}`];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const sha256 = header("sketch-sha256");
  const version = header("version");
  const read = parseText(CheckBody, {
    device_id: header("sta-mac")?.toUpperCase(),
    device_type: deviceType,
    // A sketch without a version of its own: its image's hash alone says what runs.
    current_version: version ?? UNKNOWN_VERSION,
    current_build: 0,
    // HTTPUpdate marks nothing for a trial: what runs is what it boots again.
    ...(sha256 === undefined ? {} : { image_sha256: sha256, slot_state: "valid" }),
  });
  if (typeof read === "string") {
    throw new Refusal(
      "INVALID_REQUEST",
      `the headers x-ESP32-STA-MAC, x-ESP32-version and x-ESP32-sketch-sha256 of HTTPUpdate are expected: ${read}`,
    );
  }
  return read;
}

function refuseTooLarge(request: FastifyRequest, release: Firmware): void {
  const free = request.headers["x-esp32-free-space"] ?? request.headers["x-esp8266-free-space"];
  if (free === undefined || release.fileSize <= Number(free)) return;
  throw new Refusal("IMAGE_TOO_LARGE", `image is ${release.fileSize} bytes, the device has room for ${free}`);
}
