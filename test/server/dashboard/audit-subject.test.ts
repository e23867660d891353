import { expect } from "chai";
import { nameOfSubject, pathOfSubject } from "../../../server/dashboard/client/audit-subject.js";

describe("the subject of an audit line", () => {
  it("is a link where this server has a page for it, whatever its id looks like", () => {
    expect(pathOfSubject("rollout/2")).to.equal("/ota-management/rollouts/2");
    expect(pathOfSubject("device/base:1")).to.equal("/devices/base%3A1");
    expect(pathOfSubject("device/a/../b")).to.equal("/devices/a%2F..%2Fb");
    for (const other of ["token/3", "user/ada", "rollout", "constructor/1"])
      expect(pathOfSubject(other), other).to.equal(undefined);
  });

  it("has the name that the line knows, the newest first", () => {
    expect(nameOfSubject({ before: { name: "old" }, after: { name: "new" } })).to.equal("new");
    expect(nameOfSubject({ before: { name: "old" }, after: null })).to.equal("old");
    expect(nameOfSubject({ before: null, after: { state: "paused", name: 7 } })).to.equal(undefined);
  });
});
