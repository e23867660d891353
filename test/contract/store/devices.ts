// What the store promises about devices.

import { expect } from "chai";
import type { DeviceOrder } from "../../../server/store/devices.js";
import type { Store } from "../../../server/store/store.js";
import { addAttempt, sampleDevice } from "./samples.js";

export function deviceContract(store: () => Store): void {
  it("returns a device as it was stored", async () => {
    const device = sampleDevice();
    expect(await store().putDevice(device)).to.deep.equal(device);
    expect(await store().findDevice(device.id)).to.deep.equal(device);
    expect(await store().findDevice("nobody")).to.equal(undefined);
  });

  it("keeps when a device was first seen", async () => {
    await store().putDevice(sampleDevice());
    await store().putDevice(sampleDevice({ firstSeen: 9000, lastSeen: 9000, version: "1.1.0" }));
    expect(await store().findDevice("base-010203")).to.include({
      firstSeen: 1000,
      lastSeen: 9000,
      version: "1.1.0",
    });
  });

  it("lists devices page by page, last seen first", async () => {
    for (const n of [1, 2, 3]) await store().putDevice(sampleDevice({ id: `d${n}`, lastSeen: n * 1000 }));
    await store().putDevice(sampleDevice({ id: "led", type: "led" }));
    const page = await store().listDevices({ type: "base" }, { limit: 2, offset: 1 });
    expect(page.rows.map(({ id }) => id)).to.deep.equal(["d2", "d1"]);
    expect(page.totalCount).to.equal(3);
    expect(await store().countDevices()).to.equal(4);
    expect(await store().countDevicesSeenSince(2000)).to.equal(2);
  });

  it("orders them by what is asked for, and those that do not report it last", async () => {
    const put = (id: string, battery_percent: number | null, rssi: number | null, more = {}) =>
      store().putDevice(
        sampleDevice({ id, rssi, readings: battery_percent === null ? null : { battery_percent }, ...more }),
      );
    await put("d1", 90, null, { type: "led" });
    await put("d2", 9.5, -50);
    await put("d3", null, -80);
    await put("d4", 9.5, -50);
    const idsBy = async (order: DeviceOrder) =>
      (await store().listDevices({}, { limit: 3, offset: 1 }, order)).rows.map(({ id }) => id);
    expect(await idsBy("battery")).to.deep.equal(["d4", "d1", "d3"]);
    expect(await idsBy("signal")).to.deep.equal(["d2", "d4", "d1"]);
    expect(await idsBy("type")).to.deep.equal(["d3", "d4", "d1"]);
    expect(await idsBy("id")).to.deep.equal(["d2", "d3", "d4"]);
    const versions = { d1: "1.10.0", d2: "1.9.0", d3: "1.9.0-rc.1", d4: "0.20.3" };
    for (const [id, version] of Object.entries(versions))
      await store().putDevice(sampleDevice({ id, version }));
    expect(await idsBy("version")).to.deep.equal(["d2", "d3", "d1"]);
    await store().putLabels("d4", { tags: [], group: "attic", pin: null });
    await store().putLabels("d2", { tags: [], group: "attic", pin: null });
    await store().putLabels("d1", { tags: [], group: "cellar", pin: null });
    expect(await idsBy("group")).to.deep.equal(["d4", "d1", "d3"]);
  });

  it("searches in ids, addresses, groups and tags, and takes % and _ as they are", async () => {
    await store().putDevice(sampleDevice({ id: "roof", address: "192.168.7.20" }));
    await store().putDevice(sampleDevice({ id: "hall", address: null }));
    await store().putDevice(sampleDevice({ id: "cellar", address: "10.0.0.1" }));
    await store().putLabels("hall", { tags: ["Lab_2"], group: null, pin: null });
    await store().putLabels("cellar", { tags: ["x"], group: "Berlin", pin: null });
    const found = async (search: string) => {
      const { rows, totalCount } = await store().listDevices({ search }, { limit: 9, offset: 0 }, "id");
      expect(totalCount).to.equal(rows.length);
      return rows.map(({ id }) => id);
    };
    expect(await found("168.7")).to.deep.equal(["roof"]);
    expect(await found("lab_")).to.deep.equal(["hall"]);
    expect(await found("berl")).to.deep.equal(["cellar"]);
    expect(await found("L")).to.deep.equal(["cellar", "hall"]);
    expect(await found("%")).to.deep.equal([]);
    expect(await store().listDeviceIds({ search: "168.7" }, undefined, 9)).to.deep.equal(["roof"]);
  });

  it("iterates over the ids that a filter finds, in parts, whatever changes behind it", async () => {
    for (const n of [4, 1, 3, 2]) await store().putDevice(sampleDevice({ id: `d${n}` }));
    await store().putDevice(sampleDevice({ id: "d25", type: "led" }));
    const base = { type: "base" };
    expect(await store().listDeviceIds(base, undefined, 2)).to.deep.equal(["d1", "d2"]);
    await store().putDevice(sampleDevice({ id: "d1", type: "led" }));
    expect(await store().listDeviceIds(base, "d2", 2)).to.deep.equal(["d3", "d4"]);
    expect(await store().listDeviceIds(base, "d4", 2)).to.deep.equal([]);
    expect(await store().listDeviceIds({ type: "led", search: "D2" }, undefined, 9)).to.deep.equal(["d25"]);
  });

  it("accepts any text, though U+0000 may come back as U+FFFD", async () => {
    const device = await store().putDevice(sampleDevice({ resetReason: "a\0ü💡'\"\\%" }));
    expect(device.resetReason?.replaceAll("\0", "\ufffd")).to.equal("a\ufffdü💡'\"\\%");
    expect(await store().findDevice(device.id)).to.deep.equal(device);
  });

  it("keeps numbers exactly, up to 2^53", async () => {
    const numbers = {
      bootCount: 0xffffffff,
      uptimeSeconds: 0.1,
      lastSeen: Number.MAX_SAFE_INTEGER,
      rssi: -200,
    };
    await store().putDevice(sampleDevice(numbers));
    expect(await store().findDevice("base-010203")).to.include(numbers);
  });

  it("changes nothing of a device that was only seen, and takes its key away", async () => {
    const device = await store().putDevice(sampleDevice(), "key");
    await store().touchDevice(device.id, 7000);
    expect(await store().findDevice(device.id)).to.deep.equal({ ...device, lastSeen: 7000 });
    const update = {
      ...{ deviceId: device.id, noOpKey: "key", seenAt: 8000 },
      ...{ freeHeap: null, rssi: null, uptimeSeconds: null, readings: null },
    };
    expect((await store().updateLastSeen([update])).size).to.equal(0);
  });

  it("tells which traces a device has left", async () => {
    const none = {
      ...{ hasLabels: false, hasOpenUpdate: false, hasFailedUpdate: false, hasPendingOrder: false },
      abilitiesDigest: undefined,
    };
    expect(await store().findTraces("base-010203")).to.deep.equal(none);
    const attempt = await addAttempt(store());
    await addAttempt(store(), "other", { version: "1.2.0" });
    const traces = () => store().findTraces("base-010203");
    expect(await traces()).to.deep.equal({ ...none, hasOpenUpdate: true });
    await store().changeUpdate(attempt.id, { status: "failed" }, 5000);
    expect(await traces()).to.deep.equal({ ...none, hasFailedUpdate: true });
    await store().putLabels("base-010203", { tags: [], group: "kitchen", pin: null });
    const order = {
      kind: "restart",
      settings: null,
      orderedBy: "",
      createdAt: 5000,
      expiresAt: 9000,
    } as const;
    const { id } = await store().addOrder({ ...order, deviceId: "base-010203" });
    expect(await traces()).to.deep.equal({
      ...none,
      ...{ hasLabels: true, hasFailedUpdate: true, hasPendingOrder: true },
    });
    await store().changeOrder("base-010203", id, { state: "done" });
    expect(await traces()).to.deep.include({ hasPendingOrder: false });
  });

  it("keeps its sensor readings", async () => {
    const readings = { temperature_c: -12.3, humidity_percent: 100, battery_percent: 0 };
    await store().putDevice(sampleDevice({ readings }), "key");
    expect((await store().findDevice("base-010203"))?.readings).to.deep.equal(readings);
    const update = {
      deviceId: "base-010203",
      noOpKey: "key",
      freeHeap: null,
      rssi: null,
      uptimeSeconds: null,
    };
    await store().updateLastSeen([{ ...update, seenAt: 2000, readings: { temperature_c: 0.1 } }]);
    expect((await store().findDevice("base-010203"))?.readings).to.deep.equal({ temperature_c: 0.1 });
    await store().updateLastSeen([{ ...update, seenAt: 3000, readings: null }]);
    expect(await store().findDevice("base-010203")).to.include({ lastSeen: 3000, readings: null });
  });

  it("sorts names by bytes", async () => {
    for (const id of ["b", "B", "a", "_", "1"]) await store().putDevice(sampleDevice({ id }));
    const { rows } = await store().listDevices({}, { limit: 50, offset: 0 });
    expect(rows.map(({ id }) => id)).to.deep.equal(["1", "B", "_", "a", "b"]);
  });
}
