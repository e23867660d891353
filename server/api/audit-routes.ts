// The audit log: who changed what, newest first. It is only read here; changes write it, see journal.ts.

import { Type } from "@sinclair/typebox";
import { defined } from "../shared/defined.js";
import { Refusal } from "../shared/refusal.js";
import { AuditQuery } from "./account-schemas.js";
import { AuditView, viewAudit } from "./account-views.js";
import { ok } from "./answers.js";
import type { Context } from "./context.js";
import { integerOrNull, list } from "./fields.js";
import { route } from "./route.js";
import type { Api } from "./typed-app.js";

export function auditRoutes(app: Api, { store }: Context): void {
  app.get(
    "/api/audit",
    route(
      "audit:read",
      "Who changed what",
      ok(
        Type.Object({
          entries: list(AuditView, "Newest first"),
          next_before: integerOrNull("Continue with this as `before`; null: there were none"),
        }),
      ),
      { querystring: AuditQuery, config: { isOfAllTypes: true } },
    ),
    async ({ query }) => {
      const { since, until, before, limit, ...names } = query;
      const entries = await store.listAudit({
        limit,
        ...names,
        ...defined({
          since: parseTime("since", since),
          until: parseTime("until", until),
          beforeId: before,
        }),
      });
      return { entries: entries.map(viewAudit), next_before: entries.at(-1)?.id ?? null };
    },
  );
}

function parseTime(name: string, text: string | undefined): number | undefined {
  const time = text === undefined ? undefined : Date.parse(text);
  if (Number.isNaN(time)) throw new Refusal("INVALID_REQUEST", `${name}: "${text}" is not a valid time`);
  return time;
}
