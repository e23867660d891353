// Device types: which of them take firmware that nobody has signed.

import { type Static, Type } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import { record } from "../journal.js";
import type { Context } from "./context.js";
import { Name } from "./schemas.js";
import { viewType } from "./views.js";

const TypeParams = Type.Object({ name: Name });
const TypeBody = Type.Object({
  kind: Type.Union([Type.Literal("signed"), Type.Literal("legacy")], {
    description:
      "signed: releases need a manifest signed by a trusted key. legacy: its devices know no signatures.",
  }),
});

export function typeRoutes(app: FastifyInstance, context: Context): void {
  app.get("/api/types", async () => ({ types: (await context.store.listTypes()).map(viewType) }));

  app.put<{ Params: Static<typeof TypeParams>; Body: Static<typeof TypeBody> }>(
    "/api/types/:name",
    { schema: { params: TypeParams, body: TypeBody } },
    async ({ params, body }) => {
      const type = await record(context, async (journal) => {
        const known = await journal.store.findType(params.name);
        if (known?.kind !== body.kind) {
          await journal.log({ kind: "type.changed", message: `type ${params.name} is ${body.kind} now` });
        }
        return journal.store.putType(params.name, body.kind, journal.time);
      });
      return viewType(type);
    },
  );
}
