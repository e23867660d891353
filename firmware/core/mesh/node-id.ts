// Ids of painlessMesh nodes: unsigned 32-bit numbers, the last four bytes of a MAC address, highest first (the library's encodeNodeId).

import type { JsonValue } from "../json.js";

/** @param mac of the access point that the node opens or could open, or of its station: `aa:bb:cc:dd:ee:ff` */
export const nodeIdOf = (mac: string): number => Number.parseInt(mac.split(":").slice(2).join(""), 16) || 0;

/** A u32 of a message; 0 for anything else. */
export const idOf = (value: JsonValue | undefined): number =>
  isCount(value) && value <= 0xffffffff ? value : 0;

export const isCount = (value: JsonValue | undefined): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0;
