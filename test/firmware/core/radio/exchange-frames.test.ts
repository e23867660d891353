// Frames of an exchange, byte for byte, and frames that are none.

import { expect } from "chai";
import {
  allFragments,
  assemble,
  assembled,
  type Fragment,
  fragmentsOf,
  hasFragment,
  isExchangeFrame,
  MAX_FRAGMENT_COUNT,
  newAssembly,
  readExchangeFrame,
  WINDOW,
  writeExchangeFrame,
} from "../../../../firmware/core/radio/exchange-frames.js";
import { MAX_FRAME_BYTES } from "../../../../firmware/core/radio/vocabulary.js";

const MESSAGE = Uint8Array.from({ length: 1_000 }, (_, at) => at & 255);

describe("the frames of an exchange", () => {
  it("have these bytes", () => {
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
    expect(hex(writeExchangeFrame({ type: "pull", id: 0x12345678, fragments: 2 ** 34 + 1 }))).equal(
      "21785634120100000004",
    );
    expect(hex(writeExchangeFrame({ type: "done", id: 0xffffffff }))).equal("22ffffffff");
    expect(hex(writeExchangeFrame({ type: "have", id: 1, fragments: 0x0305 }))).equal("23010000000503000000");
    expect(hex(writeExchangeFrame({ type: "busy", id: 1, seconds: 7 }))).equal("250100000007");
    expect(hex(writeExchangeFrame({ type: "unknown", id: 1 }))).equal("2601000000");
    const [ask] = fragmentsOf("ask", 0x0a0b0c0d, Uint8Array.of(7, 8), 0);
    expect(hex(ask!)).equal("200d0c0b0a80010708");
  });

  it("are read as they were written", () => {
    for (const frame of [
      { type: "pull", id: 4_000_000_000, fragments: 2 ** 35 - 1 },
      { type: "have", id: 1, fragments: 2 ** 33 },
      { type: "done", id: 2 },
      { type: "unknown", id: 3 },
      { type: "busy", id: 4, seconds: 255 },
    ] as const) {
      expect(readExchangeFrame(writeExchangeFrame(frame))).deep.equal(frame);
      expect(isExchangeFrame(writeExchangeFrame(frame))).equal(true);
    }
    expect(isExchangeFrame(Uint8Array.of(0x30))).equal(false);
  });

  it("carry what is missing of a message, a window at a time, and fit the radio", () => {
    const frames = fragmentsOf("give", 9, MESSAGE, 0b00010);
    expect(frames).length(WINDOW);
    const read = frames.map((frame) => readExchangeFrame(frame) as Fragment);
    expect(read.map(({ index }) => index)).deep.equal([0, 2, 3]);
    expect(read.map(({ isLast }) => isLast)).deep.equal([false, false, true]);
    for (const frame of frames) expect(frame.length).at.most(MAX_FRAME_BYTES);
    expect(fragmentsOf("give", 9, MESSAGE, allFragments(5))).deep.equal([]);
  });

  it("are put together in any order, and a repetition changes nothing", () => {
    let assembly = newAssembly(5);
    for (let round = 0; !assembled(assembly); round++) {
      expect(round).below(5);
      const frames = fragmentsOf("ask", 1, MESSAGE, assembly.there);
      for (const bytes of [...frames, ...frames].reverse())
        assembly = assemble(assembly, readExchangeFrame(bytes) as Fragment);
    }
    expect(assembled(assembly)).deep.equal(MESSAGE);
  });

  it("never write over what is there, nor a fragment of a message of another length", () => {
    const [first] = fragmentsOf("ask", 1, MESSAGE, 0);
    const fragment = readExchangeFrame(first!) as Fragment;
    const assembly = assemble(newAssembly(5), fragment);
    const forged = { ...fragment, bytes: new Uint8Array(240).fill(0x66) };
    expect(assemble(assembly, forged)).equal(assembly);
    expect(assemble(assembly, { ...fragment, index: 1, count: 6 })).equal(assembly);
    expect(assembly.buffer.subarray(0, 240)).deep.equal(MESSAGE.subarray(0, 240));
    expect(hasFragment(assembly.there, 1)).equal(false);
  });

  it("are refused where a number is out of bounds", () => {
    const frame = (index: number, count: number, sizeBytes: number) =>
      Uint8Array.from([0x20, 1, 0, 0, 0, index, count, ...new Array(sizeBytes).fill(1)]);
    expect(readExchangeFrame(frame(0, 1, 1))).include({ index: 0, count: 1, isLast: false });
    expect(readExchangeFrame(frame(0x80, 2, 240))).include({ index: 0, isLast: true });
    for (const [index, count, sizeBytes] of [
      [0, 0, 10],
      [1, 1, 10],
      [0, 1, 0],
      [0, 1, 241],
      [0, 2, 239],
      [0, MAX_FRAGMENT_COUNT + 1, 240],
      [0x7f, 0x7f, 240],
    ] as const)
      expect(readExchangeFrame(frame(index, count, sizeBytes)), `${index}/${count}`).equal(undefined);
    for (const bytes of [
      [],
      [0x20],
      [0x20, 1, 0, 0, 0],
      [0x21, 1, 0, 0, 0, 1],
      [0x25, 1, 0, 0, 0],
      [0x2f, 1, 2, 3, 4],
    ])
      expect(readExchangeFrame(Uint8Array.from(bytes)), `${bytes}`).equal(undefined);
  });
});
