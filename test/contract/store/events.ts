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
}
