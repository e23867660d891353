// Carries out changes of many devices, part by part: after each part it is kept how far the job has come, so that another server, or this
// one after a restart, goes on from there. A part that was cut off is done again, which does no harm: a device is changed to something that
// it may be already, and a restart that waits for it is not ordered twice. One server works at a time, on all jobs in turn.

import { changeTogether, type Outcome } from "../devices/changes.js";
import { record } from "../events/journal.js";
import type { Actor } from "../shared/actor.js";
import { addPart, type BulkTally } from "../shared/bulk-run.js";
import { scopesOf } from "../shared/permissions.js";
import type { BulkJob } from "../store/store.js";
import type { Context } from "./context.js";
import { readWork, selectDevices } from "./device-bulk-routes.js";
import { viewRefusal } from "./device-views.js";

/** Devices of a part. */
const PART_COUNT = 500;
/** Devices of one transaction: some milliseconds of work, which is how long a check may wait. */
const TOGETHER_COUNT = 20;
/** Jobs that are worked on in turn. */
const JOB_LIMIT = 100;
const LOCK = "bulk-jobs";

export class BulkJobRunner {
  readonly #context: Context;
  #running: Promise<void> | undefined;
  #isWanted = false;
  #isStopped = false;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Begins what waits, unless it is being done. @returns what ends with it: nobody has to wait for that */
  wake(): Promise<void> {
    this.#isWanted = true;
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** After the parts that are under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running?.catch(() => {});
  }

  async #work(): Promise<void> {
    while (this.#isWanted && !this.#isStopped) {
      this.#isWanted = false;
      if ((await this.#waiting()).length > 0)
        await this.#context.store.exclusive(LOCK, () => this.#workAlone());
    }
  }

  async #workAlone(): Promise<void> {
    for (;;) {
      const jobs = await this.#waiting();
      if (jobs.length === 0) return;
      for (const job of jobs) {
        if (this.#isStopped) return;
        await this.#doPart(job);
      }
    }
  }

  async #waiting(): Promise<readonly BulkJob[]> {
    const { rows } = await this.#context.store.listBulkJobs(
      { state: "running" },
      { limit: JOB_LIMIT, offset: 0 },
    );
    return rows;
  }

  async #doPart(job: BulkJob): Promise<void> {
    const { change, actor, afterId, selection } = job;
    const barred = await this.#whyBarred(actor);
    if (barred !== undefined) return this.#keep(job, { state: "failed", reason: barred });
    const ids = await idsOf(this.#context, selection, actor, afterId);
    const work = readWork(change);
    const outcomes: Outcome<unknown>[] = [];
    for (let at = 0; at < ids.length; at += TOGETHER_COUNT)
      outcomes.push(
        ...(await changeTogether(this.#context, actor, ids.slice(at, at + TOGETHER_COUNT), work)),
      );
    const refused = outcomes.flatMap((one) => ("refusal" in one ? [viewRefusal(one)] : []));
    const tally = addPart(tallyOf(job), { done: outcomes.length - refused.length, refused, next: null });
    await this.#keep(job, {
      doneCount: tally.done,
      refusedCount: tally.refused,
      refusals: tally.refusals,
      afterId: ids.at(-1) ?? afterId,
      ...(ids.length < PART_COUNT ? { state: "done" } : {}),
    });
  }

  /** The person who ordered it may have lost the right meanwhile. */
  async #whyBarred({ kind, userId, name }: Actor): Promise<string | undefined> {
    if (kind === "local" || userId === null) return undefined;
    const user = await this.#context.store.findUser(userId);
    return user?.isActive && scopesOf(user.role).includes("devices:write")
      ? undefined
      : `${name} may not change devices any more`;
  }

  /** A job that was cancelled during its part stays so. */
  async #keep({ id }: BulkJob, changes: Partial<BulkJob>): Promise<void> {
    await record(this.#context, async ({ store, time }) => {
      const current = await store.findBulkJob(id);
      if (!current) return;
      const state = current.state === "running" ? (changes.state ?? "running") : current.state;
      const endedAt = state === "running" ? null : (current.endedAt ?? time);
      await store.putBulkJob({ ...current, ...changes, state, endedAt, updatedAt: time });
    });
  }
}

const tallyOf = ({ doneCount, refusedCount, refusals }: BulkJob): BulkTally => ({
  done: doneCount,
  refused: refusedCount,
  refusals,
});

/** The next ones, by id. */
async function idsOf(
  context: Context,
  selection: BulkJob["selection"],
  actor: Actor,
  afterId: string | null,
): Promise<readonly string[]> {
  if ("ids" in selection)
    return selection.ids
      .toSorted()
      .filter((id) => afterId === null || id > afterId)
      .slice(0, PART_COUNT);
  const { filter } = selection;
  const after = afterId === null ? {} : { after: afterId };
  return (await selectDevices({ filter, limit: PART_COUNT, ...after }, actor, context)).ids;
}
