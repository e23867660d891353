// What a device is told of a type's releases: the least sequence that it may be given, and what was withdrawn. A store in memory.

import { expect } from "chai";
import { findCurrent } from "../../../server/rollout/current.js";
import type { Rollout } from "../../../server/shared/rollout.js";
import { openSqliteStore } from "../../../server/store/sqlite.js";
import type { Firmware, NewFirmware, Store } from "../../../server/store/store.js";
import { sampleDevice, sampleFirmware } from "../../contract/store/samples.js";
import { NOW, sampleRollout } from "./samples.js";

describe("what counts now among the releases of a type", () => {
  let store: Store;
  beforeEach(async () => {
    store = await openSqliteStore(":memory:");
    await store.putDevice(sampleDevice());
  });
  afterEach(() => store.close());

  /** Its sequence and its digest begin with the number. */
  const release = (number: number, changes: Partial<NewFirmware> = {}): Promise<Firmware> =>
    store.addFirmware(
      sampleFirmware({
        version: `1.${number}.0`,
        sequence: number * 100,
        imageSha256: digestOf(number).padEnd(64, "0"),
        ...changes,
      }),
    );
  const digestOf = (number: number) => `${number}`.padEnd(16, "f");
  const rollout = async (firmware: Firmware, state: Rollout["state"]) => {
    const { id: _, ...fields } = sampleRollout({ firmwareId: firmware.id, state });
    await store.addRollout(fields);
  };
  const current = (led: readonly number[] = [], deviceId = "base-010203") =>
    findCurrent(store, { deviceId, deviceType: "base" }, new Set(led), NOW);

  it("is nothing where there are none", async () => {
    expect(await current()).to.deep.equal({ newest: 0, withdrawn: [] });
  });

  it("is the release that the device was offered, while its attempt is open", async () => {
    const { id: firmwareId } = await release(1);
    await release(2);
    const attempt = await store.addUpdate({
      ...{ deviceId: "base-010203", firmwareId, fromVersion: "1.0.0", fromBuild: 0, createdAt: NOW },
    });
    expect((await current()).newest).to.equal(100);
    await store.changeUpdate(attempt.id, { status: "failed" }, NOW);
    expect((await current()).newest).to.equal(200);
  });

  it("is at any other time the newest by its version that is for all", async () => {
    await release(1, { sequence: 900 });
    await release(2);
    await release(3, { isStable: false });
    await release(4, { expiresAt: NOW });
    await rollout(await release(5), "running");
    expect((await current()).newest).to.equal(200);
    await rollout(await release(6), "finished");
    expect((await current()).newest).to.equal(600);
    await release(7, { deviceType: "led" });
    await release(8, { release: null });
    expect((await current()).newest).to.equal(600);
  });

  it("goes by the hardware of the device, or by the least where that is not known", async () => {
    await release(1, { chip: "esp32c3" });
    await release(2);
    expect((await current()).newest).to.equal(200);
    expect((await current([], "base-ffffff")).newest).to.equal(100);
    await store.putDevice(sampleDevice({ id: "base-2", hardware: "board-of-nobody" }));
    expect((await current([], "base-2")).newest).to.equal(100);
  });

  it("is not above what others may lead the device to", async () => {
    const { id } = await release(1);
    await release(2);
    expect((await current([id])).newest).to.equal(100);
    expect((await current([id + 100])).newest).to.equal(200);
  });

  it("names what was switched off or deleted, from the newest on, the highest sequence first", async () => {
    await release(2);
    for (const number of [1, 5, 3, 4]) await release(number, { isActive: false });
    const old = await release(6, { isActive: false });
    await store.removeFirmware(old.id, NOW);
    await release(7, { isActive: false, deviceType: "led" });
    expect(await current()).to.deep.equal({ newest: 200, withdrawn: [6, 5, 4, 3].map(digestOf) });
  });

  it("names 16 at most, the highest", async () => {
    for (let number = 10; number < 30; number++) await release(number, { isActive: false });
    const { withdrawn } = await current();
    expect(withdrawn).to.have.length(16);
    expect([withdrawn[0], withdrawn[15]]).to.deep.equal([digestOf(29), digestOf(14)]);
  });

  it("names no image that is still offered to such a device", async () => {
    await release(2, { isActive: false });
    await release(2, { buildNumber: 1 });
    await release(3, { isActive: false });
    await release(3, { chip: "esp32c3", hardware: "esp32c3" });
    expect((await current()).withdrawn).to.deep.equal([digestOf(3)]);
  });

  it("names a release of which every rollout was cancelled, as nothing offers it any more", async () => {
    await release(1);
    const bad = await release(2);
    await rollout(bad, "cancelled");
    expect(await current()).to.deep.equal({ newest: 100, withdrawn: [digestOf(2)] });
    const { id } = await store.addUpdate({
      ...{ deviceId: "base-010203", firmwareId: bad.id, fromVersion: "1.0.0", fromBuild: 0, createdAt: NOW },
    });
    expect(await current(), "the attempt is about to end").to.deep.equal({
      newest: 100,
      withdrawn: [digestOf(2)],
    });
    await store.changeUpdate(id, { status: "failed" }, NOW);
    expect((await current([bad.id])).withdrawn, "a system contains it").to.deep.equal([]);
    await store.putLabels("base-010203", { tags: [], group: null, pin: "1.2.0" });
    expect((await current()).withdrawn, "the device is kept at it").to.deep.equal([]);
    expect((await current([], "another")).withdrawn).to.deep.equal([digestOf(2)]);
    await store.putLabels("base-010203", { tags: [], group: null, pin: null });
    await rollout(bad, "paused");
    expect((await current()).withdrawn, "another rollout").to.deep.equal([]);
  });
});
