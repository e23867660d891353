// Loaded before the suites of `.mocharc.postgres.json`: what they open as a test server's store is PostgreSQL.

import { postgresOrSkip } from "./postgres.js";

process.env.SKYSLOT_TEST_STORE = "postgres";

before(async function () {
  await postgresOrSkip(this);
});
