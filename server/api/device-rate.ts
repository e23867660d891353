// The rate limit of devices' routes. A fleet may share one address, so requests are counted by device: by its name and network, and if it
// shows a credential that is its own, by that too, so that clients elsewhere, or without the credential, cannot use up its limit. Whatever a
// client only claims to be is counted by its network, IPv4 address or IPv6 /64.
//
//   no credential                       name and network
//   its own, or an enrolment token      name, network and credential
//   any other                           all of the network together, and as if there were none
//   refused (401, 403, unknown)         all of the network together; once that is used up, only devices that are known are served there
//
// Images may be fetched in any number of parts: of those only what is refused counts.

import type { FastifyInstance, FastifyRequest } from "fastify";
import { isCredentialKnown } from "../devices/identity.js";
import { type DeviceRate, proofOf } from "../devices/rate.js";
import { networkOf } from "../shared/address.js";
import { Refusal, type RefusalCode } from "../shared/refusal.js";
import type { Context } from "./context.js";
import { credentialOf } from "./device-check.js";
import { refusalStatus } from "./http/refusal-status.js";

/** Of 404: what names something that is not there, or not for this client. */
const UNKNOWN: readonly RefusalCode[] = Object.freeze(["DEVICE_UNKNOWN", "FILE_UNKNOWN", "FIRMWARE_UNKNOWN"]);

/** @throws Refusal TOO_MANY_REQUESTS */
export async function boundDevice(
  context: Context,
  request: FastifyRequest,
  deviceId: string,
): Promise<void> {
  const { deviceRate, fastPath } = context;
  if (!deviceRate) return;
  const waitMs = fastPath.waitMsOf(request.raw) || (await waitFor(deviceRate, context, request, deviceId));
  if (waitMs > 0) refuse(context, `device ${deviceId}`, waitMs);
}

async function waitFor(
  deviceRate: DeviceRate,
  { store, now }: Context,
  request: FastifyRequest,
  deviceId: string,
): Promise<number> {
  const [network, credential, time] = [networkOf(request.ip), credentialOf(request), now()];
  const anonymous = `${network} ${deviceId}`;
  if (credential === undefined) {
    const waitMs = deviceRate.peekStranger(network, time);
    if (waitMs > 0 && !(await store.findIdentity(deviceId))) return waitMs;
    return deviceRate.take(anonymous, time);
  }
  const proof = proofOf(deviceId, credential);
  if (!deviceRate.isProved(proof)) {
    const waitMs = deviceRate.takeStranger(network, time);
    if (waitMs > 0) return waitMs;
    if (!(await isCredentialKnown({ store, time }, deviceId, credential))) {
      counted.add(request);
      return deviceRate.take(anonymous, time);
    }
    deviceRate.noteProof(proof);
    deviceRate.giveBack(network);
  }
  return deviceRate.take(`${network} ${proof}`, time);
}

/** Those that the network's strangers have paid for. */
const counted = new WeakSet<FastifyRequest>();

/**
 * For routes that have no limit: what proves who may have an image is not even tried for a network whose strangers were refused too often,
 * unless the same client has proved it before. @throws Refusal TOO_MANY_REQUESTS, and what `prove` throws
 */
export async function proveWithin(
  context: Context,
  request: FastifyRequest,
  deviceId: string,
  prove: () => Promise<void>,
): Promise<void> {
  const { deviceRate, now } = context;
  const { authorization = "", cookie = "" } = request.headers;
  const proof = proofOf(deviceId, `${authorization} ${cookie}`);
  if (deviceRate && !deviceRate.isProved(proof)) {
    const waitMs = deviceRate.peekStranger(networkOf(request.ip), now());
    if (waitMs > 0) refuse(context, networkOf(request.ip), waitMs);
  }
  await prove();
  deviceRate?.noteProof(proof);
}

/** Counts every refusal of a route of devices. */
export function countStrangers(app: FastifyInstance, { deviceRate, now }: Context): void {
  if (!deviceRate) return;
  app.addHook("onError", (request, _reply, error, done) => {
    if (
      request.routeOptions.config.access === "device" &&
      isStrangers(error, request.method) &&
      !counted.has(request)
    )
      deviceRate.takeStranger(networkOf(request.ip), now());
    done();
  });
}

const isStrangers = (error: Error, method: string): boolean =>
  error instanceof Refusal &&
  ([401, 403].includes(refusalStatus(error.code, method)) || UNKNOWN.includes(error.code));

function refuse({ metrics }: Context, who: string, waitMs: number): never {
  metrics.rateLimited.inc({ limit: "device" });
  throw new Refusal(
    "TOO_MANY_REQUESTS",
    `${who} sends too many requests, the next one is accepted in ${waitMs} ms`,
    { retryAfterSeconds: Math.ceil(waitMs / 1000) },
  );
}
