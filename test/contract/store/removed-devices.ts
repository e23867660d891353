import { expect } from "chai";
import type { RemovedDevice, Store } from "../../../server/store/store.js";
import { addAttempt, PAGE, sampleDevice, sampleFirmware } from "./samples.js";

const ID = "base-010203";
const REMOVED: RemovedDevice = {
  deviceId: ID,
  deviceType: "base",
  version: "1.0.0",
  firstSeen: 1000,
  lastSeen: 2000,
  removedAt: 5000,
  removedBy: "ada",
};

export function removedDeviceContract(store: () => Store): void {
  /** A device with something of every kind. */
  async function furnish(id = ID): Promise<void> {
    const attempt = await addAttempt(store(), id, { version: `1.1.${id.length}` });
    await store().changeUpdate(attempt.id, { status: "failed", finishedAt: 4000 }, 4000);
    await store().putLabels(id, { tags: ["lab"], group: "office", pin: null });
    await store().putAttributes(id, { serial: "7" }, 3000);
    await store().addEvent({ time: 3000, kind: "device.registered", deviceId: id, message: "hello" });
    const order = { deviceId: id, settings: null, orderedBy: "ada", createdAt: 3000, expiresAt: 9000 };
    await store().addOrder({ ...order, kind: "restart" });
    const { id: done } = await store().addOrder({ ...order, kind: "identify" });
    await store().changeOrder(id, done, { state: "done", endedAt: 4000 });
  }
  const eventsOf = (deviceId: string) => store().listEvents({ deviceId, limit: 50 });

  it("removes a device and what it is, and keeps what has become of it", async () => {
    await furnish();
    expect(await store().removeDevice(REMOVED)).to.equal(true);
    expect(await store().findDevice(ID)).to.equal(undefined);
    expect(await store().countDevices()).to.equal(0);
    expect(await store().findLabels(ID)).to.deep.equal({ tags: [], group: null, pin: null });
    expect((await store().countLabels()).tags).to.deep.equal([]);
    expect(await store().findAttributes(ID)).to.equal(undefined);
    expect(await store().findIdentity(ID)).to.equal(undefined);
    expect((await store().listOrders(ID, 9)).map(({ state }) => state)).to.deep.equal(["done"]);
    expect((await store().listUpdates({ deviceId: ID }, PAGE)).totalCount).to.equal(1);
    expect((await eventsOf(ID)).length).to.equal(1);
    expect(await store().findRemovedDevice(ID)).to.deep.equal(REMOVED);
    expect(await store().removeDevice(REMOVED)).to.equal(false);
  });

  it("removes with it what it showed and told: its panel, its readings and its settings, and nothing of another's", async () => {
    const [other, hour] = ["base-other", 3_600_000];
    const settings = { orders: ["settings"], fields: [], values: { gain: 3 }, digest: "1" } as const;
    for (const id of [ID, other]) {
      await store().putDevice(sampleDevice({ id, readings: { temperature_c: 21 }, lastSeen: 2000 }));
      await store().putPanel({ deviceId: id, askedAt: 1000, etag: '"a"', fetchedAt: 2000 });
      await store().putAbilities({ ...settings, deviceId: id, toldAt: 2000 });
    }
    for (const kind of ["hourly", "daily"] as const)
      await store().sampleReadings(kind, hour, { seenSince: 0, after: "", limit: 9 });
    const left = async (id: string) => [
      (await store().findPanel(id))?.etag,
      (await store().findAbilities(id))?.values,
      (await store().listReadingSamples("hourly", id, 0)).map(({ readings }) => readings),
      (await store().listReadingSamples("daily", id, 0)).map(({ readings }) => readings),
    ];
    const whole = ['"a"', { gain: 3 }, [{ temperature_c: 21 }], [{ temperature_c: 21 }]];
    expect(await left(ID)).to.deep.equal(whole);
    await store().removeDevice(REMOVED);
    expect(await left(ID)).to.deep.equal([undefined, undefined, [], []]);
    await store().putDevice(sampleDevice({ id: ID }));
    expect(await left(ID), "it is new").to.deep.equal([undefined, undefined, [], []]);
    expect(await left(other)).to.deep.equal(whole);
  });

  it("erases what was kept, and nothing of another device", async () => {
    await furnish();
    await furnish("base-other");
    await store().removeDevice(REMOVED);
    await store().eraseRemovedDevice(ID);
    expect((await store().listUpdates({ deviceId: ID }, PAGE)).totalCount).to.equal(0);
    expect(await eventsOf(ID)).to.deep.equal([]);
    expect(await store().listOrders(ID, 9)).to.deep.equal([]);
    expect(await store().findRemovedDevice(ID)).to.equal(undefined);
    expect((await store().listUpdates({ deviceId: "base-other" }, PAGE)).totalCount).to.equal(1);
    expect((await eventsOf("base-other")).length).to.equal(1);
    expect((await store().listOrders("base-other", 9)).length).to.equal(2);
  });

  it("lists removed devices newest first, by type and by part of the id, but none that is here again", async () => {
    for (const [id, type, removedAt] of [
      ["base-1", "base", 5000],
      ["led-1", "led", 6000],
      ["BASE-2", "base", 7000],
    ] as const) {
      await store().putDevice(sampleDevice({ id, type }));
      await store().removeDevice({ ...REMOVED, deviceId: id, deviceType: type, removedAt });
    }
    const listed = async (filter: Parameters<Store["listRemovedDevices"]>[0]) =>
      (await store().listRemovedDevices(filter, PAGE)).rows.map(({ deviceId }) => deviceId);
    expect(await listed({})).to.deep.equal(["BASE-2", "led-1", "base-1"]);
    expect(await listed({ deviceTypes: ["led"] })).to.deep.equal(["led-1"]);
    expect(await listed({ search: "base-" })).to.deep.equal(["BASE-2", "base-1"]);
    await store().putDevice(sampleDevice({ id: "base-1", firstSeen: 8000, lastSeen: 8000 }));
    expect(await listed({})).to.deep.equal(["BASE-2", "led-1"]);
    expect(await store().findRemovedDevice("base-1")).to.equal(undefined);
    expect((await store().findDevice("base-1"))?.firstSeen).to.equal(8000);
    const page = await store().listRemovedDevices({}, { limit: 1, offset: 1 });
    expect([page.rows.length, page.totalCount]).to.deep.equal([1, 2]);
  });

  it("counts what needs a release, and removes one with its attempts, but gives its id to no other", async () => {
    await addAttempt(store());
    const [firmware] = (await store().listFirmware({}, PAGE)).rows;
    if (!firmware) throw new Error("there is no firmware");
    const uses = () => store().findFirmwareUses(firmware);
    const none = { runningCount: 0, pinnedCount: 0, openCount: 0, rolloutCount: 0, endedRolloutCount: 0 };
    expect(await uses()).to.deep.equal({ ...none, openCount: 1 });
    const { imageSha256 } = firmware;
    for (const [id, changes] of [
      ["base-1", { imageSha256 }],
      ["base-2", { imageSha256: null, version: "1.1.0" }],
      ["base-3", { imageSha256: "e".repeat(64), version: "1.1.0" }],
      ["led-1", { imageSha256, type: "led" }],
    ] as const)
      await store().putDevice(sampleDevice({ id, ...changes }));
    await store().putLabels("base-3", { tags: [], group: null, pin: "1.1.0" });
    expect(await uses()).to.deep.equal({ ...none, openCount: 1, runningCount: 2, pinnedCount: 1 });
    await store().removeFirmware(firmware.id, 5000);
    expect(await store().findFirmware(firmware.id)).to.equal(undefined);
    expect((await store().listUpdates({}, PAGE)).totalCount).to.equal(0);
    const { id } = await store().addFirmware(sampleFirmware());
    expect(id).to.be.greaterThan(firmware.id);
  });
}
