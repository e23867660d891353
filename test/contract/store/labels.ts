// What the store promises about operators' labels on devices.

import { expect } from "chai";
import type { Store } from "../../../server/store/store.js";
import { PAGE, sampleDevice } from "./samples.js";

export function labelContract(store: () => Store): void {
  const put = async (
    id: string,
    labels: { tags?: string[]; group?: string | null; pin?: string | null } = {},
  ) => {
    await store().putDevice(sampleDevice({ id }));
    return store().putLabels(id, { tags: [], group: null, pin: null, ...labels });
  };

  it("returns labels, tags sorted and without duplicates, and none for a device that has none", async () => {
    await put("d1", { tags: ["lab", "beta", "lab"], group: "berlin", pin: "1.0.0+3" });
    const labels = { tags: ["beta", "lab"], group: "berlin", pin: "1.0.0+3" };
    expect(await store().findLabels("d1")).to.deep.equal(labels);
    expect(await store().findLabels("nobody")).to.deep.equal({ tags: [], group: null, pin: null });
    expect(await store().findLabelsOf(["d1", "nobody"])).to.deep.equal(new Map([["d1", labels]]));
    expect(await store().findLabelsOf([])).to.deep.equal(new Map());
  });

  it("replaces labels, and keeps them when the device reports", async () => {
    await put("d1", { tags: ["lab"], group: "berlin" });
    await store().putLabels("d1", { tags: ["new"], group: null, pin: null });
    await store().putDevice(sampleDevice({ id: "d1", version: "2.0.0" }));
    expect(await store().findLabels("d1")).to.deep.equal({ tags: ["new"], group: null, pin: null });
    expect(await store().countLabels()).to.deep.equal({
      tags: [{ name: "new", deviceCount: 1 }],
      groups: [],
    });
  });

  it("refuses labels of an unknown device", async () => {
    const labels = { tags: ["lab"], group: null, pin: null };
    expect(
      await store()
        .putLabels("nobody", labels)
        .catch(() => "refused"),
    ).to.equal("refused");
  });

  it("counts labels and finds devices by them", async () => {
    await put("d1", { tags: ["lab", "beta"], group: "berlin" });
    await put("d2", { tags: ["lab"], group: "rome" });
    await put("d3", { group: "rome" });
    await store().putDevice(sampleDevice({ id: "led_1", version: "1.2.0" }));
    expect(await store().countLabels()).to.deep.equal({
      tags: [
        { name: "beta", deviceCount: 1 },
        { name: "lab", deviceCount: 2 },
      ],
      groups: [
        { name: "berlin", deviceCount: 1 },
        { name: "rome", deviceCount: 2 },
      ],
    });
    const ids = async (filter: object) => (await store().listDevices(filter, PAGE)).rows.map(({ id }) => id);
    expect(await ids({ tag: "lab" })).to.deep.equal(["d1", "d2"]);
    expect(await ids({ group: "rome" })).to.deep.equal(["d2", "d3"]);
    expect(await ids({ group: "rome", tag: "lab" })).to.deep.equal(["d2"]);
    expect(await ids({ version: "1.2.0" })).to.deep.equal(["led_1"]);
    expect(await ids({ search: "D_1" })).to.deep.equal(["led_1"]);
    expect(await ids({ search: "%" })).to.deep.equal([]);
    expect((await store().listDevices({ tag: "lab" }, { limit: 1, offset: 0 })).totalCount).to.equal(2);
  });
}
