// What belongs to some device types: the ids of it, for filters.

import type { Kysely } from "kysely";
import type { Tables } from "./tables.js";

export const firmwareOf = (db: Kysely<Tables>, deviceTypes: readonly string[]) =>
  db.selectFrom("firmware").select("id").where("device_type", "in", deviceTypes);

export const devicesOf = (db: Kysely<Tables>, deviceTypes: readonly string[]) =>
  db.selectFrom("devices").select("id").where("type", "in", deviceTypes);
