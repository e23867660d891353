import { expect } from "chai";
import { LoginThrottle, networkOf } from "../../../server/auth/throttle.js";

describe("the login throttle", () => {
  const tries = (throttle: LoginThrottle, count: number, at: (index: number) => [string, string], now = 0) =>
    Array.from({ length: count }, (_, index) => throttle.take(...at(index), now)).filter((wait) => wait === 0)
      .length;

  it("ends guessing one account from one address after five tries, and goes on after half a minute", () => {
    const throttle = new LoginThrottle();
    expect(tries(throttle, 10, () => ["ada", "1.2.3.4"])).to.equal(5);
    expect(throttle.take("ada", "1.2.3.4", 29_000)).to.be.above(0);
    expect(tries(throttle, 10, () => ["ada", "1.2.3.4"], 60_000)).to.be.within(1, 2);
  });

  it("ends trying many accounts from one address", () => {
    expect(tries(new LoginThrottle(), 100, (index) => [`user${index}`, "1.2.3.4"])).to.equal(20);
  });

  it("ends guessing one account from many addresses, but lets far more through than one can try", () => {
    expect(tries(new LoginThrottle(), 500, (index) => ["ada", `10.0.${index >> 8}.${index & 255}`])).to.equal(
      100,
    );
  });

  it("does not hold a right password against its owner", () => {
    const throttle = new LoginThrottle();
    for (let i = 0; i < 10; i++) {
      expect(throttle.take("ada", "1.2.3.4", 0)).to.equal(0);
      throttle.succeeded("ada", "1.2.3.4");
    }
  });

  it("takes one IPv6 network for one address", () => {
    expect(networkOf("2001:db8:1:2:3:4:5:6")).to.equal("2001:db8:1:2");
    expect(networkOf("2001:db8::6")).to.equal("2001:db8:0:0");
    expect(networkOf("::1")).to.equal("0:0:0:0");
    expect(networkOf("fe80::1%eth0")).to.equal("fe80:0:0:0");
    expect(networkOf("::ffff:192.168.1.7")).to.equal("192.168.1.7");
    expect(networkOf("192.168.1.7")).to.equal("192.168.1.7");
  });
});
