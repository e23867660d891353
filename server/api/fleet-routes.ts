// The fleet as a whole: counts by status and version, and their history. Read only.

import { Type } from "@sinclair/typebox";
import { readRoot } from "../../release/root.js";
import { DAILY_MS, DAY_MS, HOURLY_MS } from "../devices/version-history.js";
import { lacksFreshnessKey } from "../releases/freshness.js";
import { expiresSoon } from "../releases/trust-roots.js";
import { mayChange } from "../shared/actor.js";
import { time } from "../shared/iso-time.js";
import type { VersionCount } from "../store/store.js";
import { ok } from "./answers.js";
import type { Context } from "./context.js";
import { FleetView, HistoryView, viewCount } from "./fleet-views.js";
import { actorOf } from "./guard.js";
import { route } from "./route.js";
import { Name } from "./schemas.js";
import type { Api } from "./typed-app.js";

/** Counting a large fleet takes 100 ms, so its result is shared for this long. */
const COUNTED_FOR_MS = 3_000;

const HistoryQuery = Type.Object({
  device_type: Type.Optional(Name),
  days: Type.Integer({ minimum: 1, maximum: Math.floor(DAILY_MS / DAY_MS), default: 7 }),
});

export function fleetRoutes(app: Api, context: Context): void {
  const { store, now } = context;
  let counted: { readonly at: number; readonly fleet: ReturnType<typeof countFleet> } | undefined;

  app.get(
    "/api/fleet",
    route("read", "Count devices by status and version", ok(FleetView), { config: { isOfAllTypes: true } }),
    async () => {
      if (!counted || Math.abs(now() - counted.at) > COUNTED_FOR_MS)
        counted = { at: now(), fleet: countFleet(context) };
      return counted.fleet.catch((error: unknown) => {
        counted = undefined;
        throw error;
      });
    },
  );

  app.get(
    "/api/fleet/history",
    route(
      "read",
      "Count devices by version over time: hourly, and daily for older samples; the last is now",
      ok(HistoryView),
      { querystring: HistoryQuery },
    ),
    async (request) => {
      const { query } = request;
      const type = query.device_type;
      const isSeen = (count: VersionCount) => mayChange(actorOf(request), count);
      const samples = (await store.listVersionSamples(now() - query.days * DAY_MS, type)).filter(isSeen);
      const current = (await store.countVersions()).filter(
        (count) => (type === undefined || count.deviceType === type) && isSeen(count),
      );
      const byTime = new Map<number, VersionCount[]>();
      for (const sample of samples) {
        const known = byTime.get(sample.time);
        if (known) known.push(sample);
        else byTime.set(sample.time, [sample]);
      }
      byTime.set(now(), current);
      return {
        hourly_days: HOURLY_MS / DAY_MS,
        samples: [...byTime].map(([at, versions]) => ({ time: time(at), versions: versions.map(viewCount) })),
      };
    },
  );
}

async function countFleet(context: Context): Promise<FleetView> {
  const { store, now, settings } = context;
  const statuses = await store.countStatuses({ now: now(), usualMs: settings.onlineMs });
  const pending = await store.listIdentities({ state: "pending" }, { limit: 1, offset: 0 });
  return {
    ...statuses,
    total: statuses.online + statuses.late + statuses.offline,
    pending: pending.totalCount,
    unvouched: [...(await store.countUnvouched()).values()].reduce((sum, count) => sum + count, 0),
    frozen: await store.countFrozenDevices(),
    ...(await viewTrust(context)),
    versions: (await store.countVersions()).map(viewCount),
    time: time(now()),
  };
}

async function viewTrust({ store, now, settings }: Context) {
  const stored = await store.findNewestRoot();
  const root = stored && readRoot(stored.text).root;
  return {
    root_expires_at: root ? time(root.expires * 1000) : null,
    root_expires_soon: root !== undefined && expiresSoon(root, now()),
    freshness_unnamed: root !== undefined && lacksFreshnessKey(root, settings.freshnessKey),
  };
}
