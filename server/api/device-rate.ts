// Rate limit per device. A fleet may share one address, so requests are counted by device name, credential and network: clients elsewhere,
// or without the credential, cannot use up a device's limit.

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
    `device ${deviceId} sends too many requests, the next one is accepted in ${waitMs} ms`,
  );
}

/** Hashed, so that no secret stays in memory. */
function keyOf(request: FastifyRequest, deviceId: string): string {
  const credential = credentialOf(request);
  const shown = credential === undefined ? "" : hash("sha256", credential, "base64url");
  return `${networkOf(request.ip)} ${deviceId} ${shown}`;
}
