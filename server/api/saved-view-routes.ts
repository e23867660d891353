// Views of the device list that a person has saved: filters and order under a name, for that person alone.

import { Type } from "@sinclair/typebox";
import { Refusal } from "../shared/refusal.js";
import { ok } from "./answers.js";
import type { Context } from "./context.js";
import { list, named, text } from "./fields.js";
import { actorOf } from "./guard.js";
import { route } from "./route.js";
import { Exactly, Label } from "./schemas.js";
import type { Api } from "./typed-app.js";
import { viewer } from "./view.js";

/** Of one person: a row of links, not an archive. */
const MAX_VIEW_COUNT = 30;

const SavedViewView = named("SavedView", "A saved view of the device list", {
  name: text(),
  query: text("Of the page's URL, such as status=late&order=battery"),
});
const viewSaved = viewer(SavedViewView);
const ViewParams = Type.Object({ name: Label });
const ViewBody = Exactly({
  query: Type.String({ maxLength: 500, pattern: "^[A-Za-z0-9%&=+._~*-]*$", description: "without `?`" }),
});

export function savedViewRoutes(app: Api, { store }: Context): void {
  app.get(
    "/api/auth/views",
    route(
      "person",
      "List one's own saved views of the device list",
      ok(Type.Object({ views: list(SavedViewView) })),
    ),
    async (request) => {
      const { userId } = actorOf(request);
      const views = userId === null ? [] : await store.listSavedViews(userId);
      return { views: views.map((one) => viewSaved(one)) };
    },
  );

  app.put(
    "/api/auth/views/:name",
    route("person", "Save a view of the device list, or replace it", ok(SavedViewView), {
      params: ViewParams,
      body: ViewBody,
    }),
    async (request) => {
      const { userId, name: actor } = actorOf(request);
      if (userId === null) throw new Refusal("NOT_A_USER", `${actor} is no user, and keeps no views`);
      const view = { userId, name: request.params.name, query: request.body.query };
      await store.transaction(async (inside) => {
        const known = await inside.listSavedViews(userId);
        if (known.length >= MAX_VIEW_COUNT && !known.some(({ name }) => name === view.name))
          throw new Refusal(
            "VIEW_LIMIT",
            `you have ${known.length} views, that is the limit: delete one first`,
          );
        await inside.putSavedView(view);
      });
      return viewSaved(view);
    },
  );

  app.delete(
    "/api/auth/views/:name",
    route("person", "Delete one of one's own views", ok(Type.Object({ deleted: Type.Literal(true) })), {
      params: ViewParams,
    }),
    async (request) => {
      const { userId } = actorOf(request);
      const { name } = request.params;
      if (userId === null || !(await store.removeSavedView(userId, name)))
        throw new Refusal("VIEW_UNKNOWN", `you have no view ${name}`);
      return { deleted: true as const };
    },
  );
}
