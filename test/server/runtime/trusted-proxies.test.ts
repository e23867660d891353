import { expect } from "chai";
import { trustProxies } from "../../../server/runtime/trusted-proxies.js";

describe("trusted proxies", () => {
  it("are addresses, networks and named networks, however an address is written", () => {
    const isProxy = trustProxies(["192.0.2.7", "10.0.0.0/8", "2001:db8::/32", "loopback"]);
    for (const address of ["192.0.2.7", "10.1.2.3", "::ffff:10.1.2.3", "2001:db8:1::9", "127.0.0.1", "::1"])
      expect(isProxy(address), address).to.equal(true);
    for (const address of ["192.0.2.8", "11.0.0.1", "::ffff:11.0.0.1", "2001:db9::1", "", "nobody"])
      expect(isProxy(address), address).to.equal(false);
  });

  it("are none by default", () => {
    expect(trustProxies([])("127.0.0.1")).to.equal(false);
  });

  it("are refused when they are invalid", () => {
    for (const text of ["proxy", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "10.0.0.0/8/8", "/8", "10.0.0.0/"])
      expect(() => trustProxies([text]), text).to.throw(`"${text}" is no proxy to trust`);
  });
});
