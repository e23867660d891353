// Times that were stored while a clock was ahead: server/store/sql/clock.ts, and what corrects itself when it is used.

import type { Mutation } from "./mutation.js";

const clock = "server/store/sql/clock.ts";
const buckets = "server/store/sql/login-buckets.ts";
const webhooks = "server/store/sql/webhooks.ts";
const lastSeen = "server/store/sql/last-seen.ts";

export const MUTATIONS: readonly Mutation[] = [
  {
    what: "devices stay seen in the future",
    file: clock,
    original: 'devices: ["first_seen", "last_seen", ',
    mutated: 'devices: ["first_seen", ',
  },
  {
    what: "the gates count nothing until the clock gets to where they begin",
    file: clock,
    original: '    "gates_since",\n',
    mutated: "",
  },
  {
    what: "what is a second ahead is corrected",
    file: clock,
    original: "  const latest = now + CLOCK_SKEW_MS;\n  const isAhead",
    mutated: "  const latest = now;\n  const isAhead",
  },
  {
    what: "a session is as long as the clock was ahead",
    file: clock,
    original: '    sessions: ["created_at", "expires_at"],\n',
    mutated: "",
  },
  {
    what: "what was counted ends at once",
    file: clock,
    original: `- (\${sql.ref(from)} - \${now})`,
    mutated: `- \${sql.ref(from)}`,
  },
  {
    what: "a lease that was given in the future is held until then",
    file: clock,
    original: "      count += await pullBackLeases(db, now);\n",
    mutated: "",
  },
  {
    what: "devices whose checks change nothing are not offered what had expired",
    file: clock,
    original: "if (count > 0) await forgetNoOpKeys(db);",
    mutated: "",
  },
  {
    what: "a bucket that was emptied in the future is empty until then",
    file: buckets,
    original: "if (!row || row.full_at <= emptiedNow)",
    mutated: "if (row || emptiedNow)",
  },
  {
    what: "a delivery that was queued in the future waits until then",
    file: webhooks,
    original: ` or updated_at > \${now + CLOCK_SKEW_MS}`,
    mutated: "",
  },
  {
    what: "checks do not correct when a device was last seen",
    file: lastSeen,
    original: ` or devices.last_seen > s.seen_at + \${WRONG_BY_MS}`,
    mutated: "",
  },
];
