import { expect } from "chai";
import type { DeviceAbilities, Store } from "../../../server/store/store.js";
import { sampleDevice } from "./samples.js";

const GAIN = { name: "gain", label: "Gain", type: "number", least: 0, most: 9 } as const;

export function abilityContract(store: () => Store): void {
  const told = (deviceId: string, changes: Partial<DeviceAbilities> = {}): DeviceAbilities => ({
    deviceId,
    digest: "0a1b2c3d",
    orders: ["restart", "settings"],
    fields: [GAIN],
    values: { gain: 3 },
    toldAt: 1000,
    ...changes,
  });
  const counts = async (filter = {}, ids?: readonly string[]) =>
    (await store().countAbilities({ filter, ...(ids ? { ids } : {}) })).map(
      ({ deviceCount, orders }) => `${deviceCount}: ${orders}`,
    );

  it("keeps what a device can be ordered to do, until it tells something else", async () => {
    await store().putDevice(sampleDevice({ id: "led-1" }));
    expect(await store().findAbilities("led-1")).to.equal(undefined);
    expect((await store().findTraces("led-1")).abilitiesDigest).to.equal(undefined);
    await store().putAbilities(told("led-1"));
    expect(await store().findAbilities("led-1")).to.deep.equal(told("led-1"));
    const other = told("led-1", { digest: "1", orders: [], fields: [], values: {}, toldAt: 2000 });
    await store().putAbilities(other);
    expect(await store().findAbilities("led-1")).to.deep.equal(other);
    expect((await store().findTraces("led-1")).abilitiesDigest).to.equal("1");
    await store().removeAbilities("led-1");
    expect(await store().findAbilities("led-1")).to.equal(undefined);
  });

  it("counts devices that can do the same, of some ids or a filter", async () => {
    for (const id of ["led-1", "led-2", "led-3", "led-4"])
      await store().putDevice(sampleDevice({ id, type: id === "led-3" ? "lamp" : "led" }));
    await store().putAbilities(told("led-1", { values: { gain: 1 } }));
    await store().putAbilities(told("led-2", { values: { gain: 2 } }));
    await store().putAbilities(told("led-3", { orders: ["restart"] }));
    expect(await counts()).to.deep.equal(["2: restart,settings", "1: restart"]);
    expect(await counts({ type: "led" })).to.deep.equal(["2: restart,settings"]);
    expect(await counts({}, ["led-2", "led-3", "led-4"])).to.have.members([
      "1: restart,settings",
      "1: restart",
    ]);
    expect(await counts({ deviceTypes: ["lamp"] }, ["led-2"])).to.deep.equal([]);
    await store().putAbilities(told("led-1", { orders: [] }));
    await store().removeAbilities("led-2");
    expect(await counts({ type: "led" })).to.deep.equal(["1: "]);
  });
}
