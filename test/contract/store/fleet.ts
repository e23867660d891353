import { expect } from "chai";
import type { Store } from "../../../server/store/store.js";
import { PAGE, sampleDevice } from "./samples.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export function fleetContract(store: () => Store): void {
  const add = (id: string, changes: Parameters<typeof sampleDevice>[0] = {}) =>
    store().putDevice(sampleDevice({ id, ...changes }));

  it("counts the versions of the fleet, and records them hour by hour", async () => {
    await add("base-1");
    await add("base-2");
    await add("led-1", { type: "led", version: "2.0.0" });
    expect(await store().findLastSampleTime()).equal(undefined);
    await store().sampleVersions(DAY_MS);
    await add("base-2", { version: "1.1.0" });
    await store().sampleVersions(DAY_MS + HOUR_MS);
    expect(await store().countVersions()).deep.equal([
      { deviceType: "base", version: "1.0.0", deviceCount: 1 },
      { deviceType: "base", version: "1.1.0", deviceCount: 1 },
      { deviceType: "led", version: "2.0.0", deviceCount: 1 },
    ]);
    expect(await store().findLastSampleTime()).equal(DAY_MS + HOUR_MS);
    expect(await store().listVersionSamples(0, "base")).deep.equal([
      { time: DAY_MS, deviceType: "base", version: "1.0.0", deviceCount: 2 },
      { time: DAY_MS + HOUR_MS, deviceType: "base", version: "1.0.0", deviceCount: 1 },
      { time: DAY_MS + HOUR_MS, deviceType: "base", version: "1.1.0", deviceCount: 1 },
    ]);
  });

  it("samples each hour once, even with several servers", async () => {
    await add("base-1");
    await store().sampleVersions(HOUR_MS);
    await add("base-2");
    await store().sampleVersions(HOUR_MS);
    expect((await store().listVersionSamples(0)).map(({ deviceCount }) => deviceCount)).deep.equal([1]);
  });

  it("thins old samples to the first of each day, and removes very old ones", async () => {
    await add("base-1");
    const hours = [1, 2, 25, 30, 47, 49, 50, 51].map((hour) => hour * HOUR_MS);
    for (const time of hours) await store().sampleVersions(time);
    await store().pruneVersionSamples({ thinBefore: 50 * HOUR_MS, removeBefore: 10 * HOUR_MS });
    const left = (await store().listVersionSamples(0)).map(({ time }) => time / HOUR_MS);
    expect(left).deep.equal([25, 49, 50, 51]);
  });

  it("evaluates each device by its own interval, as device-status.ts does", async () => {
    const now = 100 * HOUR_MS;
    const terms = { now, usualMs: 300_000 };
    await add("usual", { lastSeen: now - 200_000 });
    await add("late", { lastSeen: now - 400_000 });
    await add("gone", { lastSeen: now - 10_000_000 });
    await add("daily", { lastSeen: now - 10_000_000 });
    await store().putIdentity({
      deviceId: "daily",
      deviceType: "base",
      typeSince: 1,
      vouchedHow: null,
      vouchedBy: null,
      vouchedAt: null,
      vouchedType: null,
      state: "approved",
      tokenHash: null,
      issued: [],
      isRotating: false,
      intervalSeconds: 86_400,
      createdAt: 0,
      updatedAt: 0,
    });
    expect(await store().countStatuses(terms)).deep.equal({ online: 2, late: 1, offline: 1 });
    const listed = async (is: "online" | "late" | "offline") =>
      (await store().listDevices({ status: { is, ...terms } }, PAGE, "id")).rows.map(({ id }) => id);
    expect(await listed("online")).deep.equal(["daily", "usual"]);
    expect(await listed("late")).deep.equal(["late"]);
    expect(await listed("offline")).deep.equal(["gone"]);
  });
}
