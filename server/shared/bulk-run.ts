// Goes through many devices, part by part, and counts what became of them: for the page and for the command line alike. Pure but for
// the request that it is handed.

import type { PushedSettings } from "../../firmware/core/wire.js";
import type { DeviceStatus } from "./device-status.js";
import type { LabelChanges } from "./rollout.js";

export const BULK_KINDS = [
  "restart",
  "settings",
  "labels",
  "approve",
  "block",
  "rotate-token",
  "remove",
  "erase",
] as const;

/** The body of POST /api/devices/bulk. */
export interface BulkRequest {
  readonly kind: (typeof BULK_KINDS)[number];
  /** For `settings`. */
  readonly settings?: PushedSettings;
  /** For `labels`. */
  readonly labels?: LabelChanges;
  readonly devices?: readonly string[];
  /** Instead of devices: all that the list of devices finds by it. */
  readonly filter?: {
    readonly type?: string;
    readonly version?: string;
    readonly tag?: string;
    readonly group?: string;
    readonly status?: DeviceStatus;
    readonly vouched?: "yes" | "no";
    readonly search?: string;
  };
  readonly after?: string;
  readonly limit?: number;
}
export interface BulkAnswer {
  readonly done: number;
  readonly refused: readonly {
    readonly device_id: string;
    readonly error: string;
    readonly message: string;
  }[];
  /** Where to go on, as `after`; `null`: these were the last. */
  readonly next: string | null;
}

/** Devices of one request: few enough that a person sees the progress. */
const PART_COUNT = 250;

export type Selection =
  | { readonly ids: readonly string[] }
  /** All that the list of devices finds by it. */
  | { readonly filter: NonNullable<BulkRequest["filter"]> };

export type BulkChange = Pick<BulkRequest, "kind" | "settings" | "labels">;

/** Devices that were left as they are for one reason. */
interface Refusals {
  readonly error: string;
  readonly count: number;
  /** The first of them. */
  readonly device_id: string;
  readonly message: string;
}
export interface BulkTally {
  readonly done: number;
  readonly refused: number;
  /** Most frequent first. */
  readonly refusals: readonly Refusals[];
}
const NONE_SO_FAR: BulkTally = Object.freeze({ done: 0, refused: 0, refusals: Object.freeze([]) });

/** @param goOn called after each part; `false` stops there */
export async function runBulk(
  send: (body: BulkRequest) => Promise<BulkAnswer>,
  selection: Selection,
  change: BulkChange,
  goOn: (tally: BulkTally) => boolean,
): Promise<BulkTally> {
  let tally = NONE_SO_FAR;
  if ("ids" in selection) {
    for (let at = 0; at < selection.ids.length; at += PART_COUNT) {
      const devices = selection.ids.slice(at, at + PART_COUNT);
      tally = addPart(tally, await send({ ...change, devices }));
      if (!goOn(tally)) break;
    }
    return tally;
  }
  let after: string | null | undefined;
  while (after !== null) {
    const body = { ...change, filter: selection.filter, limit: PART_COUNT };
    const answer = await send(after === undefined ? body : { ...body, after });
    tally = addPart(tally, answer);
    after = answer.next;
    if (!goOn(tally)) break;
  }
  return tally;
}

/** A tally with one part more. */
export function addPart(tally: BulkTally, { done, refused }: BulkAnswer): BulkTally {
  const refusals = new Map(tally.refusals.map((one) => [one.error, one]));
  for (const { error, device_id, message } of refused) {
    const known = refusals.get(error) ?? { error, count: 0, device_id, message };
    refusals.set(error, { ...known, count: known.count + 1 });
  }
  return {
    done: tally.done + done,
    refused: tally.refused + refused.length,
    refusals: [...refusals.values()].sort((a, b) => b.count - a.count),
  };
}
