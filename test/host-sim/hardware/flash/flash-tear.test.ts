import { expect } from "chai";
import {
  BLOCK_BYTES,
  type FlashOperation,
  SECTOR_BYTES,
} from "../../../../host-sim/hardware/flash/flash-operation.js";
import {
  drawTear,
  ERASE_STEPS,
  erasePatternsOf,
  tearOperation,
} from "../../../../host-sim/hardware/flash/flash-tear.js";
import { randomStream } from "../../../../host-sim/world/random.js";

const erase: FlashOperation = { kind: "erase", offset: 0, length: SECTOR_BYTES, bytes: new Uint8Array() };
const write = (offset: number, length: number): FlashOperation => ({
  kind: "write",
  offset,
  length,
  bytes: new Uint8Array(length).fill(0x0f),
});

/** Number of set bits in all bytes. */
const onesOf = (bytes: Uint8Array) =>
  bytes.reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);

describe("a torn flash operation", () => {
  it("has programmed every byte before the interrupted one, and some bits of that one", () => {
    const seen = new Set<number>();
    for (let seed = 0; seed < 64; seed++) {
      const contents = new Uint8Array(SECTOR_BYTES).fill(0xff);
      tearOperation(contents, write(100, 50), { kind: "byte", index: 20 }, randomStream(seed));
      expect(contents.subarray(100, 120).every((byte) => byte === 0x0f)).equal(true);
      expect(contents[120]! & 0x0f).equal(0x0f);
      expect(contents.subarray(121).every((byte) => byte === 0xff)).equal(true);
      seen.add(contents[120]!);
    }
    expect(seen.size).above(10);
  });

  it("can have touched any byte of the interrupted page, and none after it", () => {
    const contents = new Uint8Array(SECTOR_BYTES).fill(0xff);
    tearOperation(contents, write(200, 400), { kind: "page", index: 100 }, randomStream(1));
    expect(contents.subarray(200, 256).every((byte) => byte === 0x0f)).equal(true);
    expect(new Set(contents.subarray(256, 512)).size).above(10);
    expect(contents.subarray(512).every((byte) => byte === 0xff)).equal(true);
  });

  it("never sets a bit by a write", () => {
    const contents = new Uint8Array(SECTOR_BYTES);
    for (const kind of ["byte", "page"] as const)
      tearOperation(contents, write(0, 300), { kind, index: 280 }, randomStream(2));
    expect(onesOf(contents)).equal(0);
  });

  for (const pattern of erasePatternsOf(erase)) {
    it(`leaves a sector between old and erased, pattern ${pattern}`, () => {
      const old = Uint8Array.from({ length: SECTOR_BYTES }, (_, at) => at * 7);
      const torn = (step: number) => {
        const contents = Uint8Array.from(old);
        tearOperation(contents, erase, { kind: "erase", step, pattern }, randomStream(step));
        return contents;
      };
      for (let step = 1; step <= ERASE_STEPS; step++) {
        const contents = torn(step);
        expect(contents).not.deep.equal(old);
        expect(contents.every((byte) => byte === 0xff)).equal(false);
        const onlySets = contents.every((byte, at) => (byte & old[at]!) === old[at]);
        expect(onlySets).equal(pattern !== "zeroed");
      }
      expect(onesOf(torn(ERASE_STEPS))).above(onesOf(torn(8)));
    });
  }

  for (const pattern of erasePatternsOf({ length: BLOCK_BYTES })) {
    it(`touches all of a block, and nothing beside it, pattern ${pattern}`, () => {
      const old = Uint8Array.from({ length: 3 * BLOCK_BYTES }, (_, at) => at * 7);
      const contents = Uint8Array.from(old);
      const block: FlashOperation = { ...erase, offset: BLOCK_BYTES, length: BLOCK_BYTES };
      tearOperation(contents, block, { kind: "erase", step: 12, pattern }, randomStream(1));
      const isOld = (start: number, end: number) =>
        Buffer.compare(contents.subarray(start, end), old.subarray(start, end)) === 0;
      expect(isOld(0, BLOCK_BYTES)).equal(true);
      expect(isOld(2 * BLOCK_BYTES, 3 * BLOCK_BYTES)).equal(true);
      const sectors = Array.from({ length: 16 }, (_, index) => BLOCK_BYTES + index * SECTOR_BYTES);
      expect(sectors.filter((at) => !isOld(at, at + SECTOR_BYTES)).length).above(8);
      const erased = sectors.filter((at) =>
        contents.subarray(at, at + SECTOR_BYTES).every((b) => b === 0xff),
      );
      expect(erased.length).below(16);
      if (pattern === "swept" || pattern === "uneven") expect(erased.length).above(2);
    });
  }

  it("can be any of these, by seed", () => {
    const random = randomStream(3);
    const kinds = new Set(Array.from({ length: 40 }, () => drawTear(write(0, 8), random, 4).kind));
    expect([...kinds].sort()).deep.equal(["byte", "page"]);
    expect(drawTear(erase, random, 0).kind).equal("erase");
  });
});
