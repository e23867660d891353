import { expect } from "chai";
import { isSoundDns } from "../../../../firmware/core/wifi/dns-check.js";
import { addressQuery } from "../../../../host-sim/network/dns-packet.js";

const HEADER = (questions: number, answers = 0, authorities = 0, additionals = 0): number[] =>
  [0, 0, 0, 0].concat([questions, answers, authorities, additionals].flatMap((n) => [n >> 8, n & 255]));
const label = (text: string): number[] => [text.length, ...Buffer.from(text)];
const name = (...labels: string[]): number[] => [...labels.flatMap(label), 0];
const LOCAL = name("base-1", "local");
const question = (owner: number[], type = 1): number[] => [...owner, 0, type, 0, 1];
const record = (owner: number[], type: number, data: number[]): number[] =>
  owner.concat([0, type, 0, 1, 0, 0, 0, 120, data.length >> 8, data.length & 255], data);
const packet = (...parts: number[][]): Uint8Array => Uint8Array.from(parts.flat());

/** What a trusting parser does with each record: every name to its end, every text, and a maximum number of strings. */
function readTrustingly(bytes: Uint8Array): number {
  const u16 = (at: number) => {
    if (at + 2 > bytes.length) throw new Error("cut off");
    return (bytes[at]! << 8) | bytes[at + 1]!;
  };
  let strings = 0;
  const skip = (at: number): number => {
    for (;;) {
      const length = bytes[at];
      if (length === undefined) throw new Error("cut off");
      if (length === 0) return at + 1;
      if (length >= 0xc0) return at + 2;
      at += length + 1;
    }
  };
  const readName = (at: number) => {
    for (let hops = 0; ; ) {
      const length = bytes[at];
      if (length === undefined || at + (length < 0xc0 ? length : 1) >= bytes.length)
        throw new Error("bad name");
      if (length === 0) return;
      if (length >= 0xc0) {
        if (++hops > 300) throw new Error("never ends");
        at = u16(at) & 0x3fff;
      } else if (length > 63) throw new Error("bad name");
      else {
        at += length + 1;
        if (++strings > 1_000) throw new Error("out of memory");
      }
    }
  };
  let at = 12;
  for (let i = u16(4); i > 0; i--) {
    readName(at);
    at = skip(at) + 4;
    if (at > bytes.length) throw new Error("cut off");
  }
  for (let i = u16(6) + u16(8) + u16(10); i > 0; i--) {
    readName(at);
    at = skip(at);
    const type = u16(at);
    const end = at + 10 + u16(at + 8);
    at += 10;
    if (end > bytes.length) throw new Error("cut off");
    if (type === 1 && end - at !== 4) throw new Error("no address");
    if (type === 12) readName(at);
    if (type === 33) readName(at + 6);
    for (let text = at; type === 16 && text < end; strings++) {
      text += bytes[text]! + 1;
      if (text > end) throw new Error("text cut off");
    }
    at = end;
  }
  return strings;
}

const POINTER = [0xc0, 12];
const SOUND: Readonly<Record<string, Uint8Array>> = {
  "a query": packet(HEADER(1), question(LOCAL)),
  "a query with EDNS": packet(HEADER(1, 0, 0, 1), question(LOCAL), record([0], 41, [])),
  "a probe": packet(HEADER(1, 0, 1), question(LOCAL, 255), record(POINTER, 1, [192, 168, 1, 2])),
  "a service": packet(
    HEADER(0, 4),
    record(name("_http", "_tcp", "local"), 12, [...label("Lamp"), ...POINTER]),
    record([...label("Lamp"), ...POINTER], 33, [0, 0, 0, 0, 0, 80, ...name("lamp", "local")]),
    record([...label("Lamp"), ...POINTER], 16, [...label("version=1.0.0"), ...label("flag")]),
    record(name("lamp", "local"), 1, [192, 168, 1, 2]),
  ),
  "an empty text": packet(HEADER(0, 1), record(LOCAL, 16, [0])),
  "a record of an unknown type": packet(HEADER(0, 1), record(LOCAL, 99, [1, 2, 3])),
  "only a header": packet(HEADER(0)),
};

describe("a packet of DNS", () => {
  for (const [what, bytes] of Object.entries(SOUND)) {
    it(`is valid as ${what}, and truncated nowhere`, () => {
      expect(isSoundDns(bytes)).equal(true);
      for (let length = 0; length < bytes.length; length++) {
        expect(isSoundDns(bytes.subarray(0, length)), `${length}`).equal(false);
      }
    });
  }

  it("is valid as the simulator writes it", () => {
    expect(isSoundDns(addressQuery(7, "base-1.local"))).equal(true);
  });

  const many = (count: number, one: number[]) => Array.from({ length: count }, () => one).flat();
  const deep = name(...Array.from({ length: 127 }, () => "a"));
  const unsound: Readonly<Record<string, Uint8Array>> = {
    "a name that points at itself": packet(HEADER(1), question(POINTER)),
    "two names that point at each other": packet(HEADER(2), question([0xc0, 18]), question(POINTER)),
    "a name that points forwards": packet(HEADER(1), question([0xc0, 14]), LOCAL),
    "a label before a pointer to it": packet(HEADER(1), question([1, 97, ...POINTER])),
    "a pointer into the header": packet(HEADER(1), question([0xc0, 4])),
    "a label of 64 bytes": packet(HEADER(1), question([64, ...many(64, [97]), 0])),
    "a name of 256 bytes": packet(HEADER(1), question(name(...many(4, [0]).map(() => "a".repeat(63))))),
    "a question about the root": packet(HEADER(1), question([0], 255)),
    "an address of the root": packet(HEADER(0, 1), record([0], 1, [1, 2, 3, 4])),
    "an address of three bytes": packet(HEADER(0, 1), record(LOCAL, 1, [1, 2, 3])),
    "an address of no bytes": packet(HEADER(0, 1), record(LOCAL, 1, [])),
    "a pointer record without a name": packet(HEADER(0, 1), record(LOCAL, 12, [])),
    "a pointer record whose name continues after it": packet(
      HEADER(0, 1),
      record(LOCAL, 12, [3, 97]),
      name("b"),
    ),
    "a service without a name": packet(HEADER(0, 1), record(LOCAL, 33, [0, 0, 0, 0, 0, 80])),
    "a truncated text": packet(HEADER(0, 1), record(LOCAL, 16, [5, 97])),
    "a missing record": packet(HEADER(0, 2), record(LOCAL, 99, [])),
    "65 535 questions": packet([0, 0, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0], question(LOCAL)),
    "33 questions": packet(HEADER(33), many(33, question(LOCAL))),
    "32 names of 127 labels": packet(HEADER(32), question(deep), many(31, question(POINTER))),
    "a text of 1 400 empty strings": packet(HEADER(0, 1), record(LOCAL, 16, many(1_400, [0]))),
  };
  for (const [what, bytes] of Object.entries(unsound)) {
    it(`is not valid with ${what}`, () => {
      expect(isSoundDns(bytes)).equal(false);
    });
  }

  it("that is valid can be read to its end by a trusting parser, whatever mutation it has", () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((seed / 2 ** 31) * below);
    };
    let soundCount = 0;
    let crashCount = 0;
    for (let i = 0; i < 5_000; i++) {
      const whole = Object.values(SOUND)[i % Object.keys(SOUND).length]!;
      const bytes = whole.slice(0, whole.length - (random(4) === 0 ? random(whole.length) : 0));
      for (let changes = random(4); changes >= 0; changes--) {
        if (bytes.length > 0) bytes[random(bytes.length)] = [0, 1, 12, 0xc0, 0xff, random(256)][random(6)]!;
      }
      if (isSoundDns(bytes)) {
        soundCount++;
        expect(readTrustingly(bytes), Buffer.from(bytes).toString("hex")).at.most(200);
        continue;
      }
      try {
        readTrustingly(bytes);
      } catch {
        crashCount++;
      }
    }
    expect(soundCount, "sound packets").above(500);
    expect(crashCount, "packets that would have been too much").above(500);
  });
});
