// What the store remembers of changes to many devices that a server carries out by itself, part by part: how far each has come, and what
// became of the devices.

import type { Actor } from "../shared/actor.js";
import type { BulkChange, BulkTally, Selection } from "../shared/bulk-run.js";
import type { Page, Paged } from "./page.js";

type BulkJobState = "running" | "done" | "cancelled" | "failed";

export interface BulkJob {
  readonly id: number;
  readonly change: BulkChange;
  readonly selection: Selection;
  /** Who ordered it, with the rights that they had then. */
  readonly actor: Actor;
  readonly state: BulkJobState;
  /** Why it failed. */
  readonly reason: string | null;
  /** Devices when it began. */
  readonly totalCount: number;
  readonly doneCount: number;
  readonly refusedCount: number;
  readonly refusals: BulkTally["refusals"];
  /** The last device that it has been through; `null`: none yet. */
  readonly afterId: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly endedAt: number | null;
}

export type NewBulkJob = Pick<BulkJob, "change" | "selection" | "actor" | "totalCount" | "createdAt">;

export interface BulkJobStore {
  /** It is running. Of those that have ended, some hundred are kept. */
  addBulkJob(job: NewBulkJob): Promise<BulkJob>;
  findBulkJob(id: number): Promise<BulkJob | undefined>;
  putBulkJob(job: BulkJob): Promise<void>;
  /** Newest first. */
  listBulkJobs(filter: { readonly state?: BulkJobState }, page: Page): Promise<Paged<BulkJob>>;
}
