// Who may read the manifest of a system: whoever has access to the images of one of its types, so that a device that leads others finds
// their releases too. Their images need access of their own.

import type { FastifyRequest } from "fastify";
import type { Context } from "./context.js";
import { mayAccess } from "./image-access.js";

/**
 * @param deviceId the requesting device, if the request names it
 * @returns one of the types that the request gives access to: the device's own, if it is known; `undefined`: it gives access to none
 */
export async function findAccessible(
  request: FastifyRequest,
  context: Context,
  types: readonly string[],
  deviceId: string | undefined,
): Promise<string | undefined> {
  const device = deviceId === undefined ? undefined : await context.store.findDevice(deviceId);
  // A token that is shown for another type than its device's counts as refused, and is logged.
  const own = types.filter((type) => type === device?.type);
  for (const type of own.length > 0 ? own : types)
    if (await mayAccess(request, context, { deviceType: type, deviceId })) return type;
  return undefined;
}
