// Saved views in SQL.

import type { Kysely } from "kysely";
import type { SavedView, SavedViewStore } from "../saved-views.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const views = tableOf<SavedView, "saved_views">("saved_views", {});

export const createSavedViewStore = (db: Kysely<Tables>): SavedViewStore => ({
  listSavedViews: (userId) => views.list(views.select(db, { userId }).orderBy("name")),

  async putSavedView(view) {
    await views.put(db, view, ["userId", "name"]);
  },

  removeSavedView: (userId, name) => views.remove(db, { userId, name }),
});
