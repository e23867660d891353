// What clients of other servers send where ours send text and a build number: an integer as the device's id, and no build.

import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from "fastify";

/**
 * Runs before a body is validated. An integer is the device of that name (`1` is device "1"), and a client that counts no builds
 * runs build 0. Other numbers stay what they are, and are refused.
 */
export function readOtherClients(
  request: FastifyRequest,
  _reply: FastifyReply,
  done: HookHandlerDoneFunction,
): void {
  const { body } = request;
  if (typeof body === "object" && body !== null) {
    const fields = body as Record<string, unknown>;
    const { device_id: id } = fields;
    if (typeof id === "number" && Number.isSafeInteger(id) && id >= 0) fields.device_id = `${id}`;
    if ("device_type" in fields) fields.current_build ??= 0;
  }
  done();
}
