// Device types: which of them accept unsigned firmware.

import { Type } from "@sinclair/typebox";
import { requireChange } from "../auth/require-change.js";
import { recordChange } from "../events/journal.js";
import { setTypeKind } from "../releases/device-type.js";
import { mayChange } from "../shared/actor.js";
import { listed, ok } from "./answers.js";
import type { Context } from "./context.js";
import { actorOf } from "./guard.js";
import { TypeView, viewType } from "./release-views.js";
import { route } from "./route.js";
import { Exactly, Name } from "./schemas.js";
import type { Api } from "./typed-app.js";

const TypeParams = Type.Object({ name: Name });
const TypeBody = Exactly({
  kind: Type.Union([Type.Literal("signed"), Type.Literal("legacy")], {
    description:
      "signed: releases need a manifest signed by a trusted key. legacy: its devices do not check signatures.",
  }),
});

export function typeRoutes(app: Api, context: Context): void {
  app.get(
    "/api/types",
    route("read", "List device types", ok(listed("types", TypeView))),
    async (request) => ({
      types: (await context.store.listTypes())
        .filter(({ name }) => mayChange(actorOf(request), { deviceType: name }))
        .map(viewType),
    }),
  );

  app.put(
    "/api/types/:name",
    route("settings:write", "Set whether a device type accepts signed releases only", ok(TypeView), {
      params: TypeParams,
      body: TypeBody,
    }),
    async (request) => {
      const { params, body } = request;
      requireChange(actorOf(request), { deviceType: params.name });
      const change = recordChange(context, actorOf(request), (journal) =>
        setTypeKind(journal, params.name, body.kind),
      );
      return viewType(await change);
    },
  );
}
