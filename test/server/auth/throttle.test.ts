import { expect } from "chai";
import { LoginThrottle, networkOf } from "../../../server/auth/throttle.js";
import { openSqliteStore } from "../../../server/store/sqlite.js";
import type { Store } from "../../../server/store/store.js";

describe("the login throttle", () => {
  let store: Store;
  beforeEach(async () => {
    store = await openSqliteStore(":memory:");
  });
  afterEach(() => store.close());

  /** How many tries are allowed. Each goes to the next of these throttles. */
  async function tries(
    throttles: readonly LoginThrottle[],
    count: number,
    at: (index: number) => [string, string],
    now = 0,
  ): Promise<number> {
    let passedCount = 0;
    for (let index = 0; index < count; index++) {
      const throttle = throttles[index % throttles.length] as LoginThrottle;
      if ((await throttle.take(...at(index), now)) === 0) passedCount++;
    }
    return passedCount;
  }
  const one = () => [new LoginThrottle(store)];
  const three = () => [1, 2, 3].map(() => new LoginThrottle(store));
  const pair = (): [string, string] => ["ada", "1.2.3.4"];
  const manyAddresses = (index: number): [string, string] => ["ada", `10.0.${index >> 8}.${index & 255}`];

  it("stops guessing one account from one address after five tries, and allows more after half a minute", async () => {
    const throttles = one();
    expect(await tries(throttles, 10, pair)).to.equal(5);
    expect(await throttles[0]?.take(...pair(), 29_000)).to.be.above(0);
    expect(await tries(throttles, 10, pair, 60_000)).to.be.within(1, 2);
  });

  it("stops trying many accounts from one address", async () => {
    expect(await tries(one(), 100, (index) => [`user${index}`, "1.2.3.4"])).to.equal(20);
  });

  it("stops guessing one account from many addresses, but allows far more than from one", async () => {
    expect(await tries(one(), 500, manyAddresses)).to.equal(100);
  });

  it("allows no more tries when several servers share the database", async () => {
    expect(await tries(three(), 60, pair)).to.equal(5);
    expect(await tries(three(), 100, (index) => [`user${index}`, "1.2.3.5"])).to.equal(20);
    expect(await tries(three(), 500, manyAddresses)).to.be.within(90, 100);
  });

  it("allows no more tries after a restart of the server", async () => {
    expect(await tries(one(), 10, pair)).to.equal(5);
    expect(await tries(one(), 10, pair)).to.equal(0);
  });

  it("refuses a flood without the database, which stores no more than it needs", async () => {
    let askedCount = 0;
    const counted = {
      ...store,
      takeDrop: (...args: Parameters<Store["takeDrop"]>) => {
        askedCount++;
        return store.takeDrop(...args);
      },
    };
    expect(await tries([new LoginThrottle(counted)], 1000, pair)).to.equal(5);
    expect(askedCount).to.equal(15);
    await tries(one(), 1, () => ["bob", "1.2.3.9"], 10_000_000);
    expect(await store.pruneBuckets({ now: 20_000_000, maxCount: 0 }), "only the last try's").to.equal(3);
  });

  it("does not count a right password against its owner", async () => {
    const throttle = new LoginThrottle(store);
    for (let i = 0; i < 10; i++) {
      expect(await throttle.take(...pair(), 0)).to.equal(0);
      await throttle.succeeded(...pair());
    }
  });

  it("stores no name that was typed", async () => {
    const names: string[] = [];
    const spied = {
      ...store,
      takeDrop: (name: string, ...rest: [{ burst: number; dropMs: number }, number]) => {
        names.push(name);
        return store.takeDrop(name, ...rest);
      },
    };
    await new LoginThrottle(spied).take("my password", "1.2.3.4", 0);
    expect(names).to.have.length(3);
    for (const name of names) expect(name).to.match(/^[\w-]{43}$/);
  });

  it("treats one IPv6 network as one address", () => {
    expect(networkOf("2001:db8:1:2:3:4:5:6")).to.equal("2001:db8:1:2");
    expect(networkOf("2001:db8::6")).to.equal("2001:db8:0:0");
    expect(networkOf("::1")).to.equal("0:0:0:0");
    expect(networkOf("fe80::1%eth0")).to.equal("fe80:0:0:0");
    expect(networkOf("::ffff:192.168.1.7")).to.equal("192.168.1.7");
    expect(networkOf("192.168.1.7")).to.equal("192.168.1.7");
  });
});
