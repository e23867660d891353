// What every implementation of the server's store promises. Call it inside a `describe` with a function that opens an empty one.

import { expect } from "chai";
import { AlreadyExists, type Device, type NewFirmware, type Store } from "../../server/store/store.js";

const PAGE = { limit: 50, offset: 0 };

export const sampleDevice = (changes: Partial<Device> = {}): Device => ({
  id: "base-010203",
  type: "base",
  hardware: "esp32",
  chip: "esp32",
  mac: null,
  version: "1.0.0",
  build: 0,
  imageSha256: "a".repeat(64),
  slot: "factory",
  slotState: "factory",
  bootCount: 1,
  resetReason: "power-on",
  freeHeap: 200_000,
  rssi: -55,
  uptimeSeconds: 12.5,
  address: "192.168.1.100",
  firstSeen: 1000,
  lastSeen: 1000,
  ...changes,
});

export const sampleFirmware = (changes: Partial<NewFirmware> = {}): NewFirmware => ({
  deviceType: "base",
  hardware: "esp32",
  chip: "esp32",
  version: "1.1.0",
  buildNumber: 0,
  filename: "base-1.1.0.bin",
  fileSize: 90_000,
  fileHash: "b".repeat(64),
  binaryPath: `bb/${"b".repeat(64)}`,
  imageSha256: "c".repeat(64),
  isStable: true,
  isActive: true,
  minCurrentVersion: null,
  securityVersion: 0,
  notes: null,
  release: "header.payload.signature",
  expiresAt: null,
  createdAt: 2000,
  ...changes,
});

export function storeContract(open: () => Promise<Store>): void {
  let store: Store;
  beforeEach(async () => {
    store = await open();
  });
  afterEach(() => store.close());

  const offer = async (deviceId = "base-010203", firmware: Partial<NewFirmware> = {}) => {
    await store.putDevice(sampleDevice({ id: deviceId }));
    const { id } = await store.addFirmware(sampleFirmware(firmware));
    return store.addUpdate({ deviceId, firmwareId: id, fromVersion: "1.0.0", fromBuild: 0, createdAt: 3000 });
  };

  it("gives a device back as it was put", async () => {
    const device = sampleDevice();
    expect(await store.putDevice(device)).to.deep.equal(device);
    expect(await store.findDevice(device.id)).to.deep.equal(device);
    expect(await store.findDevice("nobody")).to.equal(undefined);
  });

  it("keeps when a device was first seen", async () => {
    await store.putDevice(sampleDevice());
    await store.putDevice(sampleDevice({ firstSeen: 9000, lastSeen: 9000, version: "1.1.0" }));
    expect(await store.findDevice("base-010203")).to.include({
      firstSeen: 1000,
      lastSeen: 9000,
      version: "1.1.0",
    });
  });

  it("lists devices page by page, last seen first", async () => {
    for (const n of [1, 2, 3]) await store.putDevice(sampleDevice({ id: `d${n}`, lastSeen: n * 1000 }));
    await store.putDevice(sampleDevice({ id: "led", type: "led" }));
    const page = await store.listDevices({ type: "base" }, { limit: 2, offset: 1 });
    expect(page.rows.map(({ id }) => id)).to.deep.equal(["d2", "d1"]);
    expect(page.totalCount).to.equal(3);
    expect(await store.countDevices()).to.equal(4);
    expect(await store.countDevicesSeenSince(2000)).to.equal(2);
  });

  it("refuses the same version for the same board twice", async () => {
    await store.addFirmware(sampleFirmware());
    await store.addFirmware(sampleFirmware({ buildNumber: 1 }));
    await store.addFirmware(sampleFirmware({ chip: "esp32c3", hardware: "esp32c3" }));
    const error = await store.addFirmware(sampleFirmware()).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(AlreadyExists);
  });

  it("changes what may be changed of a firmware, and only that", async () => {
    const { id } = await store.addFirmware(sampleFirmware());
    const changed = await store.changeFirmware(id, { isStable: false, minCurrentVersion: "1.0.5" }, 5000);
    expect(changed).to.deep.equal({
      ...sampleFirmware(),
      id,
      isStable: false,
      minCurrentVersion: "1.0.5",
      updatedAt: 5000,
    });
    expect(await store.changeFirmware(id + 1, { isActive: false }, 5000)).to.equal(undefined);
  });

  it("filters firmware and offers only what is active and stable", async () => {
    await store.addFirmware(sampleFirmware({ version: "1.1.0", isStable: false }));
    await store.addFirmware(sampleFirmware({ version: "1.2.0", isActive: false, fileHash: "d".repeat(64) }));
    const { id } = await store.addFirmware(sampleFirmware({ version: "1.3.0" }));
    await store.addFirmware(sampleFirmware({ deviceType: "led" }));
    expect((await store.offeredFirmware("base")).map((firmware) => firmware.id)).to.deep.equal([id]);
    const versions = async (filter: object) =>
      (await store.listFirmware(filter, PAGE)).rows.map(({ version }) => version);
    expect(await versions({ isActive: false })).to.deep.equal(["1.2.0"]);
    expect(await versions({ isStable: false })).to.deep.equal(["1.1.0"]);
    expect(await versions({ fileHash: "d".repeat(64) })).to.deep.equal(["1.2.0"]);
    expect(await versions({ deviceType: "base" })).to.deep.equal(["1.3.0", "1.2.0", "1.1.0"]);
  });

  it("has at most one open attempt of a device", async () => {
    const attempt = await offer();
    expect(attempt).to.include({ status: "pending", bytesDownloaded: 0, errorCode: null, finishedAt: null });
    expect(await store.findOpenUpdate("base-010203")).to.deep.equal(attempt);
    const again = store.addUpdate({ ...attempt, createdAt: 4000 });
    expect(await again.catch(() => "refused")).to.equal("refused");
    await store.changeUpdate(attempt.id, { status: "success", finishedAt: 5000 }, 5000);
    expect(await store.findOpenUpdate("base-010203")).to.equal(undefined);
    const next = await store.addUpdate({ ...attempt, createdAt: 6000 });
    expect(await store.findLastUpdate("base-010203", attempt.firmwareId)).to.deep.equal(next);
  });

  it("refuses an attempt of an unknown device or firmware", async () => {
    const attempt = await offer();
    const strange = [
      { ...attempt, deviceId: "nobody", createdAt: 1 },
      { ...attempt, firmwareId: 999, createdAt: 1 },
    ];
    await store.changeUpdate(attempt.id, { status: "failed" }, 1);
    for (const update of strange) {
      expect(await store.addUpdate(update).catch(() => "refused")).to.equal("refused");
    }
  });

  it("finds attempts by device, firmware and status, newest first", async () => {
    const first = await offer("d1");
    const second = await offer("d2", { version: "1.2.0" });
    await store.changeUpdate(first.id, { status: "failed", errorCode: "ROLLED_BACK" }, 4000);
    const ids = async (filter: object) => (await store.listUpdates(filter, PAGE)).rows.map(({ id }) => id);
    expect(await ids({})).to.deep.equal([second.id, first.id]);
    expect(await ids({ deviceId: "d1" })).to.deep.equal([first.id]);
    expect(await ids({ firmwareId: second.firmwareId })).to.deep.equal([second.id]);
    expect(await ids({ status: "failed" })).to.deep.equal([first.id]);
    expect((await store.listUpdates({}, { limit: 1, offset: 5 })).totalCount).to.equal(2);
  });

  it("counts failures since the last success, roll backs apart", async () => {
    const { deviceId, firmwareId, ...rest } = await offer();
    const close = async (changes: object, time: number) => {
      const open = await store.findOpenUpdate(deviceId);
      const attempt = open ?? (await store.addUpdate({ ...rest, deviceId, firmwareId, createdAt: time }));
      await store.changeUpdate(attempt.id, changes, time);
    };
    await close({ status: "failed", errorCode: "ROLLED_BACK" }, 10);
    await close({ status: "success" }, 20);
    expect(await store.countFailures(deviceId)).to.deep.equal([]);
    await close({ status: "failed", errorCode: "ROLLED_BACK" }, 30);
    await close({ status: "failed", errorCode: "BODY_TRUNCATED" }, 40);
    expect(await store.countFailures(deviceId)).to.deep.equal([
      { firmwareId, failedCount: 2, rolledBackCount: 1, lastFailedAt: 40 },
    ]);
    expect(await store.countFailures("nobody")).to.deep.equal([]);
  });

  it("appends to the log and reads it back, newest first", async () => {
    const first = await store.addEvent({
      time: 1,
      kind: "device.registered",
      deviceId: "d1",
      message: "one",
    });
    const second = await store.addEvent({
      time: 2,
      kind: "update.failed",
      message: "two",
      detail: { code: [1, "ü"] },
    });
    expect(second.id).to.be.above(first.id);
    expect(await store.listEvents({ limit: 10 })).to.deep.equal([second, first]);
    expect(second.detail).to.deep.equal({ code: [1, "ü"] });
    expect(await store.listEvents({ limit: 10, deviceId: "d1" })).to.deep.equal([first]);
    expect(await store.listEvents({ limit: 10, kind: "update.failed" })).to.deep.equal([second]);
    expect(await store.listEvents({ limit: 10, beforeId: second.id })).to.deep.equal([first]);
    expect(await store.listEvents({ limit: 1 })).to.deep.equal([second]);
  });

  it("keeps nothing of a transaction that fails", async () => {
    const failed = store.transaction(async (inside) => {
      await inside.putDevice(sampleDevice());
      expect(await inside.countDevices()).to.equal(1);
      throw new Error("no");
    });
    expect(await failed.catch((error: Error) => error.message)).to.equal("no");
    expect(await store.countDevices()).to.equal(0);
  });

  it("keeps transactions that run at once apart", async () => {
    await store.putDevice(sampleDevice({ bootCount: 0 }));
    const increment = () =>
      store.transaction(async (inside) => {
        const device = await inside.findDevice("base-010203");
        await new Promise((resolve) => setImmediate(resolve));
        await inside.putDevice(sampleDevice({ bootCount: (device?.bootCount ?? 0) + 1 }));
      });
    await Promise.all(Array.from({ length: 10 }, increment));
    expect((await store.findDevice("base-010203"))?.bootCount).to.equal(10);
  });
}
