// The dashboard's page, its script and style. Serves no data: the script uses the public API, and signs in there.

import type { FastifyInstance } from "fastify";
import type { Context } from "../api/context.js";
import { DASHBOARD_POLICY, setContentSecurityPolicy } from "../api/http/content-security-policy.js";
import { bundleClient, type ClientBundle, type ClientFile } from "./bundle.js";
import { pageAt } from "./page.js";
import { PAGE_PATHS } from "./paths.js";

export function dashboardRoutes(app: FastifyInstance, { prefix }: Pick<Context, "prefix">): void {
  const page = pageAt(prefix);
  const open = { config: { access: "public" as const }, schema: { hide: true } };
  const client = () => {
    bundle ??= bundleClient();
    return bundle;
  };
  let bundle: ReturnType<typeof bundleClient> | undefined;

  // The pages themselves are public: they show the sign-in to users without a session. One-time links lead to /setup.
  for (const path of [...PAGE_PATHS, "/setup"]) {
    app.get(path, open, async (_request, reply) =>
      setContentSecurityPolicy(reply, DASHBOARD_POLICY)
        .type("text/html; charset=utf-8")
        .header("cache-control", "no-store")
        .send(page),
    );
  }
  const file = (path: string, type: string, choose: (client: ClientBundle) => ClientFile): void => {
    app.get(path, open, async (request, reply) => {
      const { text, etag } = choose(await client());
      reply.header("cache-control", "no-cache").header("etag", etag);
      return request.headers["if-none-match"] === etag
        ? reply.code(304).send()
        : reply.type(`${type}; charset=utf-8`).send(text);
    });
  };
  file("/dashboard/client.js", "text/javascript", ({ script }) => script);
  file("/dashboard/client.css", "text/css", ({ style }) => style);
}
