import { expect } from "chai";
import { KNOWN_MS } from "../../../server/auth/known-clients.js";
import { LoginThrottle } from "../../../server/auth/throttle.js";
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
      if ((await wait(throttle, at(index), now)) === 0) passedCount++;
    }
    return passedCount;
  }
  const wait = async (throttle: LoginThrottle, [account, address]: [string, string], now: number) =>
    (await throttle.take(account, { address }, now)).waitMs;
  const one = () => [new LoginThrottle(store)];
  const three = () => [1, 2, 3].map(() => new LoginThrottle(store));
  const pair = (): [string, string] => ["ada", "1.2.3.4"];
  const manyAddresses = (index: number): [string, string] => ["ada", `10.0.${index >> 8}.${index & 255}`];

  it("stops guessing one account from one address after five tries, and allows more after half a minute", async () => {
    const [throttle] = one() as [LoginThrottle];
    const throttles = [throttle];
    expect(await tries(throttles, 10, pair)).to.equal(5);
    expect(await wait(throttle, pair(), 29_000)).to.be.above(0);
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
      expect(await wait(throttle, pair(), 0)).to.equal(0);
      await throttle.succeeded("ada", { address: "1.2.3.4" }, 0);
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
    await new LoginThrottle(spied).take("my password", { address: "1.2.3.4" }, 0);
    expect(names).to.have.length(3);
    for (const name of names) expect(name).to.match(/^[\w-]{43}$/);
  });

  it("takes nothing from an account for tries that the address's own buckets refuse", async () => {
    const [throttle] = one() as [LoginThrottle];
    await tries([throttle], 120, pair);
    expect(await tries([throttle], 500, manyAddresses), "five are gone").to.equal(95);
  });

  it("treats one IPv6 network as one address", async () => {
    const manyOfOne = (index: number): [string, string] => ["ada", `2001:db8:1:2::${index.toString(16)}`];
    expect(await tries(one(), 100, manyOfOne)).to.equal(5);
  });

  describe("for who has signed in before", () => {
    const HOME = "192.0.2.1";
    const AWAY = "198.51.100.1";
    let throttle: LoginThrottle;
    let browser: string;
    const take = async (account: string, address: string, secret?: string, now = 1000) =>
      (await throttle.take(account, { address, browser: secret }, now)).waitMs;
    const attack = () => tries([throttle], 500, manyAddresses, 1000);
    beforeEach(async () => {
      throttle = new LoginThrottle(store);
      browser = await throttle.known.addBrowser("ada", undefined, 0);
      await throttle.succeeded("ada", { address: HOME }, 0);
    });

    it("leaves room however many strangers try: the same browser anywhere, and the same network", async () => {
      expect(await attack()).to.equal(100);
      expect(await take("ada", AWAY), "a stranger").to.be.above(0);
      expect(await take("ada", HOME), "the network").to.equal(0);
      expect(await take("ada", AWAY, browser), "the browser").to.equal(0);
      // In the browser's own network, too: a neighbour has emptied what both share.
      await tries([throttle], 100, (index) => [`user${index}`, HOME], 1000);
      expect(await take("ada", HOME)).to.be.above(0);
      expect(await take("ada", HOME, browser)).to.equal(0);
    });

    it("knows them after a restart, and at the other servers of the database", async () => {
      await attack();
      throttle = new LoginThrottle(store);
      expect(await take("ada", HOME)).to.equal(0);
      expect(await take("ada", AWAY, browser)).to.equal(0);
    });

    it("lets them guess no faster than one stranger", async () => {
      let passedCount = 0;
      for (let index = 0; index < 50; index++)
        if ((await take("ada", `10.9.0.${index}`, browser)) === 0) passedCount++;
      expect(passedCount, "from fifty addresses").to.equal(5);
      passedCount = 0;
      for (let index = 0; index < 50; index++) if ((await take("ada", HOME)) === 0) passedCount++;
      expect(passedCount, "from its network").to.equal(5);
    });

    it("knows them for their own account, and takes nobody's word", async () => {
      await attack();
      await tries([throttle], 500, (index) => ["bob", `10.1.${index >> 8}.${index & 255}`], 1000);
      expect(await take("bob", AWAY, browser), "another account").to.be.above(0);
      expect(await take("bob", HOME), "another account").to.be.above(0);
      for (const invented of ["", "skb_", `skb_${"A".repeat(43)}`, browser.slice(0, -1), `${browser}x`])
        expect(await take("ada", AWAY, invented), invented).to.be.above(0);
    });

    it("forgets them when they have not signed in for long", async () => {
      const late = KNOWN_MS + 1000;
      await tries([throttle], 500, manyAddresses, late);
      expect(await take("ada", HOME, undefined, late)).to.be.above(0);
      expect(await take("ada", AWAY, browser, late)).to.be.above(0);
    });

    it("gives each browser a secret of its own, and never takes over one that was planted", async () => {
      expect(await throttle.known.addBrowser("bob", browser, 0), "used by two people").to.equal(browser);
      for (const planted of [undefined, "", "x", `skb_${"B".repeat(43)}`])
        expect(await throttle.known.addBrowser("eve", planted, 0))
          .to.match(/^skb_[\w-]{43}$/)
          .not.equal(planted);
    });
  });
});
