// What the store promises about the log.

import { expect } from "chai";
import type { Store } from "../../../server/store/store.js";

export function eventContract(store: () => Store): void {
  it("appends to the log and reads it back, newest first", async () => {
    const first = await store().addEvent({
      time: 1,
      kind: "device.registered",
      deviceId: "d1",
      message: "one",
    });
    const second = await store().addEvent({
      time: 2,
      kind: "update.failed",
      message: "two",
      detail: { code: [1, "ü"] },
    });
    expect(second.id).to.be.above(first.id);
    expect(await store().listEvents({ limit: 10 })).to.deep.equal([second, first]);
    expect(second.detail).to.deep.equal({ code: [1, "ü"] });
    expect(await store().listEvents({ limit: 10, deviceId: "d1" })).to.deep.equal([first]);
    expect(await store().listEvents({ limit: 10, kind: "update.failed" })).to.deep.equal([second]);
    expect(await store().listEvents({ limit: 10, beforeId: second.id })).to.deep.equal([first]);
    expect(await store().listEvents({ limit: 1 })).to.deep.equal([second]);
  });

  it("removes what is too old or beyond the limit, oldest first, a few at a time", async () => {
    for (let n = 1; n <= 10; n++) await store().addEvent({ time: n * 100, kind: "test", message: `${n}` });
    const left = async () => (await store().listEvents({ limit: 20 })).map(({ message }) => Number(message));
    expect(await store().pruneEvents({ before: 350, maxCount: 100, limit: 2 })).to.equal(2);
    expect(await left()).to.deep.equal([10, 9, 8, 7, 6, 5, 4, 3]);
    expect(await store().pruneEvents({ before: 350, maxCount: 100, limit: 2 })).to.equal(1);
    expect(await store().pruneEvents({ before: 350, maxCount: 7, limit: 100 })).to.equal(0);
    expect(await store().pruneEvents({ before: 0, maxCount: 5, limit: 100 })).to.equal(2);
    expect(await left()).to.deep.equal([10, 9, 8, 7, 6]);
    expect(await store().pruneEvents({ before: 0, maxCount: 0, limit: 100 })).to.equal(5);
    expect(await store().pruneEvents({ before: 0, maxCount: 0, limit: 100 })).to.equal(0);
  });
}
