// Sends the digests of an image's chunks, whole or one range, under the access rules of the image. RFC 9110 §§8.8, 13, 14.

import type { FastifyReply, FastifyRequest } from "fastify";
import { releaseOf } from "../../releases/chunk-digests.js";
import { Refusal } from "../../shared/refusal.js";
import type { Firmware } from "../../store/store.js";
import type { Context } from "../context.js";
import { hasIt } from "./conditions.js";
import { readRange } from "./range.js";
import { admit, contentRange, PRIVATE_CACHING, rangeNotSatisfiable, SHORT_CACHING } from "./send-image.js";

/** @throws Refusal TOKEN_REQUIRED, FORBIDDEN, DEVICE_…, FIRMWARE_INACTIVE, DIGESTS_UNKNOWN, RANGE_NOT_SATISFIABLE */
export async function sendDigests(
  request: FastifyRequest,
  reply: FastifyReply,
  context: Context,
  firmware: Firmware,
  deviceId: string | undefined,
): Promise<FastifyReply> {
  const audience = await admit(request, reply, context, firmware, deviceId);
  const release = releaseOf(firmware);
  if (!release) {
    throw new Refusal(
      "DIGESTS_UNKNOWN",
      `firmware ${firmware.id} has no signed manifest that says how long its chunks are`,
    );
  }
  const digests = await context.chunkDigests.of(firmware, release);
  const etag = `"${firmware.fileHash}-${release.chunkSize}"`;
  reply
    .header("accept-ranges", "bytes")
    .header("etag", etag)
    .header("cache-control", audience === "everybody" ? SHORT_CACHING : PRIVATE_CACHING);
  if (hasIt(request.headers["if-none-match"], etag)) return reply.code(304).send();
  const ifRange = request.headers["if-range"] as string | undefined;
  const answer = readRange(request.headers.range, ifRange, etag, digests.length);
  if (answer.kind === "unsatisfiable") throw rangeNotSatisfiable(request, reply, digests.length);
  // For several ranges of such a short file, the whole file is a valid answer (§14.2).
  const part = answer.kind === "part" ? answer : { start: 0, end: digests.length - 1 };
  if (answer.kind === "part") reply.code(206).header("content-range", contentRange(part, digests.length));
  if (request.method !== "HEAD") context.metrics.downloads.inc({ kind: "digests" });
  const bytes = digests.subarray(part.start, part.end + 1);
  reply.type("application/octet-stream").header("content-length", bytes.length);
  return request.method === "HEAD" ? reply.send() : reply.send(bytes);
}
