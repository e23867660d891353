// What the store promises about the audit log.

import { expect } from "chai";
import type { NewAuditEntry, Store } from "../../../server/store/store.js";

const sampleEntry = (changes: Partial<NewAuditEntry> = {}): NewAuditEntry => ({
  time: 1000,
  actor: "ada",
  actorKind: "user",
  userId: 1,
  address: "192.168.1.7",
  action: "firmware.changed",
  subject: "firmware/1",
  before: { is_stable: true },
  after: { is_stable: false, notes: "ü" },
  ...changes,
});

export function auditContract(store: () => Store): void {
  it("appends to the audit log and reads it back, newest first, filtered", async () => {
    const add = (changes: Partial<NewAuditEntry>) => store().addAudit(sampleEntry(changes));
    const first = await add({});
    expect(first).to.deep.include(sampleEntry());
    const second = await add({
      time: 2000,
      action: "firmware.uploaded",
      subject: "firmware/10",
      before: null,
    });
    const third = await add({
      time: 3000,
      actor: "bob",
      action: "user.added",
      subject: "user/eve",
      userId: null,
    });
    const list = (filter: object) => store().listAudit({ limit: 10, ...filter });
    expect(await list({})).to.deep.equal([third, second, first]);
    expect(await list({ actor: "bob" })).to.deep.equal([third]);
    expect(await list({ action: "firmware" })).to.deep.equal([second, first]);
    expect(await list({ action: "firmware.changed" })).to.deep.equal([first]);
    expect(await list({ action: "firm" })).to.deep.equal([]);
    expect(await list({ subject: "firmware/1" })).to.deep.equal([first]);
    expect(await list({ subject: "user" })).to.deep.equal([third]);
    expect(await list({ since: 2000 })).to.deep.equal([third, second]);
    expect(await list({ until: 2000 })).to.deep.equal([first]);
    expect(await list({ beforeId: third.id })).to.deep.equal([second, first]);
    expect(await list({ limit: 1 })).to.deep.equal([third]);
  });
}
