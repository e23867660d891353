// The dashboard's page, its script and style, and its sign-in. Serves no data: the script reads the same API as everyone.

import type { Static } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import type { Context } from "../api/context.js";
import { ApiError } from "../api/errors.js";
import { isAllowed, SESSION_COOKIE } from "../api/guard.js";
import { SessionBody } from "../api/schemas.js";
import { bundleClient } from "./bundle.js";
import { page } from "./page.js";

const SESSION_SECONDS = 12 * 60 * 60;
/** Nothing from elsewhere, nothing inline, no frames. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export function dashboardRoutes(app: FastifyInstance, context: Context): void {
  const open = { config: { isPublic: true } };
  const client = () => {
    bundle ??= bundleClient();
    return bundle;
  };
  let bundle: ReturnType<typeof bundleClient> | undefined;

  // The page itself is public: without a token it shows the sign-in.
  app.get("/", open, async (request, reply) =>
    reply
      .type("text/html; charset=utf-8")
      .header("content-security-policy", CONTENT_SECURITY_POLICY)
      .header("cache-control", "no-store")
      .send(page(await isAllowed(request, context))),
  );
  app.get("/dashboard/client.js", open, async (_request, reply) =>
    reply
      .type("text/javascript; charset=utf-8")
      .header("cache-control", "no-cache")
      .send((await client()).script),
  );
  app.get("/dashboard/client.css", open, async (_request, reply) =>
    reply
      .type("text/css; charset=utf-8")
      .header("cache-control", "no-cache")
      .send((await client()).style),
  );

  // The cookie is a token of its own, good for half a day and for reads only; scripts cannot see it.
  app.post<{ Body: Static<typeof SessionBody> }>(
    "/api/session",
    { ...open, bodyLimit: 8192, schema: { body: SessionBody } },
    async ({ body }, reply) => {
      const subject = await context.auth.verify(body.token.trim());
      if (subject === undefined)
        throw new ApiError(401, "UNAUTHORIZED", "this token is not valid here, or has expired");
      const session = await context.auth.issue(subject, SESSION_SECONDS * 1000);
      return reply
        .header(
          "set-cookie",
          `${SESSION_COOKIE}=${session}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${SESSION_SECONDS}`,
        )
        .send({ signed_in: true });
    },
  );
}
