// What devices speak: check, download, status. Every answer has a length and a reason phrase and is never chunked: the HTTP
// client on the device ends such bodies wrongly.

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { CheckResponse } from "../../firmware/core/wire.js";
import { record } from "../journal.js";
import { RateLimit } from "../rate.js";
import type { Firmware } from "../store/store.js";
import { checkDevice, reportStatus } from "../updates.js";
import type { Context } from "./context.js";
import { ApiError } from "./errors.js";
import { readRange } from "./range.js";
import { CheckBody, type CheckInput, IdParams, StatusBody, type StatusInput } from "./schemas.js";
import { downloadPath } from "./views.js";

const MAX_DEVICE_BODY_BYTES = 4096;

export function deviceRoutes(app: FastifyInstance, context: Context): void {
  const options = { bodyLimit: MAX_DEVICE_BODY_BYTES, config: { isPublic: true } };
  const rate = context.settings.deviceRate && new RateLimit(context.settings.deviceRate);
  const bound = (deviceId: string, reply: FastifyReply) =>
    rate && refuseFlood(rate, deviceId, reply, context);

  app.post<{ Body: CheckInput }>(
    "/api/ota/check",
    { ...options, schema: { body: CheckBody } },
    async ({ body }, reply) => {
      bound(body.device_id, reply);
      const release = await record(
        context,
        (journal) => checkDevice(journal, body, context.settings.maxDeviceCount),
        { about: `device:${body.device_id}` },
      );
      context.metrics.checks.inc({ result: release ? "offered" : "current" });
      return answerCheck(release, context);
    },
  );

  app.post<{ Body: StatusInput }>(
    "/api/ota/status",
    { ...options, schema: { body: StatusBody } },
    async ({ body }, reply) => {
      bound(body.device_id, reply);
      const update = await record(context, (journal) => reportStatus(journal, body), {
        about: `device:${body.device_id}`,
      });
      context.metrics.statusReports.inc({ status: update.status });
      return { update_id: update.id, status: update.status };
    },
  );

  app.route<{ Params: { id: number } }>({
    method: ["GET", "HEAD"],
    url: "/api/ota/download/:id",
    config: { isPublic: true },
    schema: { params: IdParams },
    handler: (request, reply) => download(request, reply, context),
  });
}

function answerCheck(release: Firmware | undefined, { now, settings }: Context): CheckResponse {
  const common = {
    time: Math.floor(now() / 1000),
    ...(settings.pollSeconds === undefined ? {} : { poll_seconds: settings.pollSeconds }),
  };
  if (!release) return { update_available: false, ...common };
  return {
    update_available: true,
    ...common,
    firmware_id: release.id,
    version: release.version,
    build_number: release.buildNumber,
    file_size: release.fileSize,
    file_hash: release.fileHash,
    download_url: downloadPath(release.id),
    release: release.release,
  };
}

async function download(
  request: FastifyRequest<{ Params: { id: number } }>,
  reply: FastifyReply,
  { store, blobs, metrics }: Context,
): Promise<FastifyReply> {
  const firmware = await store.findFirmware(request.params.id);
  if (!firmware) throw new ApiError(404, "FIRMWARE_UNKNOWN", `firmware ${request.params.id} does not exist`);
  if (!firmware.isActive)
    throw new ApiError(410, "FIRMWARE_INACTIVE", `firmware ${firmware.id} was deactivated`);
  if (!(await blobs.stat(firmware.fileHash)))
    throw new Error(`blob ${firmware.fileHash} of firmware ${firmware.id} is missing`);
  const etag = `"${firmware.fileHash}"`;
  const answer = readRange(
    request.headers.range,
    request.headers["if-range"] as string | undefined,
    etag,
    firmware.fileSize,
  );
  reply
    .type("application/octet-stream")
    .header("accept-ranges", "bytes")
    .header("etag", etag)
    // A deactivated firmware must disappear from caches within minutes.
    .header("cache-control", "public, max-age=300");
  if (answer.kind === "unsatisfiable") {
    reply.header("content-range", `bytes */${firmware.fileSize}`).header("cache-control", "no-store");
    throw new ApiError(
      416,
      "RANGE_NOT_SATISFIABLE",
      `file is ${firmware.fileSize} bytes, asked for ${request.headers.range}`,
    );
  }
  const [start, end] = answer.kind === "part" ? [answer.start, answer.end] : [0, firmware.fileSize - 1];
  if (answer.kind === "part")
    reply.code(206).header("content-range", `bytes ${start}-${end}/${firmware.fileSize}`);
  reply.header("content-length", end - start + 1);
  if (request.method === "HEAD") return reply.send();
  metrics.downloads.inc({ kind: answer.kind });
  const body = blobs.read(firmware.fileHash, { start, end });
  body.on("data", (chunk: Uint8Array) => metrics.downloadBytes.inc(chunk.length));
  body.pause();
  return reply.send(body);
}

function refuseFlood(
  rate: RateLimit,
  deviceId: string,
  reply: FastifyReply,
  { metrics, now }: Context,
): void {
  const waitMs = rate.take(deviceId, now());
  if (waitMs === 0) return;
  metrics.rateLimited.inc();
  reply.header("retry-after", Math.ceil(waitMs / 1000));
  throw new ApiError(
    429,
    "TOO_MANY_REQUESTS",
    `device ${deviceId} asks too often, the next request is taken in ${waitMs} ms`,
  );
}
