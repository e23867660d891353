// What follows when an answer has been written to its end. As far as the server knows: proxies and the client's radio are in between.

import { finished } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Journal, record } from "../../events/journal.js";
import type { Context } from "../context.js";
import { aboutDevice } from "../device-check.js";

/** Only for a whole body: not for a part, nothing (304) or a redirect. A failure is logged: the answer is on its way all the same. */
export function whenSentWhole(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  deviceId: string,
  work: (journal: Journal) => Promise<unknown>,
): void {
  finished(reply.raw, (broken) => {
    if (broken || reply.statusCode !== 200 || request.method === "HEAD") return;
    const noted = record(context, work, { about: aboutDevice(deviceId) });
    noted.catch((error: unknown) => request.log.warn({ err: error }, "a file that was sent was not noted"));
  });
}
