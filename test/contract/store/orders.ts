import { expect } from "chai";
import type { LastSeenUpdate, NewOrder, Store } from "../../../server/store/store.js";
import { sampleDevice } from "./samples.js";

const ID = "base-010203";
const sampleOrder = (changes: Partial<NewOrder> = {}): NewOrder => ({
  deviceId: ID,
  kind: "restart",
  settings: null,
  orderedBy: "ada",
  createdAt: 5_000,
  expiresAt: 9_000,
  ...changes,
});

export function orderContract(store: () => Store): void {
  const add = (changes: Partial<NewOrder> = {}) => store().addOrder(sampleOrder(changes));

  it("keeps orders, pending at first, and updates their state", async () => {
    const settings = { brightness: 40, pattern: "rainbow" };
    const added = await add({ kind: "settings", settings });
    expect(added).to.deep.equal({
      ...sampleOrder({ kind: "settings", settings }),
      id: 5,
      state: "pending",
      reason: null,
      sentAt: null,
      endedAt: null,
    });
    expect(await store().findOrder(ID, added.id)).to.deep.equal(added);
    const changes = { state: "refused", reason: "no", endedAt: 7_000 } as const;
    expect(await store().changeOrder(ID, added.id, { sentAt: 6_000 })).to.include({ state: "pending" });
    const ended = await store().changeOrder(ID, added.id, changes);
    expect(ended).to.deep.equal({ ...added, ...changes, sentAt: 6_000 });
    expect(await store().findOrder(ID, added.id)).to.deep.equal(ended);
    expect(await store().findOrder("base-0000ff", added.id)).to.equal(undefined);
    expect(await store().changeOrder("base-0000ff", added.id, changes)).to.equal(undefined);
  });

  it("numbers the orders of a device with increasing ids, at least the seconds of their time", async () => {
    const ids = [];
    for (const createdAt of [1_795_000_000_500, 1_795_000_000_700, 1_000, 1_795_000_009_000])
      ids.push((await add({ createdAt })).id);
    expect(ids).to.deep.equal([1_795_000_000, 1_795_000_001, 1_795_000_002, 1_795_000_009]);
    expect((await add({ deviceId: "base-0000ff", createdAt: 0 })).id).to.equal(1);
  });

  it("lists a device's orders newest first, and the pending ones oldest first", async () => {
    const [one, two, three] = [await add(), await add(), await add()];
    await add({ deviceId: "base-0000ff" });
    await store().changeOrder(ID, two.id, { state: "done", endedAt: 1 });
    expect((await store().listPendingOrders(ID)).map(({ id }) => id)).to.deep.equal([one.id, three.id]);
    expect((await store().listOrders(ID, 2)).map(({ id }) => id)).to.deep.equal([three.id, two.id]);
  });

  it("finds expired pending orders of any device", async () => {
    const late = await add({ deviceId: "base-0000ff", expiresAt: 8_000 });
    const first = await add({ expiresAt: 7_000 });
    const done = await add({ expiresAt: 7_000 });
    await add({ expiresAt: 8_001 });
    await store().changeOrder(ID, done.id, { state: "done", endedAt: 1 });
    expect(await store().listOverdueOrders(8_000, 10)).to.deep.equal([first, late]);
    expect(await store().listOverdueOrders(8_000, 1)).to.deep.equal([first]);
    expect(await store().listOverdueOrders(6_999, 10)).to.deep.equal([]);
  });

  it("removes orders that ended before a time, some at a time, and no pending ones", async () => {
    const pending = await add();
    for (const endedAt of [1_000, 2_000, 3_000])
      await store().changeOrder(ID, (await add()).id, { state: "done", endedAt });
    expect(await store().pruneOrders({ before: 3_000, limit: 1 })).to.equal(1);
    expect(await store().pruneOrders({ before: 3_000, limit: 10 })).to.equal(1);
    expect(await store().pruneOrders({ before: 3_000, limit: 10 })).to.equal(0);
    const left = await store().listOrders(ID, 10);
    expect(left.map(({ id, endedAt }) => [id, endedAt])).to.deep.equal([
      [pending.id + 3, 3_000],
      [pending.id, null],
    ]);
  });

  it("clears the no-op key of the device that an order is for, and of no other", async () => {
    const update = (deviceId: string): LastSeenUpdate => ({
      deviceId,
      noOpKey: "key",
      seenAt: 2_000,
      freeHeap: null,
      rssi: null,
      uptimeSeconds: null,
      readings: null,
    });
    const ids = [ID, "base-0000ff"];
    for (const id of ids) {
      await store().transaction((inside) => inside.putDevice(sampleDevice({ id }), "key"));
    }
    expect([...(await store().updateLastSeen(ids.map(update)))].sort()).to.deep.equal([...ids].sort());
    await store().transaction((inside) => inside.addOrder(sampleOrder()));
    expect([...(await store().updateLastSeen(ids.map(update)))]).to.deep.equal(["base-0000ff"]);
  });
}
