// Bounds how often one device is served. A fleet may come from one address, so a device is counted by its name and by what it shows
// for it, in each network by itself: nobody elsewhere, and nobody who only knows its name, can use up what it may ask.

import { hash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { networkOf } from "../auth/throttle.js";
import { Refusal } from "../shared/refusal.js";
import type { Context } from "./context.js";
import { credentialOf } from "./device-check.js";

/** @throws Refusal TOO_MANY_REQUESTS */
export function boundDevice(
  { deviceRate, fastPath, metrics, now }: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  deviceId: string,
): void {
  if (!deviceRate) return;
  const waitMs = fastPath.waitMsOf(request.raw) || deviceRate.take(keyOf(request, deviceId), now());
  if (waitMs === 0) return;
  metrics.rateLimited.inc({ limit: "device" });
  reply.header("retry-after", Math.ceil(waitMs / 1000));
  throw new Refusal(
    "TOO_MANY_REQUESTS",
    `device ${deviceId} asks too often, the next request is taken in ${waitMs} ms`,
  );
}

/** No secret stays in memory. */
function keyOf(request: FastifyRequest, deviceId: string): string {
  const credential = credentialOf(request);
  const shown = credential === undefined ? "" : hash("sha256", credential, "base64url");
  return `${networkOf(request.ip)} ${deviceId} ${shown}`;
}
