// The dashboard's page, its script and style. Serves no data: the script reads the same API as everyone, and signs in there.

import type { FastifyInstance } from "fastify";
import { bundleClient } from "./bundle.js";
import { PAGE } from "./page.js";

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

export function dashboardRoutes(app: FastifyInstance): void {
  const open = { config: { access: "public" as const }, schema: { hide: true } };
  const client = () => {
    bundle ??= bundleClient();
    return bundle;
  };
  let bundle: ReturnType<typeof bundleClient> | undefined;

  // The pages themselves are public: whoever is not known is shown the sign-in, and a one-time link leads to /setup.
  for (const path of ["/", "/setup", "/content-admin", "/upload"]) {
    app.get(path, open, async (_request, reply) =>
      reply
        .type("text/html; charset=utf-8")
        .header("content-security-policy", CONTENT_SECURITY_POLICY)
        .header("cache-control", "no-store")
        .send(PAGE),
    );
  }
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
}
