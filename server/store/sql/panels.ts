// Panels in SQL.

import type { Kysely } from "kysely";
import type { Panel, PanelStore } from "../panels.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const panels = tableOf<Panel, "panels">("panels", {});

export const createPanelStore = (db: Kysely<Tables>): PanelStore => ({
  findPanel: (deviceId) => panels.find(db, { deviceId }),

  async putPanel(panel) {
    await panels.put(db, panel, ["deviceId"], ["askedAt"]);
  },
});
