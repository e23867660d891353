import { expect } from "chai";
import type { Store } from "../../../server/store/store.js";
import { PAGE, sampleDevice, sampleFirmware } from "./samples.js";

export function meshContract(store: () => Store): void {
  it("keeps updates of a mesh and the progress of their nodes", async () => {
    const { id: firmwareId } = await store().addFirmware(sampleFirmware());
    const first = await store().addMeshUpdate({
      firmwareId,
      targetNode: null,
      isForced: true,
      createdAt: 1000,
    });
    const second = await store().addMeshUpdate({
      firmwareId,
      targetNode: "7",
      isForced: false,
      rule: "all",
      createdAt: 2000,
    });
    expect(first).to.deep.include({ status: "pending", isForced: true, targetNode: null, finishedAt: null });
    expect([first.rule, second.rule]).to.deep.equal(["each", "all"]);
    await store().changeMeshUpdate(first.id, {
      status: "cancelled",
      updatedAt: 3000,
      finishedAt: 3000,
    });
    const { rows, totalCount } = await store().listMeshUpdates(
      { statuses: ["pending", "distributing"] },
      PAGE,
    );
    expect([rows, totalCount]).to.deep.equal([[second], 1]);
    expect((await store().listMeshUpdates({}, PAGE)).rows.map(({ id }) => id)).to.deep.equal([
      second.id,
      first.id,
    ]);

    const node = {
      updateId: second.id,
      nodeId: "7",
      status: "transferring",
      currentPart: 1,
      totalParts: 9,
      error: null,
      createdAt: 4000,
      updatedAt: 4000,
    } as const;
    await store().putMeshNode(node);
    await store().putMeshNode({ ...node, currentPart: 2, createdAt: 5000, updatedAt: 5000 });
    expect(await store().findMeshNode(second.id, "7")).to.deep.equal({
      ...node,
      currentPart: 2,
      updatedAt: 5000,
    });
    await store().putMeshNode({ ...node, nodeId: "10", status: "staged" });
    expect(await store().findMeshNode(second.id, "10")).to.include({ status: "staged" });
    expect((await store().listMeshNodes(second.id, 10)).map(({ nodeId }) => nodeId)).to.deep.equal([
      "10",
      "7",
    ]);
    expect(await store().countMeshNodes(second.id)).to.equal(2);
  });

  it("lists the oldest updates of each type that have not ended", async () => {
    const [led, pir] = await Promise.all(
      ["led", "pir"].map((deviceType) => store().addFirmware(sampleFirmware({ deviceType }))),
    );
    const ids: number[] = [];
    for (const firmware of [led, led, led, pir, pir]) {
      const update = { firmwareId: firmware?.id ?? 0, targetNode: null, isForced: false, createdAt: 1000 };
      ids.push((await store().addMeshUpdate(update)).id);
    }
    const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0] = ids;
    const listed = async (deviceTypes: readonly string[] | null, limit: number) =>
      (await store().listOpenMeshUpdates({ deviceTypes, limit })).map(({ id }) => id);
    expect(await listed(null, 2)).to.deep.equal([first, second, fourth, fifth]);
    await store().changeMeshUpdate(first, { status: "completed", updatedAt: 2000, finishedAt: 2000 });
    await store().changeMeshUpdate(second, { status: "distributing", updatedAt: 2000, startedAt: 2000 });
    expect(await listed(null, 1)).to.deep.equal([second, fourth]);
    expect(await listed(["led", "dht"], 9)).to.deep.equal([second, third]);
    expect(await listed(["dht"], 9)).to.deep.equal([]);
    expect(await listed([], 9)).to.deep.equal([]);
  });

  it("keeps the last attributes that a device reported about itself", async () => {
    await store().putDevice(sampleDevice());
    expect(await store().findAttributes("base-010203")).to.equal(undefined);
    await store().putAttributes("base-010203", { hw: "a", version: "1" }, 1000);
    await store().putAttributes("base-010203", { hw: "b" }, 2000);
    expect(await store().findAttributes("base-010203")).to.deep.equal({ hw: "b" });
  });
}
