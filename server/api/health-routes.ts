// What monitors ask: is it alive, can it work, and what has it counted.

import type { FastifyInstance } from "fastify";
import type { Context } from "./context.js";

const OPEN = Object.freeze({ access: "public" as const, isUnbounded: true });

export function healthRoutes(app: FastifyInstance, { readiness, metrics }: Context): void {
  // Alive: restarting the process would help nobody. Asks nothing of the database, whose failure a restart does not cure.
  app.get("/healthz", { config: OPEN, schema: { summary: "Whether the server runs" } }, async () => ({
    status: "ok",
  }));

  // Ready: requests may be sent here.
  app.get(
    "/readyz",
    { config: OPEN, schema: { summary: "Whether requests may be sent here" } },
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
    { config: { access: "read" }, schema: { summary: "Metrics for Prometheus" } },
    async (_request, reply) =>
      reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
