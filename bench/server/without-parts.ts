// A server that lacks one part of the fast path, for the bench to measure what the part brings. `skyslot.ts` takes it out of the
// running server; the product itself has one switch only, Settings.fastPath.

import { join } from "node:path";
import { CompiledQuery } from "kysely";
import { AccessCache } from "../../server/fast-path/access-cache.js";
import type { RunningServer } from "../../server/start.js";
import { FLEET_REVISION } from "../../server/store/sql/no-op-checks.js";
import { connectSqlite } from "../../server/store/sqlite.js";
import type { LastSeenUpdate, Store } from "../../server/store/store.js";

export const PARTS = Object.freeze({
  /** One statement and one commit for each check. */
  batches({ app }: RunningServer): void {
    const { store } = app.context;
    const { updateLastSeen } = store;
    replace(store, async (updates) => {
      const seen = new Set<string>();
      for (const update of updates) for (const id of await updateLastSeen([update])) seen.add(id);
      return seen;
    });
  },
  /** Writes to the devices' rows at once. Their commits do not wait for the disk either. */
  appending({ app }: RunningServer, dataDir: string): void {
    const { db } = connectSqlite(join(dataDir, "skyslot.db"));
    const isReady = db.executeQuery(CompiledQuery.raw("pragma synchronous = normal"));
    replace(app.context.store, async (updates) => {
      await isReady;
      const query = CompiledQuery.raw(updateText(updates.length), updates.flatMap(toRow));
      const { rows } = await db.executeQuery<{ id: string }>(query as CompiledQuery<{ id: string }>);
      return new Set(rows.map(({ id }) => id));
    });
  },
  /** Nothing that was looked up is reused for the next request. */
  "access-cache"({ app }: RunningServer): void {
    const { store, now } = app.context;
    let count = 0;
    const access = new AccessCache({ store, now: () => now() + ++count * 1_000_000 });
    Object.assign(app.context, { access });
  },
});
export type PartName = keyof typeof PARTS;

const replace = (store: Store, updateLastSeen: Store["updateLastSeen"]) =>
  Object.assign(store, { updateLastSeen });

const updateTexts: string[] = [];

/** As the product's own statements: compiled once for every number of updates. */
function updateText(count: number): string {
  updateTexts[count] ??= `
    update devices set last_seen = s.column3, free_heap = s.column4, rssi = s.column5, uptime_seconds = s.column6
    from (values ${Array(count).fill("(?, ?, ?, ?, ?, ?)").join(", ")}) as s
    where devices.id = s.column1 and devices.quiet_key = s.column2 and devices.quiet_revision = ${FLEET_REVISION}
    returning devices.id`;
  return updateTexts[count];
}

const toRow = ({ deviceId, noOpKey, seenAt, freeHeap, rssi, uptimeSeconds }: LastSeenUpdate) => [
  deviceId,
  noOpKey,
  seenAt,
  freeHeap,
  rssi,
  uptimeSeconds,
];
