// Headers that protect browsers and keep caches from storing answers without permission. Answers to devices have only those for caches:
// devices pay for each byte. The Content Security Policy: content-security-policy.ts.

import type { FastifyInstance, FastifyReply } from "fastify";
import type { Context } from "../context.js";
import { setContentSecurityPolicy } from "./content-security-policy.js";

const CACHED_METHODS: readonly string[] = Object.freeze(["GET", "HEAD"]);
const YEAR_SECONDS = 365 * 24 * 60 * 60;

export function securityHeaders(app: FastifyInstance, { settings }: Context): void {
  const isPublicTls = settings.publicUrl?.startsWith("https:") === true;
  app.addHook("onSend", (request, reply, _payload, done) => {
    reply.header("x-content-type-options", "nosniff");
    // Caches store answers to other methods only where told to.
    if (CACHED_METHODS.includes(request.method) && !reply.hasHeader("cache-control"))
      reply.header("cache-control", "no-store");
    if (request.routeOptions.config.access !== "device")
      setPageHeaders(reply, isPublicTls || (request.protocol === "https" && !settings.hasPlainToo));
    done();
  });
}

function setPageHeaders(reply: FastifyReply, isAlwaysTls: boolean): void {
  reply
    .header("referrer-policy", "no-referrer")
    .header("x-frame-options", "DENY")
    .header("cross-origin-opener-policy", "same-origin")
    .header("cross-origin-resource-policy", "same-origin");
  setContentSecurityPolicy(reply);
  if (isAlwaysTls) reply.header("strict-transport-security", `max-age=${YEAR_SECONDS}`);
}
