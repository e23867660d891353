// The audit log: who changed what, newest first, and what of it can be taken back. Changes write it, see journal.ts.

import { Type } from "@sinclair/typebox";
import { recordChange } from "../events/journal.js";
import { defined } from "../shared/defined.js";
import { Refusal } from "../shared/refusal.js";
import { AuditQuery } from "./account-schemas.js";
import { AuditView, viewAudit } from "./account-views.js";
import { ok } from "./answers.js";
import { undo, undoOf } from "./audit-undo.js";
import type { Context } from "./context.js";
import { integer, integerOrNull, list, text } from "./fields.js";
import { actorOf } from "./guard.js";
import { route } from "./route.js";
import { IdParams } from "./schemas.js";
import type { Api } from "./typed-app.js";

export function auditRoutes(app: Api, context: Context): void {
  const { store } = context;

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
      const views = entries.map(async (entry) =>
        viewAudit(entry, (await undoOf(store, entry))?.outcome ?? null),
      );
      return { entries: await Promise.all(views), next_before: entries.at(-1)?.id ?? null };
    },
  );

  app.post(
    "/api/audit/:id/undo",
    route(
      "audit:read",
      "Take back a change that gave devices or people more than they had; needs what the change itself needed",
      ok(Type.Object({ id: integer(), outcome: text("What is so now, for people") })),
      { params: IdParams, config: { isOfAllTypes: true } },
    ),
    async (request) => {
      const { id } = request.params;
      const { outcome } = await recordChange(context, actorOf(request), (journal) =>
        undo(journal, context, actorOf(request), id),
      );
      return { id, outcome };
    },
  );
}

function parseTime(name: string, text: string | undefined): number | undefined {
  const time = text === undefined ? undefined : Date.parse(text);
  if (Number.isNaN(time)) throw new Refusal("INVALID_REQUEST", `${name}: "${text}" is not a valid time`);
  return time;
}
