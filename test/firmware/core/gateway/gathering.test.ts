// The time between the first node that asks for an image and its first block.

import { expect } from "chai";
import {
  type Gathering,
  gathered,
  isAnnouncing,
  isGathered,
  nextLookMs,
} from "../../../../firmware/core/gateway/gathering.js";

const FIRST_AT = 1_000_000;
const begun = (offset = 0): Gathering => gathered(undefined, offset, FIRST_AT);

describe("gathering nodes before an image", () => {
  it("ends when nobody has asked for eight seconds", () => {
    expect(isGathered(begun(), false, FIRST_AT + 7_999)).equal(false);
    expect(isGathered(begun(), false, FIRST_AT + 8_000)).equal(true);
    const joined = gathered(begun(), 0, FIRST_AT + 7_000);
    expect(isGathered(joined, false, FIRST_AT + 14_999)).equal(false);
    expect(isGathered(joined, false, FIRST_AT + 15_000)).equal(true);
  });

  it("ends although nodes go on asking, when the first has waited for 45 seconds", () => {
    let state = begun();
    for (let at = FIRST_AT; at < FIRST_AT + 45_000; at += 5_000) {
      state = gathered(state, 0, at);
      expect(isGathered(state, false, at), `${at - FIRST_AT}`).equal(false);
    }
    expect(isGathered(state, false, FIRST_AT + 45_000)).equal(true);
  });

  it("waits for those who are known to want it, longer than two checks are apart, and not forever", () => {
    expect(isGathered(begun(), true, FIRST_AT + 149_999)).equal(false);
    expect(isGathered(begun(), true, FIRST_AT + 150_000)).equal(true);
  });

  it("begins where the node begins that has least of the image", () => {
    expect(gathered(gathered(begun(65_536), 16_384, FIRST_AT), 32_768, FIRST_AT).offset).equal(16_384);
  });

  it("announces the image at once, and then every five seconds", () => {
    expect(isAnnouncing(begun(), FIRST_AT)).equal(true);
    const told = { ...begun(), announcedMs: FIRST_AT };
    expect(isAnnouncing(told, FIRST_AT + 4_999)).equal(false);
    expect(isAnnouncing(told, FIRST_AT + 5_000)).equal(true);
    expect(isAnnouncing(told, FIRST_AT + 1_000, 1_000), "somebody asks for blocks").equal(true);
  });

  it("looks again when something is due, and never without a pause", () => {
    const told = { ...begun(), announcedMs: FIRST_AT };
    expect(nextLookMs(told, FIRST_AT + 1_000)).equal(4_000);
    expect(nextLookMs({ ...told, announcedMs: FIRST_AT + 5_000 }, FIRST_AT + 5_000)).equal(3_000);
    expect(nextLookMs(told, FIRST_AT + 60_000)).equal(500);
  });
});
