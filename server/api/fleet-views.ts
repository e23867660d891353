// The fleet as a whole as clients see it.

import { type Static, Type } from "@sinclair/typebox";
import { boolean, dateTime, integer, list, named, number, orNull, text } from "./fields.js";
import { viewer } from "./view.js";

export const VersionCountView = named("VersionCount", "How many devices run a version", {
  device_type: text(),
  version: text(),
  device_count: integer(),
});
export type VersionCountView = Static<typeof VersionCountView>;
export const viewCount = viewer(VersionCountView);

export const FleetView = named("Fleet", "How many devices there are, and what they run", {
  online: integer("Devices"),
  late: integer("Devices that missed a check or two"),
  offline: integer("Devices"),
  total: integer("Devices"),
  pending: integer("Devices that wait for approval"),
  unvouched: integer("Approved devices that nobody vouched for"),
  frozen: integer("Devices that say that they have had no statement of freshness for two weeks"),
  root_expires_at: orNull(dateTime(), "Of the newest trust root; null: there is none"),
  root_expires_soon: boolean("Within 30 days, or it has expired"),
  freshness_unnamed: boolean("The newest trust root names freshness keys, and this server has none of them"),
  versions: list(VersionCountView),
  time: dateTime("When it was counted"),
});
export type FleetView = Static<typeof FleetView>;

export const HistoryView = named("FleetHistory", "What the fleet ran, oldest first; the last sample is now", {
  hourly_days: number("For how many days samples are hourly; older ones are daily"),
  samples: list(Type.Object({ time: dateTime(), versions: list(VersionCountView) })),
});
export type HistoryView = Static<typeof HistoryView>;
