// The device's Promise: what it settles to, and in which turn its jobs run.

import { expect } from "chai";
import { runSource } from "../run-source.js";

const PRELUDE = `import Timer from "timer"; const log = (...v) => trace(v.map(String).join(" ") + "\\n");\n`;

async function linesOf(source: string): Promise<string[]> {
  const { lines, events } = await runSource(PRELUDE + source);
  expect(events.map((event) => event.type)).to.deep.equal(["booted"]);
  return lines;
}

describe("the device's promise", () => {
  it("is used by async functions, generators and for await", async () => {
    const lines = await linesOf(`
      log((async () => {})() instanceof Promise, Promise.name);
      async function* count() { yield 1; await null; yield 2; }
      class A { async m(x) { return x * 2; } static async s() { throw new Error("s"); } }
      (async () => {
        for await (const n of count()) log("got", n);
        log(await new A().m(21), await A.s().catch((e) => e.message));
        try { await Promise.reject(new TypeError("no")); } catch (e) { log(e instanceof TypeError, e.message); } finally { log("finally"); }
        for await (const n of [Promise.resolve("x"), "y"]) log(n);
        const arrow = async (a, ...rest) => a + rest.length; log(await arrow(1, 2, 3));
      })();`);
    expect(lines).to.deep.equal([
      "true Promise",
      "got 1",
      "got 2",
      "42 s",
      "true no",
      "finally",
      "x",
      "y",
      "3",
    ]);
  });

  it("combines others: all, allSettled, any, race", async () => {
    const lines = await linesOf(`
      const later = (ms, v, bad) => new Promise((y, n) => Timer.set(() => (bad ? n : y)(v), ms));
      const show = (name, p) => p.then((v) => log(name, JSON.stringify(v)), (e) => log(name, e.name ?? e, e.errors ?? ""));
      show("all", Promise.all([later(20, "a"), "b", later(10, "c")]));
      show("all of none", Promise.all([]));
      show("all bad", Promise.all([later(20, "a"), Promise.reject("bad")]));
      show("settled", Promise.allSettled([later(5, 1), later(6, 2, true)]));
      show("any", Promise.any([later(5, "x", true), later(30, "y")]));
      show("any bad", Promise.any([Promise.reject(1), Promise.reject(2)]));
      show("race", Promise.race([later(40, "slow"), later(8, "fast")]));
      const { promise, resolve } = Promise.withResolvers(); show("with", promise); Timer.set(() => resolve("w"), 100);
      show("try", Promise.try((a) => a + 1, 1)); show("try bad", Promise.try(() => { throw "t"; }));`);
    expect(lines.sort()).to.deep.equal(
      [
        'all ["a","b","c"]',
        "all of none []",
        "all bad bad ",
        'settled [{"status":"fulfilled","value":1},{"status":"rejected","reason":2}]',
        'any "y"',
        "any bad AggregateError 1,2",
        'race "fast"',
        'with "w"',
        "try 2",
        "try bad t ",
      ].sort(),
    );
  });

  it("follows thenables, once", async () => {
    const lines = await linesOf(`
      Promise.resolve({ then(y, n) { y("first"); y("second"); n("third"); } }).then((v) => log(v));
      Promise.resolve({ then() { throw new Error("thrown"); } }).catch((e) => log(e.message));
      Promise.resolve({ get then() { throw new Error("getter"); } }).catch((e) => log(e.message));
      const p = new Promise((y) => Timer.set(() => y(p), 1)); p.catch((e) => log(e.name));
      Promise.resolve(1).finally(() => log("f")).then((v) => log("then", v));
      Promise.reject(2).finally(() => { throw 3; }).catch((v) => log("catch", v));
      class Mine extends Promise {} log(Mine.resolve(1).then(() => {}) instanceof Mine, Mine.resolve(Promise.resolve(1)) instanceof Mine);
      try { Promise(); } catch (e) { log(e.name); } try { new Promise(5); } catch (e) { log(e.name); }`);
    expect(lines.sort()).to.deep.equal(
      [
        "first",
        "thrown",
        "getter",
        "TypeError",
        "f",
        "then 1",
        "catch 3",
        "true true",
        "TypeError",
        "TypeError",
      ].sort(),
    );
  });

  it("runs the jobs of a turn after the timers that were due with it, and their jobs a turn later", async () => {
    const lines = await linesOf(`
      Timer.set(() => { log("a"); Promise.resolve().then(() => { log("job 1"); Promise.resolve().then(() => log("job 3")); Timer.set(() => log("timer"), 0); }); }, 5);
      Timer.set(() => { log("b"); Promise.resolve().then(() => log("job 2")); }, 5);`);
    expect(lines).to.deep.equal(["a", "b", "job 1", "job 2", "timer", "job 3"]);
  });

  it("does not report an unhandled rejection", async () => {
    expect(
      await linesOf(
        `Promise.reject(new Error("x")); (async () => { throw 1; })(); Timer.set(() => log("on"), 1);`,
      ),
    ).to.deep.equal(["on"]);
  });
});
