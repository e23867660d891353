// Checks and other requests of devices, for every route: the device is authenticated, and the rest follows in the same transaction.

import type { IncomingHttpHeaders } from "node:http";
import type { FastifyRequest } from "fastify";
import type { CheckRequest, Order } from "../../firmware/core/wire.js";
import { wantsAbilities } from "../devices/abilities.js";
import { type Admission, admitDevice, requireDevice, type Shown } from "../devices/identity.js";
import { exchangeOrders, roomForOrders } from "../devices/orders.js";
import { type Journal, record } from "../events/journal.js";
import { findRootPath } from "../releases/trust-roots.js";
import { networkOf } from "../shared/address.js";
import { Refusal } from "../shared/refusal.js";
import type { Firmware } from "../store/store.js";
import { checkDevice, seeDevice } from "../updates/check.js";
import type { Context } from "./context.js";
import { refusalStatus } from "./http/refusal-status.js";

export interface CheckOutcome extends Admission {
  /** The release that is offered. */
  readonly release: Firmware | undefined;
  /** Orders besides updating. */
  readonly orders: readonly Order[];
  /** The device is to say what it can be ordered to do. */
  readonly isAsked?: boolean;
  /** Where the trust root after its own is. */
  readonly rootPath?: string | undefined;
}

/** @throws Refusal DEVICE_LIMIT, TOO_MANY_NEW_DEVICES, DEVICE_…, ENROLMENT_REQUIRED */
export async function answerCheck(
  context: Context,
  request: FastifyRequest,
  check: CheckRequest,
): Promise<CheckOutcome> {
  const { fastPath } = context;
  const key = fastPath.keyOf(check, credentialOf(request));
  if (await fastPath.take(request.raw, check, key)) return NO_OP;
  return answerFully(context, request, check, { key, isNothingElse: async () => true });
}

/** What a check leaves at the device if it is a no-op. */
interface Leaving {
  readonly key: string | undefined;
  /** In the same transaction: whether the answer has nothing else for the device. */
  readonly isNothingElse: (journal: Journal) => Promise<boolean>;
}

/** Without the fast path. @throws Refusal as answerCheck */
export async function answerFully(
  context: Context,
  request: FastifyRequest,
  check: CheckRequest,
  { key, isNothingElse }: Leaving,
): Promise<CheckOutcome> {
  const { metrics } = context;
  const takePlace = await expectDevice(context, request, check.device_id);
  const work = async (journal: Journal): Promise<CheckOutcome> => {
    const traces = await journal.store.findTraces(check.device_id);
    const admission = await admitDevice(journal, showOf(request, check));
    if (admission.state === "approved") {
      const { device, release, isLasting } = await checkDevice(journal, check, traces, () =>
        takePlace(admission),
      );
      const orders = admission.isProved
        ? await exchangeOrders(journal, check, traces, roomForOrders(release?.release))
        : NO_ORDERS;
      const rootPath = await findRootPath(journal.store, check.root_version);
      // not beside an image: it needs the device's memory
      const isAsked = admission.isProved && !release && (await wantsAbilities(journal, check, traces));
      const isNothingNew = orders.length === 0 && rootPath === undefined && !isAsked;
      const isNoOp = isLasting && admission.isLasting && isNothingNew && (await isNothingElse(journal));
      await journal.putDevice(device, isNoOp ? key : undefined);
      return { ...admission, release, orders, rootPath, isAsked };
    }
    await seeDevice(journal, check, () => takePlace(admission));
    return { ...admission, release: undefined, orders: NO_ORDERS };
  };
  const outcome = await noteRefusal(context, check.device_id, () =>
    record(context, work, { about: aboutDevice(check.device_id) }),
  );
  metrics.checks.inc({ result: outcome.release ? "offered" : "current" });
  return outcome;
}

/**
 * Before the transaction of a device that may be new. From a network with too many new devices, one without a credential is refused without
 * a transaction. @returns what counts the device, once, if it is new. @throws Refusal TOO_MANY_NEW_DEVICES, DEVICE_LIMIT
 */
export async function expectDevice(
  { deviceLimit, metrics, now, store }: Context,
  request: FastifyRequest,
  deviceId: string,
): Promise<(admission: Admission) => void> {
  const network = networkOf(request.ip);
  const refused = (waitMs: number): void => {
    if (waitMs === 0) return;
    metrics.rateLimited.inc({ limit: "new_devices" });
    throw tooManyNew(network, waitMs);
  };
  const waitMs = credentialOf(request) === undefined ? deviceLimit.peekFrom(network, now()) : 0;
  if (waitMs > 0 && !(await store.findDevice(deviceId))) refused(waitMs);
  await deviceLimit.recount(now());
  let isTaken = false;
  return ({ isTrusted }) => {
    // A transaction may run more than once.
    if (isTaken) return;
    if (!isTrusted) refused(deviceLimit.takeFrom(network, now()));
    deviceLimit.takePlace();
    isTaken = true;
  };
}

function tooManyNew(network: string, waitMs: number): Refusal {
  const seconds = Math.ceil(waitMs / 1000);
  return new Refusal(
    "TOO_MANY_NEW_DEVICES",
    `too many unknown devices from ${network}: try again in ${seconds} s, or use an enrolment token`,
    { retryAfterSeconds: seconds },
  );
}

const NO_ORDERS: readonly Order[] = Object.freeze([]);
/** Of a check that the fast path has answered. */
const NO_OP: CheckOutcome = Object.freeze({
  state: "approved",
  newToken: undefined,
  isProved: false,
  isTrusted: false,
  isLasting: true,
  release: undefined,
  orders: NO_ORDERS,
});

/** One transaction of a known device, which is told whether it has shown its own token. @throws Refusal DEVICE_… */
export function recordDevice<Result>(
  context: Context,
  request: FastifyRequest,
  deviceId: string,
  work: (journal: Journal, isProved: boolean) => Promise<Result>,
): Promise<Result> {
  const shown = async (journal: Journal) => {
    const credential = credentialOf(request);
    const isProved = await requireDevice(journal, { deviceId, credential, address: request.ip });
    return work(journal, isProved);
  };
  return noteRefusal(context, deviceId, () => record(context, shown, { about: aboutDevice(deviceId) }));
}

/** The credentials of a check or a registration. */
export const showOf = (request: FastifyRequest, check: CheckRequest): Shown => ({
  deviceId: check.device_id,
  deviceType: check.device_type,
  credential: credentialOf(request),
  keepsToken: check.keeps_token === true,
  address: request.ip,
  intervalSeconds: check.check_seconds,
});

/** The lock of transactions about one device. */
export const aboutDevice = (deviceId: string): string => `device:${deviceId}`;

export const credentialOf = ({ headers }: FastifyRequest): string | undefined => credentialIn(headers);

/**
 * hawkBit clients call a device's token `TargetToken` and its type's `GatewayToken`. Clients that only support a name and a password, such
 * as Arduino's and ESPHome's, send it as the password. Anything else is not a token.
 */
export function credentialIn({ authorization }: IncomingHttpHeaders): string | undefined {
  if (authorization === undefined) return undefined;
  const token = /^(?:Bearer|TargetToken|GatewayToken) +([A-Za-z0-9._-]{1,200})$/i.exec(authorization)?.[1];
  return token ?? readBasic(authorization)?.password ?? "";
}

/** Name and password of `Authorization: Basic` (RFC 7617). */
export function readBasic(
  authorization: string | undefined,
): { readonly name: string; readonly password: string } | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/]{1,400}={0,2})$/i.exec(authorization ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const match = /^([A-Za-z0-9._:-]{0,64}):([A-Za-z0-9._-]{1,200})$/.exec(
    Buffer.from(encoded, "base64").toString("latin1"),
  );
  return match ? { name: match[1] ?? "", password: match[2] ?? "" } : undefined;
}

/**
 * Logs a refused device once per hour, so that its operator can find it. Unknown devices share one line per hour, or invented names
 * could fill the log.
 */
export async function noteRefusal<Result>(
  context: Context,
  deviceId: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const isRefusal = error instanceof Refusal && [401, 403].includes(refusalStatus(error.code, "POST"));
    const isKnown = isRefusal && (await context.store.findIdentity(deviceId)) !== undefined;
    if (isRefusal && context.refusals.take(isKnown ? deviceId : "", context.now()) === 0) {
      await record(context, (journal) =>
        journal.log({
          kind: "device.refused",
          deviceId,
          message: error.message,
          detail: { error_code: error.code },
        }),
      );
    }
    throw error;
  }
}
