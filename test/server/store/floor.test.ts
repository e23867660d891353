import { expect } from "chai";
import { Floor } from "../../../server/store/sql/floor.js";

/** A promise that the test resolves. */
function latch() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}
/** All that can happen without a timer has happened. */
const turns = () => new Promise((resolve) => setImmediate(resolve));

describe("the floor of a store's transactions", () => {
  it("is free at first, and while somebody has it nobody begins", async () => {
    const floor = new Floor();
    await floor.isFree();
    const [long, events] = [latch(), [] as string[]];
    const taken = floor.take(() => long.opened.then(() => events.push("long")));
    await turns();
    const others = [1, 2].map((n) => floor.isFree().then(() => events.push(`other ${n}`)));
    await turns();
    expect(events).deep.equal([]);
    long.open();
    await Promise.all([taken, ...others]);
    expect(events).deep.equal(["long", "other 1", "other 2"]);
  });

  it("goes from one to the next in turn, also after a failure", async () => {
    const floor = new Floor();
    const [first, second, events] = [latch(), latch(), [] as string[]];
    const failing = floor
      .take(async () => {
        await first.opened;
        throw new Error("set back");
      })
      .catch((error: Error) => events.push(error.message));
    const next = floor.take(async () => {
      events.push("second begins");
      await second.opened;
    });
    await turns();
    expect(events).deep.equal([]);
    first.open();
    await turns();
    expect(events).members(["set back", "second begins"]);
    const other = floor.isFree().then(() => events.push("other"));
    await turns();
    expect(events).not.include("other");
    second.open();
    await Promise.all([failing, next, other]);
    expect(events.at(-1)).equal("other");
    await floor.isFree();
  });
});
