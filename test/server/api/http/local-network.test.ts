import { expect } from "chai";
import { isOfLocalNetwork } from "../../../../server/api/http/local-network.js";

describe("the local network", () => {
  it("is what routers give out, and this machine, however an address is written", () => {
    for (const address of [
      "127.0.0.1",
      "10.1.2.3",
      "172.16.0.1",
      "172.31.255.255",
      "192.168.178.20",
      "169.254.3.4",
      "::1",
      "::ffff:192.168.1.2",
      "::ffff:c0a8:102",
      "fe80::1%eth0",
      "fd12:3456::1",
    ])
      expect(isOfLocalNetwork(address), address).to.equal(true);
  });

  it("is nothing else", () => {
    for (const address of [
      "8.8.8.8",
      "172.32.0.1",
      "192.169.0.1",
      "100.64.0.1",
      "::ffff:8.8.8.8",
      "2001:db8::1",
      "fec0::1",
      "",
      "localhost",
      "010.0.0.1",
    ])
      expect(isOfLocalNetwork(address), address).to.equal(false);
  });
});
