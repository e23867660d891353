import { expect } from "chai";
import { readForwardedFor } from "../../../server/runtime/trusted-proxies.js";
import { networkOf, readAddress, writeAddress } from "../../../server/shared/address.js";

describe("an address", () => {
  const written = (text: string) => {
    const address = readAddress(text);
    return address && writeAddress(address);
  };

  it("is the same however it is written", () => {
    for (const text of ["192.0.2.7", "::ffff:192.0.2.7", "::FFFF:c000:207", "0:0:0:0:0:ffff:c000:0207"])
      expect(written(text), text).to.equal("192.0.2.7");
    for (const text of ["2001:db8::1", "2001:0DB8:0::0:1", "2001:db8:0:0:0:0:0:1", "2001:db8::1%eth0"])
      expect(written(text), text).to.equal("2001:db8:0:0:0:0:0:1");
    expect(written("::")).to.equal("0:0:0:0:0:0:0:0");
    expect(written("64:ff9b::192.0.2.7")).to.equal("64:ff9b:0:0:0:0:c000:207");
  });

  it("is nothing else", () => {
    for (const text of [
      "",
      ":",
      ":::",
      "1",
      "1.2.3",
      "1.2.3.4.5",
      "256.0.0.1",
      "01.2.3.4",
      "0x7f.0.0.1",
      "1.2.3.4:80",
      "1::2::3",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:8::",
      "12345::",
      "::1.2.3.4:1",
      "g::",
      "[::1]",
      "unknown",
      "1.2.3.4 ",
    ])
      expect(readAddress(text), text).to.equal(undefined);
  });

  it("counts by its network", () => {
    expect(networkOf("2001:db8:1:2:3:4:5:6")).to.equal("2001:db8:1:2");
    expect(networkOf("2001:db8::6")).to.equal("2001:db8:0:0");
    expect(networkOf("2001:0DB8:0::6")).to.equal("2001:db8:0:0");
    expect(networkOf("::1")).to.equal("0:0:0:0");
    expect(networkOf("fe80::1%eth0")).to.equal("fe80:0:0:0");
    expect(networkOf("::ffff:192.168.1.7")).to.equal("192.168.1.7");
    expect(networkOf("::ffff:c0a8:107")).to.equal("192.168.1.7");
    expect(networkOf("64:ff9b::c0a8:107"), "as a translator writes it").to.equal("192.168.1.7");
    expect(networkOf("192.168.1.7")).to.equal("192.168.1.7");
    expect(networkOf("nobody")).to.equal(networkOf("somebody"));
  });
});

describe("X-Forwarded-For", () => {
  it("is addresses without ports, brackets and zones", () => {
    expect(
      readForwardedFor("192.0.2.1:1234, [2001:db8::1]:99 ,[2001:db8::2], fe80::1%eth0,10.0.0.1"),
    ).to.equal("192.0.2.1, 2001:db8:0:0:0:0:0:1, 2001:db8:0:0:0:0:0:2, fe80:0:0:0:0:0:0:1, 10.0.0.1");
  });

  it("counts only from behind what is no address", () => {
    expect(readForwardedFor("192.0.2.1, unknown, 10.0.0.1")).to.equal("10.0.0.1");
    for (const text of ["unknown", "_hidden", "", ",", "1.2.3.4:x", "[::1", "1.2.3.4 5.6.7.8", "::1:99999:x"])
      expect(readForwardedFor(text), text).to.equal("");
  });
});
