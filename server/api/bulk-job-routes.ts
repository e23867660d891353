// Changes of many devices that the server carries out by itself, so that they go on when the page that ordered them is closed.

import { type Static, Type } from "@sinclair/typebox";
import { type Journal, recordChange } from "../events/journal.js";
import { BULK_KINDS } from "../shared/bulk-run.js";
import { defined } from "../shared/defined.js";
import { Refusal } from "../shared/refusal.js";
import type { BulkJob } from "../store/store.js";
import { created, listOf, ok, page } from "./answers.js";
import type { Context } from "./context.js";
import {
  bulkFields,
  changeOf,
  filterOf,
  readWork,
  selectionFields,
  selectionOf,
} from "./device-bulk-routes.js";
import { dateTime, dateTimeOrNull, integer, list, named, oneOf, text, textOrNull } from "./fields.js";
import { actorOf } from "./guard.js";
import { route } from "./route.js";
import { Exactly, IdParams, Page } from "./schemas.js";
import type { Api } from "./typed-app.js";
import { viewer } from "./view.js";

const STATES = ["running", "done", "cancelled", "failed"] as const;

const JobBody = Exactly({
  ...bulkFields,
  ...selectionFields,
});
const JobsQuery = Type.Object({
  state: Type.Optional(oneOf(STATES, "only these")),
  ...Page,
});
export const BulkJobView = named("BulkJob", "A change of many devices that the server carries out", {
  id: integer(),
  kind: oneOf(BULK_KINDS),
  state: oneOf(STATES, "failed: whoever ordered it may not change devices any more"),
  reason: textOrNull("Why it failed"),
  total: integer("Devices when it began"),
  done: integer("Devices that were changed so far"),
  refused: integer("Devices that were left as they are"),
  refusals: list(
    Type.Object({ error: text(), count: integer(), device_id: text("The first"), message: text() }),
    "Why, most frequent first",
  ),
  created_by: text(),
  created_at: dateTime(),
  updated_at: dateTime(),
  ended_at: dateTimeOrNull(),
});
export type BulkJobView = Static<typeof BulkJobView>;
const viewJob = viewer(BulkJobView, (job: BulkJob) => ({
  ...job,
  kind: job.change.kind,
  total: job.totalCount,
  done: job.doneCount,
  refused: job.refusedCount,

  createdBy: job.actor.name,
}));

export function bulkJobRoutes(app: Api, context: Context): void {
  const { store } = context;
  const config = { isOfAllTypes: true };

  app.post(
    "/api/bulk-jobs",
    route(
      "devices:write",
      "Change many devices: those listed, or all that match a filter. The server carries it out; ask for its progress by its id",
      created(BulkJobView),
      { body: JobBody, bodyLimit: 512 * 1024, config },
    ),
    async (request, reply) => {
      const change = changeOf(request.body);
      readWork(change);
      const selection = selectionOf(request.body);
      const totalCount =
        "ids" in selection
          ? selection.ids.length
          : (await store.listDevices(filterOf(selection.filter, context), { limit: 1, offset: 0 }))
              .totalCount;
      const actor = actorOf(request);
      const job = await recordChange(context, actor, async (journal) => {
        const added = await journal.store.addBulkJob({
          ...{ change, selection, actor, totalCount },
          createdAt: journal.time,
        });
        await auditJob(journal, "bulk.started", added);
        return added;
      });
      context.bulkJobs.wake().catch((err) => request.log.error({ err }, "a change of many devices waits"));
      return reply.code(201).send(viewJob(job));
    },
  );

  app.get(
    "/api/bulk-jobs",
    route("devices:write", "List changes of many devices, newest first", ok(listOf("jobs", BulkJobView)), {
      querystring: JobsQuery,
      config,
    }),
    async ({ query }) =>
      page("jobs", await store.listBulkJobs(defined({ state: query.state }), query), viewJob, query),
  );

  app.get(
    "/api/bulk-jobs/:id",
    route("devices:write", "Show how far a change of many devices has come", ok(BulkJobView), {
      params: IdParams,
      config,
    }),
    async ({ params }) => viewJob(await findJob(context, params.id)),
  );

  app.post(
    "/api/bulk-jobs/:id/cancel",
    route(
      "devices:write",
      "End a change of many devices; those that were changed so far stay changed",
      ok(BulkJobView),
      { params: IdParams, config },
    ),
    async (request) =>
      viewJob(
        await recordChange(context, actorOf(request), async (journal) => {
          const job = await findJob(journal, request.params.id);
          const ended: BulkJob =
            job.state === "running"
              ? { ...job, state: "cancelled", updatedAt: journal.time, endedAt: journal.time }
              : job;
          if (ended !== job) await journal.store.putBulkJob(ended);
          await auditJob(journal, "bulk.cancelled", ended, job);
          return ended;
        }),
      ),
  );
}

async function findJob({ store }: Pick<Journal, "store">, id: number): Promise<BulkJob> {
  const job = await store.findBulkJob(id);
  if (!job) throw new Refusal("BULK_JOB_UNKNOWN", `there is no change of many devices ${id}`);
  return job;
}

/** The log of each device has its own line. */
const auditJob = (journal: Journal, action: string, job: BulkJob, before?: BulkJob) =>
  journal.audit({
    action,
    subject: `bulk/${job.id}`,
    ...(before ? { before: describe(before) } : {}),
    after: describe(job),
  });

const describe = ({ change, selection, totalCount, state }: BulkJob) => ({
  ...change,
  ...("ids" in selection ? {} : { filter: selection.filter }),
  device_count: totalCount,
  state,
});
