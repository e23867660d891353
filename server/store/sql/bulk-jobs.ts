// Changes of many devices in SQL.

import type { Kysely } from "kysely";
import type { BulkJob, BulkJobStore } from "../bulk-jobs.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const KEPT_COUNT = 200;

const jobs = tableOf<BulkJob, "bulk_jobs">("bulk_jobs", {
  change: "json",
  selection: "json",
  actor: "json",
  refusals: "json",
});

export function createBulkJobStore(db: Kysely<Tables>): BulkJobStore {
  return {
    async addBulkJob(job) {
      const added = await jobs.add(db, {
        ...job,
        state: "running",
        doneCount: 0,
        refusedCount: 0,
        refusals: [],
        updatedAt: job.createdAt,
      });
      await db
        .deleteFrom("bulk_jobs")
        .where("id", "<=", added.id - KEPT_COUNT)
        .where("state", "<>", "running")
        .execute();
      return added;
    },

    findBulkJob: (id) => jobs.find(db, { id }),

    putBulkJob: async (job) => {
      await jobs.put(db, job, ["id"], ["createdAt"]);
    },

    listBulkJobs: (filter, page) => jobs.page(jobs.select(db, filter).orderBy("id", "desc"), page),
  };
}
