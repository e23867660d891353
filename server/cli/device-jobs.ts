// `skyslot device jobs` and `cancel-job`: changes of many devices that the server carries out by itself.

import type { BulkJobView } from "../api/bulk-job-routes.js";
import { type AddCommand, callServer, query, type ServerFlags } from "./client.js";
import { printRows, show, wholeNumber } from "./output.js";
import { toSecond } from "./times.js";

/** @param add adds a command to the group `device` */
export function deviceJobCommands(add: AddCommand): void {
  add("jobs", "list changes of many devices that were ordered on the pages, newest first")
    .option("--limit <n>", "maximum number of rows to return", wholeNumber, 20)
    .action(({ limit, ...flags }: ServerFlags & { readonly limit: number }) =>
      show(
        flags,
        callServer<{ readonly jobs: readonly BulkJobView[] }>(flags, `GET /api/bulk-jobs${query({ limit })}`),
        ({ jobs }) =>
          printRows(jobs, {
            ID: "id",
            WHAT: "kind",
            STATE: "state",
            DEVICES: "total",
            DONE: "done",
            UNCHANGED: "refused",
            BY: "created_by",
            BEGUN: (job) => toSecond(job.created_at),
          }),
      ),
    );
  add("cancel-job <id>", "end a change of many devices; those that were changed so far stay changed").action(
    (id: string, flags: ServerFlags) =>
      show(
        flags,
        callServer<BulkJobView>(flags, `POST /api/bulk-jobs/${wholeNumber(id)}/cancel`),
        ({ state, done, total }) => `job ${id} is ${state}: ${done} of ${total} devices are changed`,
      ),
  );
}
