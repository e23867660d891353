// Every request has an id, in the log and in its answer, and is logged and measured when it is over.

import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from "fastify";
import type { Metrics } from "./metrics.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Its answer ends when the client goes: how long that took says nothing. */
    readonly isStream?: boolean;
  }
}

export const REQUEST_ID_HEADER = "x-request-id";
/** Clients may choose it, and it is logged unchanged. */
const SANE_ID = /^[A-Za-z0-9._:-]{1,64}$/;

export function requestId({ headers }: Pick<IncomingMessage, "headers">): string {
  const given = headers[REQUEST_ID_HEADER];
  return typeof given === "string" && SANE_ID.test(given) ? given : randomUUID();
}

/** Fastify's own lines are replaced by those below, but for answers that could not be finished: nobody else says so. */
export class OwnLines extends LogController {
  constructor() {
    super({ disableRequestLogging: true });
  }

  override streamError(
    error: Error & { readonly code?: string },
    { method, url }: FastifyRequest,
    reply: FastifyReply,
  ): void {
    // The client has gone.
    if (error.code === "ERR_STREAM_PREMATURE_CLOSE") return;
    reply.log.error(
      { err: error, method, url },
      "the answer could not be finished, so its connection was ended",
    );
  }
}

export function logRequests(app: FastifyInstance, metrics: Metrics): void {
  app.addHook("onRequest", (request, reply, done) => {
    reply.header(REQUEST_ID_HEADER, request.id);
    done();
  });
  app.addHook("onResponse", (request, reply, done) => {
    const { method, url } = request;
    const { statusCode: status, elapsedTime } = reply;
    request.log.debug({ method, url, status, ms: Math.round(elapsedTime) }, "answered");
    const { config, url: route = "none" } = request.routeOptions;
    if (!config.isStream) metrics.httpDuration.observe({ method, route, status }, elapsedTime / 1000);
    done();
  });
}
