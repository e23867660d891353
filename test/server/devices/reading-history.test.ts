// Readings over time: one an hour, later one a day, and never more than there is room for.

import { expect } from "chai";
import { readingSampler } from "../../../server/devices/reading-history.js";
import { openSqliteStore } from "../../../server/store/sqlite.js";
import type { Store } from "../../../server/store/store.js";
import { sampleDevice } from "../../contract/store/samples.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2026, 10, 2);

describe("readings over time", () => {
  let store: Store;
  let now = START_MS;
  beforeEach(async () => {
    store = await openSqliteStore(":memory:");
    now = START_MS;
  });
  afterEach(() => store.close());

  const read = (id: string, temperature_c: number | undefined) =>
    store.putDevice(
      sampleDevice({
        ...{ id, lastSeen: now, rssi: -60 },
        readings: temperature_c === undefined ? null : { temperature_c },
      }),
    );
  const hours = async (kind: "hourly" | "daily", id = "a") =>
    (await store.listReadingSamples(kind, id, 0)).map(({ time }) => (time - START_MS) / HOUR_MS);

  it("are sampled once an hour, of devices with sensors that were seen", async () => {
    const sample = readingSampler({ store, now: () => now });
    await read("a", 21);
    await read("b", undefined);
    await sample();
    now += HOUR_MS / 2;
    await read("a", 25);
    await sample();
    expect(await store.listReadingSamples("hourly", "a", 0)).to.deep.equal([
      { time: START_MS, readings: { temperature_c: 21 }, rssi: -60 },
    ]);
    expect(await hours("hourly", "b")).to.deep.equal([]);
    now += HOUR_MS / 2;
    await sample();
    now += 2 * HOUR_MS;
    await sample();
    expect(await hours("hourly"), "not while it is silent").to.deep.equal([0, 1]);
  });

  it("stay for three days by the hour, and for a year by the day", async () => {
    const sample = readingSampler({ store, now: () => now });
    for (let hour = 0; hour <= 5 * 24; hour++) {
      now = START_MS + hour * HOUR_MS;
      await read("a", 20);
      await sample();
    }
    expect(await hours("daily")).to.deep.equal([0, 24, 48, 72, 96, 120]);
    expect((await hours("hourly"))[0]).to.equal(48);
    expect(await hours("hourly")).to.have.lengthOf(73);
    now += 366 * DAY_MS;
    await sample();
    expect(await store.countReadingSamples()).to.equal(0);
  });

  it("of too many devices lose the oldest first, the daily ones before the hourly ones", async () => {
    const sample = readingSampler({ store, now: () => now }, 5);
    for (let hour = 0; hour < 4; hour++) {
      now = START_MS + hour * HOUR_MS;
      for (const id of ["a", "b"]) await read(id, 20);
      await sample();
    }
    expect(await store.countReadingSamples()).to.equal(5);
    expect(await hours("daily")).to.deep.equal([]);
    expect([...(await hours("hourly")), ...(await hours("hourly", "b"))].sort()).to.deep.equal([
      1, 2, 2, 3, 3,
    ]);
  });
});
