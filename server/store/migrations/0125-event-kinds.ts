// The log is read by kind: without this, all of it is.

import type { StoreMigration } from "./migration.js";

export const eventKinds: StoreMigration = {
  name: "0125_event_kinds",
  async up(db) {
    await db.schema.createIndex("events_kind").on("events").columns(["kind", "id"]).execute();
  },
};
