import { expect } from "chai";
import type { NewBulkJob, Store } from "../../../server/store/store.js";
import { PAGE } from "./samples.js";

const JOB: NewBulkJob = {
  change: { kind: "labels", labels: { add_tags: ["lab"], group: null } },
  selection: { filter: { type: "base", status: "late" } },
  actor: {
    ...{
      kind: "user",
      name: "ada",
      person: "ada",
      userId: 1,
      sessionId: "s",
      tokenId: null,
      role: "operator",
    },
    scopes: ["devices:write"],
    deviceTypes: null,
    address: "::1",
  },
  totalCount: 7,
  createdAt: 1000,
};

export function bulkJobContract(store: () => Store): void {
  it("keeps changes of many devices, how far they have come, and who ordered them", async () => {
    const job = await store().addBulkJob(JOB);
    expect(job).to.deep.equal({
      ...JOB,
      ...{ id: job.id, state: "running", reason: null, doneCount: 0, refusedCount: 0, refusals: [] },
      ...{ afterId: null, updatedAt: 1000, endedAt: null },
    });
    const refusals = [{ error: "TOO_MANY_TAGS", count: 2, device_id: "base-1", message: "it has 20 tags" }];
    const ended = { ...job, doneCount: 5, refusedCount: 2, refusals, afterId: "base-9", updatedAt: 3000 };
    await store().putBulkJob({ ...ended, state: "done", endedAt: 3000 });
    expect(await store().findBulkJob(job.id)).to.deep.equal({ ...ended, state: "done", endedAt: 3000 });
    expect(await store().findBulkJob(99)).to.equal(undefined);
  });

  it("lists them newest first and by state, and forgets old ones that have ended", async () => {
    const first = await store().addBulkJob(JOB);
    const second = await store().addBulkJob({ ...JOB, selection: { ids: ["base-1"] } });
    const idsOf = async (filter: Parameters<Store["listBulkJobs"]>[0]) =>
      (await store().listBulkJobs(filter, PAGE)).rows.map(({ id }) => id);
    expect(await idsOf({})).to.deep.equal([second.id, first.id]);
    await store().putBulkJob({ ...second, state: "failed", reason: "gone", endedAt: 2000 });
    expect(await idsOf({ state: "running" })).to.deep.equal([first.id]);
    for (let n = 0; n < 200; n++) await store().addBulkJob(JOB);
    expect(await store().findBulkJob(second.id)).to.equal(undefined);
    expect((await store().findBulkJob(first.id))?.state).to.equal("running");
  });
}
