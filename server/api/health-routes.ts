// For monitoring: liveness, readiness and metrics.

import { Type } from "@sinclair/typebox";
import { ok, sent, unavailable } from "./answers.js";
import type { Context } from "./context.js";
import { named, oneOf } from "./fields.js";
import { route } from "./route.js";
import type { Api } from "./typed-app.js";

const ReadinessView = named("Readiness", "Whether requests may be sent here", {
  status: oneOf(["ready", "not ready"]),
  checks: Type.Record(Type.String(), Type.String(), { description: "By name: ok, or what is wrong" }),
});
const UNBOUNDED = Object.freeze({ config: { isUnbounded: true } });

export function healthRoutes(app: Api, { readiness, metrics }: Context): void {
  // Liveness: does not check the database, whose failure a restart would not fix.
  app.get(
    "/healthz",
    route("public", "Liveness", ok(Type.Object({ status: Type.Literal("ok") })), UNBOUNDED),
    async () => ({ status: "ok" as const }),
  );

  // Readiness: requests may be sent here.
  app.get(
    "/readyz",
    route(
      "public",
      "Readiness",
      { ...ok(ReadinessView, "Ready"), ...unavailable(ReadinessView, "Not ready, and why") },
      UNBOUNDED,
    ),
    async (request, reply) => {
      const checks = Object.entries(await readiness.check());
      const isReady = checks.every(([, trouble]) => trouble === undefined);
      if (!isReady) request.log.warn({ checks: Object.fromEntries(checks) }, "not ready");
      return reply.code(isReady ? 200 : 503).send({
        status: isReady ? "ready" : "not ready",
        checks: Object.fromEntries(checks.map(([name, trouble]) => [name, trouble ?? "ok"])),
      });
    },
  );

  app.get(
    "/metrics",
    route("read", "Metrics for Prometheus", sent("text/plain", "Metrics in Prometheus' format"), {
      config: { isOfAllTypes: true },
    }),
    async (_request, reply) =>
      reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
