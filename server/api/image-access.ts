// Who may have what is made for the devices of one type: their images, what is told of them, their pictures. Of an open type: whoever
// asks, because many clients know no tokens. Of a closed one (devices enrolled, approved by hand, or tokens required) only
//
//   a device of the type    its own token, or the type's where that is enough, and its name: in the path, ?device=ID, or Basic's
//   a person or a program   signed in or with an API token that may read or report a mesh, and may change this type if it is bound
//
// Nothing secret ever stands in an address, so no address is signed: an address ends up in the logs of proxies, and has to be good
// for as long as a slow download may take. Every client can send a header; those that set none can send a name and a password.

import { hash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { isSecret } from "../auth/secret.js";
import { ANY_TYPE, requireMember } from "../devices/identity.js";
import { mayChange, mayDo } from "../shared/actor.js";
import { Refusal } from "../shared/refusal.js";
import type { Context } from "./context.js";
import { credentialOf, noteRefusal, readBasic } from "./device-check.js";
import { identify } from "./guard.js";
import { refusalStatus } from "./http/refusal-status.js";

/** What is asked for: of which type, and by which device as far as the request says. */
export interface Wanted {
  /** Absent: of a device that nobody knows. */
  readonly deviceType: string | undefined;
  readonly deviceId?: string | undefined;
}

/** @returns whether everybody may have it, and so a cache may keep it for others. @throws Refusal TOKEN_REQUIRED, FORBIDDEN, DEVICE_… */
export async function requireAccess(
  request: FastifyRequest,
  context: Context,
  { deviceType, deviceId }: Wanted,
): Promise<"everybody" | "known"> {
  if (await context.access.isOpen(deviceType)) return "everybody";
  const credential = credentialOf(request);
  if (credential === undefined || !(isSecret("device", credential) || isSecret("enrolment", credential))) {
    await requireActor(request, context, deviceType);
    return "known";
  }
  const name = deviceId ?? readBasic(request.headers.authorization)?.name;
  if (!name) {
    throw new Refusal(
      "DEVICE_UNNAMED",
      "a device's token is good with the device's name only: add ?device=ID to the address",
    );
  }
  const shown = { deviceId: name, deviceType: deviceType ?? ANY_TYPE, credential };
  await context.access.admit(keyOf(shown), () =>
    noteRefusal(context, name, () => requireMember({ store: context.store, time: context.now() }, shown)),
  );
  return "known";
}

/** The same for where nobody is to guess what there is: who may not have it is told what is told where there is none. */
export async function mayAccess(request: FastifyRequest, context: Context, wanted: Wanted): Promise<boolean> {
  try {
    await requireAccess(request, context, wanted);
    return true;
  } catch (error) {
    if (error instanceof Refusal && refusalStatus(error.code, request.method) < 500) return false;
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
      "this is for devices that show their token and for people who are signed in: send Authorization: Bearer",
    );
  }
  const isAllowed = mayDo(actor, "read") || mayDo(actor, "mesh:report");
  if (isAllowed && mayChange(actor, { deviceType: deviceType ?? ANY_TYPE })) return;
  throw new Refusal("FORBIDDEN", `${actor.name} may not have what is made for devices of this type`);
}

/** No secret stays in memory. */
const keyOf = (shown: object): string => hash("sha256", JSON.stringify(shown), "base64url");
