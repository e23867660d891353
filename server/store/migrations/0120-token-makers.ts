// Who made an API token: an administrator can make one for somebody else, and then knows it.

import type { StoreMigration } from "./migration.js";

export const tokenMakers: StoreMigration = {
  name: "0120_token_makers",
  async up(db, columns) {
    await db.schema.alterTable("api_tokens").addColumn("made_by", columns.text).execute();
  },
};
