// What devices speak: check, download, status. Every answer has a length and a reason phrase and is never chunked: the HTTP
// client on the device ends such bodies wrongly.

import type { Static } from "@sinclair/typebox";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { NoUpdateResponse, UpdateResponse } from "../../firmware/core/wire.js";
import { reportStatus } from "../updates.js";
import { answerCheck, type CheckOutcome, recordDevice } from "./check.js";
import type { Context } from "./context.js";
import { ApiError } from "./errors.js";
import {
  CheckBody,
  type CheckInput,
  ContentParams,
  DownloadQuery,
  IdParams,
  StatusBody,
  type StatusInput,
} from "./schemas.js";
import { IMMUTABLE_CACHING, SHORT_CACHING, sendImage } from "./send-image.js";
import { downloadPath } from "./views.js";

export const CHECK_PATH = "/api/ota/check";
export const MAX_DEVICE_BODY_BYTES = 4096;

export function deviceRoutes(app: FastifyInstance, context: Context): void {
  const options = { bodyLimit: MAX_DEVICE_BODY_BYTES, config: { access: "device" as const } };

  app.post<{ Body: CheckInput }>(
    CHECK_PATH,
    {
      ...options,
      schema: {
        summary: "Check for an update: registration, heartbeat and evidence in one",
        body: CheckBody,
      },
    },
    async (request, reply) => {
      if (!context.arrivals.get(request.raw)?.isWhole) refuseFlood(request.body.device_id, reply, context);
      return describeOutcome(await answerCheck(context, request, request.body), context);
    },
  );

  app.post<{ Body: StatusInput }>(
    "/api/ota/status",
    { ...options, schema: { summary: "Report a step of an update", body: StatusBody } },
    async (request, reply) => {
      const { body } = request;
      refuseFlood(body.device_id, reply, context);
      const update = await recordDevice(context, request, body.device_id, (journal) =>
        reportStatus(journal, body),
      );
      context.metrics.statusReports.inc({ status: update.status });
      return { update_id: update.id, status: update.status };
    },
  );

  app.route<DownloadRequest>({
    method: ["GET", "HEAD"],
    url: "/api/ota/download/:id",
    config: { access: "device" as const },
    schema: {
      summary: "Download an image: whole, ranges, HEAD",
      params: IdParams,
      querystring: DownloadQuery,
    },
    handler: (request, reply) => download(request, reply, context),
  });

  app.route<{ Params: { sha256: string } }>({
    method: ["GET", "HEAD"],
    url: "/api/ota/files/:sha256",
    config: { access: "device" as const },
    schema: { summary: "Download an image by its SHA-256", params: ContentParams },
    handler: (request, reply) => downloadByContent(request, reply, context),
  });
}

/** Only clients that know no signatures are offered firmware that has none. */
type CheckAnswer =
  | NoUpdateResponse
  | (Omit<UpdateResponse, "release"> & { readonly release?: string; readonly md5?: string });

export function describeOutcome(
  { release, newToken, orders }: CheckOutcome,
  { now, settings }: Context,
): CheckAnswer {
  const common = {
    time: Math.floor(now() / 1000),
    ...(settings.pollSeconds === undefined ? {} : { poll_seconds: settings.pollSeconds }),
    ...(newToken === undefined ? {} : { device_token: newToken }),
    ...(orders.length === 0 ? {} : { orders }),
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
    // What updates itself by these routes need not be able to follow a redirect: the SDK's HTTP client is not.
    download_url: downloadPath(release.id) + (settings.downloadsFrom === undefined ? "" : "?direct=1"),
    ...(release.release === null ? {} : { release: release.release }),
    ...(release.md5 === null ? {} : { md5: release.md5 }),
  };
}

interface DownloadRequest {
  Params: { id: number };
  Querystring: Static<typeof DownloadQuery>;
}

async function download(
  request: FastifyRequest<DownloadRequest>,
  reply: FastifyReply,
  context: Context,
): Promise<FastifyReply> {
  const firmware = await context.store.findFirmware(request.params.id);
  if (!firmware) throw new ApiError(404, "FIRMWARE_UNKNOWN", `firmware ${request.params.id} does not exist`);
  const isDirect = request.query.direct !== undefined;
  return sendImage(request, reply, context, firmware, { caching: SHORT_CACHING, isDirect });
}

/** The same file under the name of its content: what a cache in front of the server may keep for ever. */
async function downloadByContent(
  request: FastifyRequest<{ Params: { sha256: string } }>,
  reply: FastifyReply,
  context: Context,
): Promise<FastifyReply> {
  const { sha256 } = request.params;
  const { rows } = await context.store.listFirmware(
    { fileHash: sha256, isActive: true },
    { limit: 1, offset: 0 },
  );
  const [firmware] = rows;
  if (!firmware) throw new ApiError(404, "FILE_UNKNOWN", `no active firmware has the SHA-256 ${sha256}`);
  return sendImage(request, reply, context, firmware, { caching: IMMUTABLE_CACHING });
}

function refuseFlood(deviceId: string, reply: FastifyReply, { deviceRate, metrics, now }: Context): void {
  const waitMs = deviceRate?.take(deviceId, now()) ?? 0;
  if (waitMs === 0) return;
  metrics.rateLimited.inc();
  reply.header("retry-after", Math.ceil(waitMs / 1000));
  throw new ApiError(
    429,
    "TOO_MANY_REQUESTS",
    `device ${deviceId} asks too often, the next request is taken in ${waitMs} ms`,
  );
}
