// What every answer tells a browser to keep it from being used against its owner, and caches between to keep nothing that they were
// not told to keep. Devices are no browsers and pay for each byte.

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Context } from "../context.js";

/** For answers that are no pages: nothing in them may run, load or be framed. Pages bring a policy of their own. */
const NOTHING = "default-src 'none'; frame-ancestors 'none'";
const CACHED_METHODS: readonly string[] = Object.freeze(["GET", "HEAD"]);
const YEAR_SECONDS = 365 * 24 * 60 * 60;

export function securityHeaders(app: FastifyInstance, { settings }: Context): void {
  const isPublicTls = settings.publicUrl?.startsWith("https:") === true;
  app.addHook("onSend", (request, reply, _payload, done) => {
    reply.header("x-content-type-options", "nosniff");
    // Answers to other methods are kept by no cache that is not told to.
    if (CACHED_METHODS.includes(request.method) && !reply.hasHeader("cache-control"))
      reply.header("cache-control", "no-store");
    if (request.routeOptions.config.access !== "device") setPageHeaders(request, reply, isPublicTls);
    done();
  });
}

function setPageHeaders(request: FastifyRequest, reply: FastifyReply, isPublicTls: boolean): void {
  reply
    .header("referrer-policy", "no-referrer")
    .header("x-frame-options", "DENY")
    .header("cross-origin-opener-policy", "same-origin")
    .header("cross-origin-resource-policy", "same-origin");
  if (!reply.hasHeader("content-security-policy")) reply.header("content-security-policy", NOTHING);
  if (isPublicTls || request.protocol === "https")
    reply.header("strict-transport-security", `max-age=${YEAR_SECONDS}`);
}
