// The Content Security Policies of this server: what a browser may load, run and frame of its answers.

import type { FastifyReply } from "fastify";

const HEADER = "content-security-policy";

/** Answers that are not pages: nothing in them may run, load or be framed. */
const NOTHING = "default-src 'none'; frame-ancestors 'none'";

/** The dashboard: its own files only, nothing inline, no frames. */
export const DASHBOARD_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The pages of the API's description. No upgrade to TLS, which this server may not offer. */
export const DOCS_POLICY =
  "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'";

/** Of every answer; a page sets its own policy before. */
export function setContentSecurityPolicy(reply: FastifyReply, policy = NOTHING): FastifyReply {
  return reply.hasHeader(HEADER) ? reply : reply.header(HEADER, policy);
}
