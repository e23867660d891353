// For devices: check, download, status. Every answer has a length and a reason phrase and is never chunked: older firmware uses the SDK's
// HTTP client, which handles chunked bodies wrongly.

import { type Static, Type } from "@sinclair/typebox";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type NoUpdateResponse, OFFER_HEADER } from "../../firmware/core/wire.js";
import type { CheckRoute } from "../fast-path/fast-path.js";
import { releaseOf } from "../releases/chunk-digests.js";
import { defined } from "../shared/defined.js";
import { Refusal } from "../shared/refusal.js";
import type { Firmware, Update } from "../store/store.js";
import { reportStatus } from "../updates/status-report.js";
import { DIGESTS_FILE, IMAGE_FILE, ok } from "./answers.js";
import { type CheckAnswer, NoUpdateView, UpdateOfferView } from "./check-views.js";
import type { Context } from "./context.js";
import { readOtherClients } from "./device-body.js";
import { answerCheck, type CheckOutcome, credentialIn, recordDevice } from "./device-check.js";
import { boundDevice } from "./device-rate.js";
import {
  CheckBody,
  ContentParams,
  DownloadQuery,
  FileQuery,
  StatusBody,
  UPDATE_STATUSES,
} from "./device-schemas.js";
import { countFetch } from "./fetches.js";
import { integer, oneOf } from "./fields.js";
import { sendDigests } from "./http/send-digests.js";
import { IMMUTABLE_CACHING, SHORT_CACHING, sendImage } from "./http/send-image.js";
import { mayAccess } from "./image-access.js";
import { digestsPath, downloadPath } from "./release-views.js";
import { route } from "./route.js";
import { IdParams } from "./schemas.js";
import type { Api } from "./typed-app.js";

const CHECK_PATH = "/api/ota/check";
const bodyLimit = 4096;
/** Maximum number of releases with the same file. */
const MAX_NAMES_OF_FILE = 20;

export function deviceRoutes(app: Api, context: Context): void {
  app.post(
    CHECK_PATH,
    {
      ...route(
        "device",
        "Check for an update: registration, heartbeat and evidence in one",
        ok(Type.Union([NoUpdateView, UpdateOfferView])),
        { body: CheckBody, bodyLimit },
      ),
      preValidation: readOtherClients,
    },
    async (request, reply) => {
      const { device_id } = request.body;
      await boundDevice(context, request, device_id);
      const outcome = await answerCheck(context, request, request.body);
      const answer = await describeOutcome(outcome, device_id, context);
      if (outcome.release) reply.header(OFFER_HEADER, `${outcome.release.id} ${answer.time}`);
      return answer;
    },
  );

  app.post(
    "/api/ota/status",
    {
      ...route(
        "device",
        "Report a step of an update",
        ok(Type.Object({ update_id: integer("The attempt"), status: oneOf(UPDATE_STATUSES) })),
        { body: StatusBody, bodyLimit },
      ),
      preValidation: readOtherClients,
    },
    async (request) => {
      const { body } = request;
      await boundDevice(context, request, body.device_id);
      const update = await recordDevice(context, request, body.device_id, (journal) =>
        reportStatus(journal, body),
      );
      context.metrics.statusReports.inc({ status: update.status });
      return { update_id: update.id, status: update.status };
    },
  );

  app.route({
    method: ["GET", "HEAD"],
    url: "/api/ota/download/:id",
    ...route("device", "Download an image: whole, ranges, HEAD", IMAGE_FILE, {
      params: IdParams,
      querystring: DownloadQuery,
    }),
    handler: async (request, reply) => download(request, reply, context),
  });

  app.route({
    method: ["GET", "HEAD"],
    url: "/api/ota/download/:id/digests",
    ...route(
      "device",
      "Download the SHA-256 of each chunk of an image, 32 bytes each: whole, a range, HEAD",
      DIGESTS_FILE,
      { params: IdParams, querystring: FileQuery },
    ),
    handler: async (request, reply) => {
      const firmware = await requireFirmware(context, request.params.id);
      return sendDigests(request, reply, context, firmware, request.query.device);
    },
  });

  app.route({
    method: ["GET", "HEAD"],
    url: "/api/ota/files/:sha256",
    ...route("device", "Download an image by its SHA-256", IMAGE_FILE, {
      params: ContentParams,
      querystring: FileQuery,
    }),
    handler: async (request, reply) => downloadByContent(request, reply, context),
  });
}

async function describeOutcome(
  { release, newToken, orders, rootPath, isAsked }: CheckOutcome,
  deviceId: string,
  context: Context,
): Promise<CheckAnswer> {
  const common = {
    ...describeAnswer(context),
    ...defined({
      device_token: newToken,
      orders: orders.length === 0 ? undefined : orders,
      tell_abilities: isAsked || undefined,
      root_url: rootPath && `${context.prefix}${rootPath}`,
    }),
  };
  if (!release) return common;
  const named = (await context.access.isOpen(release.deviceType)) ? undefined : deviceId;
  return {
    ...common,
    update_available: true,
    firmware_id: release.id,
    version: release.version,
    build_number: release.buildNumber,
    file_size: release.fileSize,
    file_hash: release.fileHash,
    download_url: addressFor(named, release, context),
    ...defined({
      digests_url:
        releaseOf(release)?.digestsOf === "pages" ? digestsPath(context, release.id, named) : undefined,
      release: release.release ?? undefined,
      md5: release.md5 ?? undefined,
    }),
  };
}

/** What the fast path needs of the check's route. */
export const checkRoute = (context: Pick<Context, "now" | "settings">): CheckRoute => ({
  path: CHECK_PATH,
  maxBodyBytes: bodyLimit,
  schema: CheckBody,
  credentialIn,
  describeAnswer: () => describeAnswer(context),
});

/** The answer without an update. */
const describeAnswer = ({ now, settings }: Pick<Context, "now" | "settings">): NoUpdateResponse => ({
  update_available: false,
  time: Math.floor(now() / 1000),
  ...defined({ poll_seconds: settings.pollSeconds }),
  ...(settings.pollSeconds !== undefined && settings.pollIsForAll ? { poll_is_for_all: true } : {}),
});

/** The URL of a device's image. */
function addressFor(deviceId: string | undefined, release: Firmware, context: Context): string {
  const path = downloadPath(context, release.id, deviceId);
  // Devices may not follow redirects: the SDK's HTTP client does not.
  return context.settings.downloadsFrom === undefined
    ? path
    : `${path}${deviceId === undefined ? "?" : "&"}direct=1`;
}

/** @throws Refusal FIRMWARE_UNKNOWN */
async function requireFirmware({ store }: Context, id: number): Promise<Firmware> {
  const firmware = await store.findFirmware(id);
  if (!firmware) throw new Refusal("FIRMWARE_UNKNOWN", `firmware ${id} does not exist`);
  return firmware;
}

interface FileRequest {
  Params: { sha256: string };
  Querystring: Static<typeof FileQuery>;
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
  const firmware = await requireFirmware(context, request.params.id);
  const { direct, device: deviceId } = request.query;
  const attempt = deviceId === undefined ? undefined : await silentAttempt(context, deviceId, firmware);
  if (attempt && !(await countFetch(context, request, reply, attempt, firmware)))
    throw new Refusal(
      "ATTEMPT_CLOSED",
      `attempt ${attempt.id} of ${deviceId} was ended: see its reason in the log`,
    );
  return sendImage(request, reply, context, firmware, {
    caching: SHORT_CACHING,
    isDirect: direct !== undefined,
    deviceId,
  });
}

/** The open attempt with this firmware of a client that cannot verify it, and has reported nothing so far. */
async function silentAttempt(
  { store }: Context,
  deviceId: string,
  firmware: Firmware,
): Promise<Update | undefined> {
  if (firmware.release !== null) return undefined;
  const open = await store.findOpenUpdate(deviceId);
  return open?.firmwareId === firmware.id && open.status === "pending" ? open : undefined;
}

/** The same file by its hash, which caches may store without expiry. */
async function downloadByContent(
  request: FastifyRequest<FileRequest>,
  reply: FastifyReply,
  context: Context,
): Promise<FastifyReply> {
  const { sha256 } = request.params;
  const deviceId = request.query.device;
  const { rows } = await context.store.listFirmware(
    { fileHash: sha256, isActive: true },
    { limit: MAX_NAMES_OF_FILE, offset: 0 },
  );
  // The same file may be firmware of several types.
  for (const firmware of rows) {
    if (await mayAccess(request, context, { deviceType: firmware.deviceType, deviceId }))
      return sendImage(request, reply, context, firmware, { caching: IMMUTABLE_CACHING, deviceId });
  }
  throw new Refusal(
    "FILE_UNKNOWN",
    `no active firmware has the SHA-256 ${sha256}, or none that is accessible without a token`,
  );
}
