// What the store promises about updates.

import { expect } from "chai";
import type { Store } from "../../../server/store/store.js";
import { addAttempt, PAGE } from "./samples.js";

export function updateContract(store: () => Store): void {
  it("has at most one open attempt of a device", async () => {
    const attempt = await addAttempt(store());
    expect(attempt).to.include({ status: "pending", bytesDownloaded: 0, errorCode: null, finishedAt: null });
    expect(await store().findOpenUpdate("base-010203")).to.deep.equal(attempt);
    const again = store().addUpdate({ ...attempt, createdAt: 4000 });
    expect(await again.catch(() => "refused")).to.equal("refused");
    await store().changeUpdate(attempt.id, { status: "success", finishedAt: 5000 }, 5000);
    expect(await store().findOpenUpdate("base-010203")).to.equal(undefined);
    const next = await store().addUpdate({ ...attempt, createdAt: 6000 });
    expect(await store().findLastUpdate("base-010203", attempt.firmwareId)).to.deep.equal(next);
  });

  it("refuses an attempt of unknown firmware", async () => {
    const attempt = await addAttempt(store());
    await store().changeUpdate(attempt.id, { status: "failed" }, 1);
    const added = store().addUpdate({ ...attempt, firmwareId: 999, createdAt: 1 });
    expect(await added.catch(() => "refused")).to.equal("refused");
  });

  it("lists the devices that have attempts, each once, some at a time", async () => {
    const { firmwareId } = await addAttempt(store(), "d1");
    await addAttempt(store(), "d3", { version: "1.2.0" });
    const { id } = await addAttempt(store(), "d2", { version: "1.3.0" });
    await store().changeUpdate(id, { status: "failed" }, 4000);
    const again = { deviceId: "d2", firmwareId, fromVersion: "1.0.0", fromBuild: 0, createdAt: 5000 };
    await store().addUpdate(again);
    expect(await store().listDevicesWithUpdates("", 2)).to.deep.equal(["d1", "d2"]);
    expect(await store().listDevicesWithUpdates("d2", 2)).to.deep.equal(["d3"]);
    expect(await store().listDevicesWithUpdates("d3", 2)).to.deep.equal([]);
  });

  it("finds attempts by device, firmware and status, newest first", async () => {
    const first = await addAttempt(store(), "d1");
    const second = await addAttempt(store(), "d2", { version: "1.2.0" });
    await store().changeUpdate(first.id, { status: "failed", errorCode: "ROLLED_BACK" }, 4000);
    const ids = async (filter: object) => (await store().listUpdates(filter, PAGE)).rows.map(({ id }) => id);
    expect(await ids({})).to.deep.equal([second.id, first.id]);
    expect(await ids({ deviceId: "d1" })).to.deep.equal([first.id]);
    expect(await ids({ firmwareId: second.firmwareId })).to.deep.equal([second.id]);
    expect(await ids({ status: "failed" })).to.deep.equal([first.id]);
    expect((await store().listUpdates({}, { limit: 1, offset: 5 })).totalCount).to.equal(2);
  });

  it("finds the attempt that a device has begun last, whatever it was offered since", async () => {
    const first = await addAttempt(store(), "d1");
    const { deviceId, firmwareId, fromVersion, fromBuild } = first;
    expect(await store().findLastBegunUpdate("d1")).to.equal(undefined);
    const ended = { status: "failed", step: "retrieved", errorCode: "SUPERSEDED", finishedAt: 2 } as const;
    const begun = await store().changeUpdate(first.id, ended, 2);
    for (const createdAt of [3, 4, 5]) {
      const { id } = await store().addUpdate({ deviceId, firmwareId, fromVersion, fromBuild, createdAt });
      await store().changeUpdate(id, { status: "failed", errorCode: "SUPERSEDED" }, createdAt);
    }
    await addAttempt(store(), "d2", { version: "1.2.0" });
    expect(await store().findLastBegunUpdate("d1")).to.deep.equal(begun);
  });

  it("counts failures since the last success, roll backs separately", async () => {
    const { deviceId, firmwareId, ...rest } = await addAttempt(store());
    const close = async (changes: object, time: number) => {
      const open = await store().findOpenUpdate(deviceId);
      const attempt = open ?? (await store().addUpdate({ ...rest, deviceId, firmwareId, createdAt: time }));
      await store().changeUpdate(attempt.id, changes, time);
    };
    await close({ status: "failed", errorCode: "ROLLED_BACK" }, 10);
    await close({ status: "success" }, 20);
    expect(await store().countFailures(deviceId)).to.deep.equal([]);
    await close({ status: "failed", errorCode: "ROLLED_BACK" }, 30);
    await close({ status: "failed", errorCode: "BODY_TRUNCATED" }, 40);
    expect(await store().countFailures(deviceId)).to.deep.equal([
      { firmwareId, failedCount: 2, rolledBackCount: 1, lastFailedAt: 40, lastRolledBackAt: 30 },
    ]);
    await close({ status: "failed", errorCode: "SUPERSEDED" }, 50);
    await close({ status: "failed", errorCode: "WITHDRAWN" }, 60);
    await close({ status: "failed", errorCode: null }, 70);
    expect(await store().countFailures(deviceId)).to.deep.equal([
      { firmwareId, failedCount: 3, rolledBackCount: 1, lastFailedAt: 70, lastRolledBackAt: 30 },
    ]);
    await close({ status: "failed", errorCode: "NEVER_RAN" }, 80);
    expect(await store().countFailures(deviceId), "it may be offered again, but not at once").to.deep.equal([
      { firmwareId, failedCount: 4, rolledBackCount: 1, lastFailedAt: 80, lastRolledBackAt: 80 },
    ]);
    expect(await store().countFailures("nobody")).to.deep.equal([]);
  });

  it("opens only one attempt when many transactions open one at once", async () => {
    const { id, ...attempt } = await addAttempt(store());
    await store().changeUpdate(id, { status: "failed" }, 3500);
    const open = () =>
      store().transaction(async (inside) => {
        const known = await inside.findOpenUpdate(attempt.deviceId);
        return known ?? inside.addUpdate({ ...attempt, createdAt: 4000 });
      });
    const opened = await Promise.all(Array.from({ length: 10 }, open));
    expect(new Set(opened.map((update) => update.id)).size).to.equal(1);
    expect((await store().listUpdates({}, PAGE)).totalCount).to.equal(2);
  });

  it("removes old attempts that no longer affect decisions, and no others", async () => {
    const { id: failed, ...attempt } = await addAttempt(store());
    const end = (id: number, status: "success" | "failed", time: number) =>
      store().changeUpdate(id, { status, finishedAt: time }, time);
    const prune = (before: number) => store().pruneUpdates({ before, limit: 10 });
    await end(failed, "failed", 1000);
    expect(await prune(5000)).to.equal(0);
    const succeeded = await store().addUpdate({ ...attempt, createdAt: 2000 });
    await end(succeeded.id, "success", 2000);
    const open = await store().addUpdate({ ...attempt, createdAt: 3000 });
    expect(await prune(1000)).to.equal(0);
    expect(await prune(5000)).to.equal(1);
    expect(await prune(5000)).to.equal(0);
    const { rows } = await store().listUpdates({}, PAGE);
    expect(rows.map(({ id }) => id)).to.deep.equal([open.id, succeeded.id]);
  });
}
