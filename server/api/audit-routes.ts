// The audit log: who changed what, newest first. It is only read here; changes write it, see journal.ts.

import type { Static } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import { Refusal } from "../shared/refusal.js";
import { AuditQuery } from "./account-schemas.js";
import { viewAudit } from "./account-views.js";
import type { Context } from "./context.js";

export function auditRoutes(app: FastifyInstance, { store }: Context): void {
  app.get<{ Querystring: Static<typeof AuditQuery> }>(
    "/api/audit",
    { config: { access: "audit:read" }, schema: { querystring: AuditQuery, summary: "Who changed what" } },
    async ({ query }) => {
      const { actor, action, subject, since, until, before, limit } = query;
      const entries = await store.listAudit({
        limit,
        ...(actor === undefined ? {} : { actor }),
        ...(action === undefined ? {} : { action }),
        ...(subject === undefined ? {} : { subject }),
        ...(since === undefined ? {} : { since: parseTime("since", since) }),
        ...(until === undefined ? {} : { until: parseTime("until", until) }),
        ...(before === undefined ? {} : { beforeId: before }),
      });
      return { entries: entries.map(viewAudit), next_before: entries.at(-1)?.id ?? null };
    },
  );
}

function parseTime(name: string, text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new Refusal("INVALID_REQUEST", `${name}: "${text}" is no point in time`);
  return time;
}
