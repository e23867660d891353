import { expect } from "chai";
import type { Store } from "../../../server/store/store.js";
import { PAGE } from "./samples.js";

const SYSTEM = {
  name: "doorbell",
  version: "1.1.0",
  deviceTypes: ["receiver", "transmitter"],
  manifest: "a.b.c",
  createdAt: 1000,
};

export function systemContract(store: () => Store): void {
  it("keeps the versions of a system, each once, and whether devices may be told of them", async () => {
    const first = await store().addSystem(SYSTEM);
    expect(first).to.deep.equal({ ...SYSTEM, id: first.id, isActive: true, updatedAt: 1000 });
    expect(await store().findSystem(first.id)).to.deep.equal(first);
    const again = await store()
      .addSystem({ ...SYSTEM, manifest: "d.e.f" })
      .catch((error: Error) => error);
    expect(again).to.include({
      name: "AlreadyExists",
      message: "system doorbell 1.1.0 is registered already",
    });
    await store().addSystem({ ...SYSTEM, name: "garden" });
    const changed = await store().changeSystem(first.id, { isActive: false }, 2000);
    expect(changed).to.deep.equal({ ...first, isActive: false, updatedAt: 2000 });
    expect(await store().changeSystem(99, { isActive: false }, 2000)).to.equal(undefined);
    expect(await store().findSystem(99)).to.equal(undefined);
  });

  it("lists systems newest first, by name, by their device types, and by whether they are active", async () => {
    const ids: number[] = [];
    for (const changes of [{}, { version: "1.2.0" }, { name: "mesh", deviceTypes: ["gateway", "pir"] }])
      ids.push((await store().addSystem({ ...SYSTEM, ...changes })).id);
    const [first, second, third] = ids;
    const listed = async (filter: Parameters<Store["listSystems"]>[0]) =>
      (await store().listSystems(filter, PAGE)).rows.map(({ id }) => id);
    expect(await listed({})).to.deep.equal([third, second, first]);
    expect(await listed({ name: "doorbell" })).to.deep.equal([second, first]);
    expect(await listed({ deviceTypes: ["gateway", "pir"] })).to.deep.equal([third]);
    expect(await listed({ deviceTypes: ["pir"] })).to.deep.equal([]);
    await store().changeSystem(second as number, { isActive: false }, 2000);
    expect(await listed({ name: "doorbell", isActive: true })).to.deep.equal([first]);
    const page = await store().listSystems({}, { limit: 1, offset: 1 });
    expect([page.rows.map(({ id }) => id), page.totalCount]).to.deep.equal([[second], 3]);
  });
}
