// Access to what belongs to a device type: its images, manifests and pictures. For an open type: any client, because many do not
// support tokens. For a closed one (enrolment, approval, or tokens required) only
//
//   a device of the type    its own token, or the type's where that is enough, and its name: in the path, ?device=ID, or Basic's
//   a person or a program   signed in or with an API token that may read or report a mesh, and may change this type if it is bound
//
// URLs contain no secrets and are not signed: they end up in the logs of proxies, and must stay valid for the longest download. Every
// client can send a header, or at least a name and a password.

import { hash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { isSecret } from "../auth/secret.js";
import { ANY_TYPE, requireMember } from "../devices/identity.js";
import { mayChange, mayDo } from "../shared/actor.js";
import { Refusal } from "../shared/refusal.js";
import type { Context } from "./context.js";
import { credentialOf, noteRefusal, readBasic } from "./device-check.js";
import { proveWithin } from "./device-rate.js";
import { identify } from "./guard.js";
import { refusalStatus } from "./http/refusal-status.js";

/** The device type, and the requesting device if the request names it. */
export interface Wanted {
  /** Absent: of an unknown device. */
  readonly deviceType: string | undefined;
  readonly deviceId?: string | undefined;
}

/** @returns `everybody` if any client may have it, so that shared caches may store it. @throws Refusal TOKEN_REQUIRED, FORBIDDEN, DEVICE_… */
export async function requireAccess(
  request: FastifyRequest,
  context: Context,
  { deviceType, deviceId }: Wanted,
): Promise<"everybody" | "known"> {
  if (await context.access.isOpen(deviceType)) return "everybody";
  const credential = credentialOf(request);
  if (credential === undefined || !(isSecret("device", credential) || isSecret("enrolment", credential))) {
    await proveWithin(context, request, deviceId ?? "", () => requireActor(request, context, deviceType));
    return "known";
  }
  const name = deviceId ?? readBasic(request.headers.authorization)?.name;
  if (!name) {
    throw new Refusal(
      "DEVICE_UNNAMED",
      "a device's token is valid only with the device's name: add ?device=ID to the URL",
    );
  }
  const shown = { deviceId: name, deviceType: deviceType ?? ANY_TYPE, credential };
  const prove = () =>
    noteRefusal(context, name, () => requireMember({ store: context.store, time: context.now() }, shown));
  await context.access.admit(keyOf(shown), () => proveWithin(context, request, name, prove));
  return "known";
}

const HIDDEN: readonly number[] = Object.freeze([401, 403]);

/** The same, where a refusal must not reveal that something exists. */
export async function mayAccess(request: FastifyRequest, context: Context, wanted: Wanted): Promise<boolean> {
  try {
    await requireAccess(request, context, wanted);
    return true;
  } catch (error) {
    if (error instanceof Refusal && HIDDEN.includes(refusalStatus(error.code, request.method))) return false;
    throw error;
  }
}

async function requireActor(
  request: FastifyRequest,
  context: Context,
  deviceType: string | undefined,
): Promise<void> {
  const actor = await identify(request, context);
  if (!actor) {
    throw new Refusal(
      "TOKEN_REQUIRED",
      "this needs a device's token or a signed-in user: send Authorization: Bearer",
    );
  }
  const isAllowed = mayDo(actor, "read") || mayDo(actor, "mesh:report");
  if (isAllowed && mayChange(actor, { deviceType: deviceType ?? ANY_TYPE })) return;
  throw new Refusal("FORBIDDEN", `${actor.name} may not access images and content of this device type`);
}

/** Hashed, so that no secret stays in memory. */
const keyOf = (shown: object): string => hash("sha256", JSON.stringify(shown), "base64url");
