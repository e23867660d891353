// The key of a check: a SHA-256 of everything that its answer, or what is recorded about it, may depend on, the device's token
// included. Not of what is only stored as last seen. A field that is not known here counts: a check that takes the full path without
// need only costs time.

import { hash } from "node:crypto";
import type { CheckRequest } from "../../firmware/core/wire.js";

export function noOpKeyOf(check: CheckRequest, credential: string | undefined): string {
  // With its length in front of it no value can be taken for another. JSON.stringify of an object takes twice as long.
  let material = credential === undefined ? "" : `${credential.length}:${credential}`;
  for (const name in check) {
    if (LAST_SEEN_FIELDS.has(name)) continue;
    const value = check[name as keyof CheckRequest];
    material += `;${name.length}:${name}`;
    material += typeof value === "string" ? `${value.length}:${value}` : `=${JSON.stringify(value)}`;
  }
  return hash("sha256", material, "base64url");
}

/** What LastSeenUpdate stores. */
const LAST_SEEN_FIELDS: ReadonlySet<string> = new Set<keyof CheckRequest>([
  "free_heap",
  "rssi",
  "uptime_seconds",
  "temperature_c",
  "humidity_percent",
  "battery_percent",
]);
