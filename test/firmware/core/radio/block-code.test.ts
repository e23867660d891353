import { assert } from "chai";
import {
  addParity,
  addPart,
  BLOCK_BYTES,
  bitCount,
  type Decoder,
  deficitOf,
  isKnown,
  lowestBit,
  MAX_ROWS,
  newDecoder,
  PART_BYTES,
  PART_SET_BYTES,
  PARTS_A_BLOCK,
  partCountOf,
  partLength,
  repairOf,
  resetDecoder,
  roomOf,
  settledParts,
  subsetWord,
  wordOf,
} from "../../../../firmware/core/radio/block-code.js";
import { randomStream } from "../../../../host-sim/world/random.js";
import { combine, randomBytes } from "./block-world.js";

/** A subset as the specification of the code says it, with integers of any size. */
function subset(seed: number, partCount: number): bigint {
  const mix = (word: number): bigint => {
    const wrap = (value: bigint) => value & 0xffffffffn;
    let value = wrap(BigInt(seed * 3 + word + 1) * 0x9e3779b1n);
    value = wrap((value ^ (value >> 16n)) * 0x85ebca6bn);
    value = wrap((value ^ (value >> 13n)) * 0xc2b2ae35n);
    return value ^ (value >> 16n);
  };
  const all = (1n << BigInt(partCount)) - 1n;
  const bits = (mix(0) | (mix(1) << 32n) | (mix(2) << 64n)) & all;
  return bits === 0n ? all : bits;
}

/** Rank of equations over GF(2), in the unknowns only: the slowest way that is plainly right. */
function rankOf(equations: readonly bigint[], unknown: bigint): number {
  let rows = equations.map((row) => row & unknown).filter((row) => row !== 0n);
  let rank = 0;
  while (rows.length > 0) {
    const [first, ...others] = rows as [bigint, ...bigint[]];
    const lowest = first & -first;
    rank += 1;
    rows = others.map((row) => ((row & lowest) !== 0n ? row ^ first : row)).filter((row) => row !== 0n);
  }
  return rank;
}

/** Parts and parities of a block, as its sender makes them. */
function block(sizeBytes: number, seed: string) {
  const bytes = randomBytes(sizeBytes, seed);
  const partCount = partCountOf(sizeBytes);
  const all = { type: "combineParts", attempt: 1, from: "cache", offset: 0, length: sizeBytes } as const;
  const parityOf = (seedOfParity: number) => {
    const parts = new Uint8Array(PART_SET_BYTES);
    const bits = subset(seedOfParity, partCount);
    for (let part = 0; part < partCount; part++) {
      if (((bits >> BigInt(part)) & 1n) === 1n) parts[part >> 3]! |= 1 << (part & 7);
    }
    return combine(bytes, { ...all, parts });
  };
  const partAt = (part: number) =>
    bytes.subarray(part * PART_BYTES, part * PART_BYTES + partLength(sizeBytes, part));
  return { bytes, partCount, parityOf, partAt };
}

/** Carries out the equations of a decoder that has enough, on what is in the flash. */
function repairAll(decoder: Decoder, flash: Uint8Array): void {
  const repaired: [number, Uint8Array][] = [];
  for (let row = 0; row < decoder.rank; row++) {
    const parts = new Uint8Array(PART_SET_BYTES);
    const { part, combination } = repairOf(decoder, row, parts);
    const bytes = combine(flash, {
      type: "combineParts",
      attempt: 1,
      from: "slot",
      offset: 0,
      length: flash.length,
      parts,
      parities: decoder.parities,
      combination,
    });
    repaired.push([part, bytes.subarray(0, partLength(flash.length, part))]);
  }
  for (const [part, bytes] of repaired) flash.set(bytes, part * PART_BYTES);
}

describe("the code that repairs lost parts", () => {
  it("divides a chunk of 16 KiB into 73 full parts and one of 32 bytes", () => {
    assert.strictEqual(PARTS_A_BLOCK, 74);
    assert.strictEqual(partLength(BLOCK_BYTES, 72), 224);
    assert.strictEqual(partLength(BLOCK_BYTES, 73), 32);
    assert.strictEqual(partCountOf(1), 1);
    assert.strictEqual(partLength(1, 0), 1);
  });

  it("makes the same subsets on every engine", () => {
    for (let seed = 0; seed < 0x1_0000; seed += 1499) {
      for (const partCount of [1, 2, 31, 32, 33, 64, 73, 74]) {
        const expected = subset(seed, partCount);
        for (let word = 0; word < 3; word++) {
          const bits = BigInt.asIntN(32, expected >> BigInt(32 * word));
          assert.strictEqual(BigInt(subsetWord(seed, word, partCount)), bits, `${seed} ${partCount} ${word}`);
        }
      }
    }
    // written down, so that neither side of the comparison can change unnoticed
    assert.deepEqual(
      [0, 1, 2].map((word) => subsetWord(1, word, 74) >>> 0),
      [0xf5ce2edf, 0x9982f0bb, 0xbc],
    );
  });

  it("never makes a parity of no part", () => {
    for (let seed = 0; seed < 0x1_0000; seed += 13) assert.strictEqual(subsetWord(seed, 0, 1), 1);
  });

  it("counts bits and finds the lowest one", () => {
    for (const word of [0, 1, -1, 0x80000000 | 0, 0x7fffffff, 0x12345678, -2]) {
      const text = (word >>> 0).toString(2);
      assert.strictEqual(bitCount(word), text.replaceAll("0", "").length);
      if (word !== 0) assert.strictEqual(lowestBit(word), text.length - 1 - text.lastIndexOf("1"));
    }
  });

  it("has the rank that elimination over all equations has, whatever arrives in whatever order", () => {
    for (let run = 0; run < 30; run++) {
      const random = randomStream(`rank/${run}`);
      const partCount = 1 + Math.floor(random() * PARTS_A_BLOCK);
      const decoder = newDecoder(partCount);
      const zeros = new Uint8Array(PART_BYTES);
      const equations: bigint[] = [];
      let unknown = (1n << BigInt(partCount)) - 1n;
      for (let step = 0; step < 150 && deficitOf(decoder) > 0; step++) {
        if (random() < 0.5) {
          const part = Math.floor(random() * partCount);
          assert.strictEqual(addPart(decoder, part), ((unknown >> BigInt(part)) & 1n) === 1n);
          unknown &= ~(1n << BigInt(part));
        } else {
          const seed = Math.floor(random() * 0x1_0000);
          const isFull = decoder.rank === MAX_ROWS;
          const before = rankOf(equations, unknown);
          const helps = rankOf([...equations, subset(seed, partCount)], unknown) > before;
          assert.strictEqual(addParity(decoder, seed, zeros), helps && !isFull);
          if (helps && !isFull) equations.push(subset(seed, partCount));
        }
        assert.strictEqual(decoder.rank, rankOf(equations, unknown));
        assert.strictEqual(
          bitCount(decoder.taken),
          decoder.rank,
          "a place is kept for each equation, no more",
        );
      }
    }
  });

  it("repairs every pattern of loss of a small block, with parities behind the parts or before them", () => {
    const sizeBytes = 6 * PART_BYTES + 48;
    const { bytes, partCount, parityOf, partAt } = block(sizeBytes, "small");
    assert.strictEqual(partCount, 7);
    for (let lost = 0; lost < 1 << partCount; lost++) {
      const isEarly = lost % 3 === 0;
      const flash = new Uint8Array(sizeBytes).fill(0xff);
      const decoder = newDecoder(partCount);
      const takeParts = () => {
        for (let part = 0; part < partCount; part++) {
          if (((lost >> part) & 1) === 1) continue;
          flash.set(partAt(part), part * PART_BYTES);
          addPart(decoder, part);
        }
      };
      const takeParities = (count: number) => {
        for (let seed = 1; deficitOf(decoder) > 0 && seed < count; seed++)
          addParity(decoder, seed, parityOf(seed));
      };
      if (isEarly) takeParities(5);
      takeParts();
      takeParities(200);
      assert.strictEqual(deficitOf(decoder), 0);
      repairAll(decoder, flash);
      assert.deepEqual(flash, bytes, `lost ${lost.toString(2)}`);
    }
  });

  it("repairs as many parts of a whole block as it has rows", () => {
    const { bytes, parityOf, partAt, partCount } = block(BLOCK_BYTES, "whole");
    const flash = new Uint8Array(BLOCK_BYTES).fill(0xff);
    const decoder = newDecoder(partCount);
    for (let seed = 100; seed < 120; seed++) addParity(decoder, seed, parityOf(seed));
    for (let part = 0; part < partCount - MAX_ROWS; part++) {
      flash.set(partAt(part), part * PART_BYTES);
      addPart(decoder, part);
    }
    for (let seed = 0; deficitOf(decoder) > 0; seed++) addParity(decoder, seed, parityOf(seed));
    assert.strictEqual(decoder.rank, MAX_ROWS);
    repairAll(decoder, flash);
    assert.deepEqual(flash, bytes);
  });

  it("refuses parities while its rows are full, and says what is still lacking", () => {
    const decoder = newDecoder(PARTS_A_BLOCK);
    for (let seed = 0; seed < 200; seed++) addParity(decoder, seed, new Uint8Array(PART_BYTES));
    assert.strictEqual(decoder.rank, MAX_ROWS);
    assert.strictEqual(deficitOf(decoder), PARTS_A_BLOCK - MAX_ROWS);
  });

  it("takes no part that is none of the block's", () => {
    const decoder = newDecoder(10);
    assert.strictEqual(addPart(decoder, 10), false);
    assert.strictEqual(addPart(decoder, -1), false);
    assert.strictEqual(addPart(decoder, 9), true);
    assert.strictEqual(addPart(decoder, 9), false);
    assert.strictEqual(isKnown(decoder, 9), true);
    assert.deepEqual([...settledParts(decoder)], [0, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert.strictEqual(wordOf(settledParts(decoder), 0), 1 << 9);
  });

  it("asks for exactly as many parts as it lacks, which make it complete", () => {
    for (let run = 0; run < 50; run++) {
      const random = randomStream(`settled/${run}`);
      const decoder = newDecoder(PARTS_A_BLOCK);
      for (let part = 0; part < PARTS_A_BLOCK; part++) if (random() < 0.7) addPart(decoder, part);
      const kept = Math.floor(random() * deficitOf(decoder));
      for (let seed = 1000 * run; decoder.rank < kept && roomOf(decoder) > 0; seed++)
        addParity(decoder, seed, new Uint8Array(PART_BYTES));
      const settled = settledParts(decoder);
      const asked = [...Array(PARTS_A_BLOCK).keys()].filter(
        (part) => ((settled[part >> 3]! >> (part & 7)) & 1) === 0,
      );
      assert.strictEqual(asked.length, deficitOf(decoder));
      for (const part of asked) addPart(decoder, part);
      assert.strictEqual(deficitOf(decoder), 0);
    }
  });

  it("begins another block in the same memory", () => {
    const decoder = newDecoder(74);
    addPart(decoder, 3);
    addParity(decoder, 5, new Uint8Array(PART_BYTES).fill(1));
    const next = resetDecoder(decoder, 12);
    assert.strictEqual(next.parities, decoder.parities);
    assert.deepEqual([next.rank, next.taken, next.missingCount], [0, 0, 12]);
    assert.ok(next.words.every((word) => word === 0));
  });

  it("takes less than 8 KiB", () => {
    const { parities, words } = newDecoder(PARTS_A_BLOCK);
    // on XS: two typed arrays of 8 slots of 16 bytes with their buffers, an object of 7 slots, headers of 8 bytes
    const overhead = 2 * (8 * 16 + 8) + 7 * 16;
    assert.ok(parities.byteLength + words.byteLength + overhead <= 8_192);
  });
});
