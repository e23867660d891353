// How guesses of the token are slowed down: the arithmetic of one address and of all.

import { expect } from "chai";
import {
  noteRight,
  noteWrong,
  noWrongTokens,
  type WrongTokens,
  waitMs,
} from "../../../../firmware/core/local/wrong-tokens.js";

const guesses = (count: number, address: string, at = 0, from: WrongTokens = noWrongTokens): WrongTokens =>
  Array.from({ length: count }).reduce<WrongTokens>((wrong) => noteWrong(wrong, { address, at }), from);

describe("wrong tokens", () => {
  it("are free three times, then cost 1, 2, 4 seconds and at most five minutes", () => {
    const waits = [1, 2, 3, 4, 5, 6, 12, 13, 20].map((count) =>
      waitMs(guesses(count, "10.0.0.1"), { address: "10.0.0.1", at: 0 }),
    );
    expect(waits).deep.equal([0, 0, 0, 1_000, 2_000, 4_000, 256_000, 300_000, 300_000]);
  });

  it("of one address do not slow another down, until there are thirty", () => {
    const other = { address: "10.0.0.2", at: 0 };
    expect(waitMs(guesses(29, "10.0.0.1"), other)).equal(0);
    expect(waitMs(guesses(30, "10.0.0.1"), other)).equal(10_000);
    expect(waitMs(guesses(300, "10.0.0.1"), other)).equal(10_000);
    expect(waitMs(guesses(30, "10.0.0.1"), { ...other, at: 9_999 })).equal(1);
    expect(waitMs(guesses(30, "10.0.0.1"), { ...other, at: 10_000 })).equal(0);
  });

  it("of others never keep out an address that has shown the token", () => {
    const owner = { address: "10.0.0.9", at: 0 };
    const known = noteRight(noWrongTokens, owner);
    expect(waitMs(guesses(50, "10.0.0.1", 0, known), owner)).equal(0);
    expect(waitMs(guesses(4, owner.address, 0, known), owner)).equal(1_000);
  });

  it("from an address of its own for each guess are let through six times a minute", () => {
    let wrong: WrongTokens = noWrongTokens;
    let tried = 0;
    for (let at = 0; at < 600_000; at += 100) {
      const asked = { address: `10.0.${at % 251}.${at % 241}`, at };
      if (waitMs(wrong, asked) > 0) continue;
      tried++;
      wrong = noteWrong(wrong, asked);
    }
    expect(tried).within(80, 90); // 30 at once, and 60 in ten minutes
  });

  it("are forgotten ten minutes after the wait, and when the token is right", () => {
    const slow = guesses(6, "10.0.0.1");
    const late = noteWrong(slow, { address: "10.0.0.1", at: 4_000 + 600_001 });
    expect(waitMs(late, { address: "10.0.0.1", at: 604_001 })).equal(0);
    const soon = noteWrong(slow, { address: "10.0.0.1", at: 4_000 + 600_000 });
    expect(waitMs(soon, { address: "10.0.0.1", at: 604_000 })).equal(8_000);
    const right = noteRight(slow, { address: "10.0.0.1" });
    expect(waitMs(noteWrong(right, { address: "10.0.0.1", at: 0 }), { address: "10.0.0.1", at: 0 })).equal(0);
  });

  it("need the same memory, however many ask", () => {
    let wrong: WrongTokens = noWrongTokens;
    for (let i = 0; i < 1_000; i++) {
      wrong = noteWrong(wrong, { address: `10.1.${i >> 8}.${i & 255}`, at: i });
      wrong = noteRight(wrong, { address: `10.2.${i >> 8}.${i & 255}` });
    }
    expect([wrong.addresses.length, wrong.known.length]).deep.equal([8, 4]);
    expect(wrong.spent).at.most(30);
  });

  it("without an address count as those of one", () => {
    const wrong = Array.from({ length: 4 }).reduce<WrongTokens>(
      (all) => noteWrong(all, { at: 0 }),
      noWrongTokens,
    );
    expect(waitMs(wrong, { at: 0 })).equal(1_000);
    expect(waitMs(wrong, { address: "10.0.0.1", at: 0 })).equal(0);
  });
});
