// The world: order of events, virtual time, waiting for the host, real time.

import { expect } from "chai";
import { World } from "../../../host-sim/world/world.js";

describe("a world in virtual time", () => {
  it("runs events by time, and simultaneous ones in the order in which they were scheduled", async () => {
    const world = new World({ seed: 1 });
    const seen: string[] = [];
    for (const [name, delay] of [
      ["c", 20],
      ["a", 10],
      ["b", 10],
      ["zero", 0],
      ["negative", -5],
    ] as const) {
      world.schedule(delay, () => seen.push(`${name}@${world.nowMs}`));
    }
    await world.runFor(100);
    expect(seen).to.deep.equal(["zero@0", "negative@0", "a@10", "b@10", "c@20"]);
    expect(world.nowMs).to.equal(100);
  });

  it("keeps the order of a thousand events with random delays", async () => {
    const world = new World({ seed: 7 });
    const times: number[] = [];
    for (let count = 0; count < 1000; count += 1) {
      world.schedule(Math.floor(world.random() * 500), () => times.push(world.nowMs));
    }
    await world.runFor(500);
    expect(times).to.have.length(1000);
    expect(times).to.deep.equal([...times].sort((a, b) => a - b));
  });

  it("does not run what was cancelled", async () => {
    const world = new World({ seed: 1 });
    let runCount = 0;
    const event = world.schedule(5, () => {
      runCount += 1;
    });
    world.schedule(1, () => event.cancel());
    await world.runFor(10);
    expect(runCount).to.equal(0);
    expect(world.isIdle).to.equal(true);
  });

  it("ends when it is done, at the limit, and when no events are left", async () => {
    const world = new World({ seed: 1 });
    let isDone = false;
    world.schedule(50, () => {
      isDone = true;
    });
    expect(await world.runUntil(() => isDone, { limitMs: 10 })).to.equal(false);
    expect(world.nowMs).to.equal(10);
    expect(await world.runUntil(() => isDone, { limitMs: 1000 })).to.equal(true);
    expect(world.nowMs).to.equal(50);
    expect(await world.runUntil(() => false, { limitMs: 1000 })).to.equal(false);
    expect(world.nowMs).to.equal(50);
  });

  it("pauses while the host works, and continues with its answer", async () => {
    const world = new World({ seed: 1 });
    const seen: string[] = [];
    const slow = new Promise<string>((resolve) => setTimeout(() => resolve("answer"), 20));
    world.schedule(5, () => world.hold(slow, (value) => seen.push(`${value}@${world.nowMs}`)));
    world.schedule(6, () => seen.push(`later@${world.nowMs}`));
    await world.runFor(10);
    expect(seen).to.deep.equal(["answer@5", "later@6"]);
  });

  it("passes a failure of the host to the caller, and throws it if it is unhandled", async () => {
    const world = new World({ seed: 1 });
    const seen: unknown[] = [];
    world.hold(
      Promise.reject(new Error("no")),
      () => seen.push("value"),
      (error) => seen.push(error),
    );
    await world.runFor(1);
    expect(String(seen)).to.equal("Error: no");
    world.hold(Promise.reject(new Error("unseen")), () => {});
    const failure = await world.runFor(1).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(String(failure)).to.equal("Error: unseen");
  });

  it("gives the same numbers for the same seed, in independent streams", () => {
    const draw = (random: () => number) => [random(), random(), random()];
    const one = new World({ seed: 3 });
    const other = new World({ seed: 3 });
    other.random();
    expect(draw(one.randomStream("a"))).to.deep.equal(draw(other.randomStream("a")));
    expect(draw(one.randomStream("a"))).to.not.deep.equal(draw(one.randomStream("b")));
    expect(new World({ seed: 3 }).random()).to.not.equal(new World({ seed: 4 }).random());
    const numbers = Array.from({ length: 2000 }, () => one.random());
    expect(numbers.every((number) => number >= 0 && number < 1)).to.equal(true);
    expect(numbers.reduce((sum, number) => sum + number, 0) / 2000).to.be.within(0.47, 0.53);
  });
});

describe("a world in real time", () => {
  it("follows the wall clock, at the given speed", async () => {
    const world = new World({ seed: 1, realTime: 10 });
    const begin = performance.now();
    const seen: number[] = [];
    world.schedule(300, () => seen.push(world.nowMs));
    await world.runFor(400);
    expect(performance.now() - begin).to.be.at.least(35);
    expect(seen).to.deep.equal([300]);
    expect(world.nowMs).to.be.at.least(400);
  });

  it("wakes up for external events", async () => {
    const world = new World({ seed: 1, realTime: true });
    let isPosted = false;
    setTimeout(() => {
      world.post(() => {
        isPosted = true;
      });
    }, 20);
    expect(await world.runUntil(() => isPosted, { limitMs: 5000 })).to.equal(true);
    expect(world.nowMs).to.be.within(10, 1000);
  });

  it("can be stopped while it waits", async () => {
    const world = new World({ seed: 1, realTime: true });
    setTimeout(() => world.stop(), 10);
    expect(await world.runUntil(() => false, { limitMs: 60_000 })).to.equal(false);
  });
});

describe("a world whose speed is changed while it runs", () => {
  it("goes from virtual to real time and back, and skips nothing", async () => {
    const world = new World({ seed: 1 });
    const seen: string[] = [];
    for (const atMs of [1_000, 2_000, 3_000]) world.schedule(atMs, () => seen.push(`${atMs}`));
    world.schedule(1_500, () => world.changeSpeed(100));
    world.schedule(2_500, () => world.changeSpeed(undefined));
    await world.runUntil(() => seen.length === 3, { limitMs: 10_000 });
    expect(seen).to.deep.equal(["1000", "2000", "3000"]);
    expect(world.speed).to.equal(undefined);
  });

  it("refuses a speed of 0, and one below", () => {
    const world = new World({ seed: 1 });
    for (const speed of [0, -1, Number.NaN]) expect(() => world.changeSpeed(speed)).to.throw(RangeError);
  });

  for (const realTime of [false, 1000])
    it(`stands still while it is paused, and hears what comes from outside (speed ${realTime})`, async () => {
      const world = new World({ seed: 1, realTime });
      const seen: string[] = [];
      world.schedule(10, () => {
        world.pause();
        setTimeout(() => world.post(() => seen.push(`posted ${world.isPaused}`)), 5);
        setTimeout(() => world.resume(), 40);
      });
      world.schedule(20, () => seen.push(`event ${world.isPaused}`));
      await world.runUntil(() => seen.length === 2, { limitMs: 1000 });
      expect(seen).to.deep.equal(["posted true", "event false"]);
    });

  it("can be stopped while it is paused", async () => {
    const world = new World({ seed: 1 });
    world.schedule(10, () => undefined);
    world.pause();
    setTimeout(() => world.stop(), 5);
    expect(await world.runUntil(() => false, { limitMs: 1000 })).to.equal(false);
    expect(world.nowMs).to.equal(0);
  });
});
