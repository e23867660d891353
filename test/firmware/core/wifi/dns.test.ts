// The portal's name server against RFC 1035 and 6891 with queries built byte by byte, and "never throws" with a seeded generator.

import { expect } from "chai";
import { answerDns } from "../../../../firmware/core/wifi/dns.js";

const ADDRESS = [192, 168, 4, 1] as const;
const A = 1;
const AAAA = 28;
const HTTPS = 65;
const OPT_RECORD = [0, 0, 41, 0x04, 0xd0, 0, 0, 0x80, 0, 0, 0];

interface QueryOptions {
  readonly name?: string;
  readonly type?: number;
  readonly class?: number;
  readonly flags?: number;
  readonly counts?: readonly [number, number, number, number];
  readonly extra?: readonly number[];
}

function nameBytes(name: string): number[] {
  const labels = name === "" ? [] : name.split(".");
  return [...labels.flatMap((label) => [label.length, ...Buffer.from(label)]), 0];
}

function query(options: QueryOptions = {}): Uint8Array {
  const { name = "captive.apple.com", type = A, flags = 0x0100, extra = [] } = options;
  const counts = options.counts ?? [1, 0, 0, extra.length > 0 ? 1 : 0];
  const words = [0xbeef, flags, ...counts].flatMap((word) => [word >> 8, word & 255]);
  return Uint8Array.from([...words, ...nameBytes(name), 0, type, 0, options.class ?? 1, ...extra]);
}

function ask(options?: QueryOptions): Buffer {
  const answer = answerDns(query(options), ADDRESS);
  expect(answer, "an answer").to.not.equal(undefined);
  return Buffer.from(answer ?? []);
}

const codeOf = (answer: Buffer): number => answer.readUInt16BE(2) & 15;
const countsOf = (answer: Buffer): number[] => [4, 6, 8, 10].map((offset) => answer.readUInt16BE(offset));

describe("the portal's name server", () => {
  it("answers A for any name with the device's address, for at most 60 seconds", () => {
    const answer = ask();
    expect(answer.readUInt16BE(0)).to.equal(0xbeef);
    expect(answer.readUInt16BE(2).toString(16)).to.equal("8580");
    expect(countsOf(answer)).to.deep.equal([1, 1, 0, 0]);
    const record = answer.subarray(query().length);
    expect([...record.subarray(0, 6)]).to.deep.equal([0xc0, 12, 0, 1, 0, 1]);
    expect(record.readUInt32BE(6)).to.be.within(1, 60);
    expect([...record.subarray(10)]).to.deep.equal([0, 4, ...ADDRESS]);
  });

  it("repeats the question as it was asked, capitals included", () => {
    const sent = query({ name: "CaPtIvE.example" });
    const answer = answerDns(sent, ADDRESS);
    expect([...(answer ?? []).slice(12, sent.length)]).to.deep.equal([...sent.slice(12)]);
  });

  for (const [label, type] of [
    ["AAAA", AAAA],
    ["HTTPS", HTTPS],
    ["TXT", 16],
    ["SOA", 6],
  ] as const) {
    it(`answers ${label} with an empty NOERROR, so that the phone continues with A`, () => {
      const answer = ask({ type });
      expect(codeOf(answer)).to.equal(0);
      expect(countsOf(answer)).to.deep.equal([1, 0, 0, 0]);
      expect(answer.length).to.equal(query().length);
    });
  }

  it("puts OPT into the additional section after the address, with its own size and the DO bit kept", () => {
    const answer = ask({ extra: OPT_RECORD });
    expect(countsOf(answer)).to.deep.equal([1, 1, 0, 1]);
    expect([...answer.subarray(-11)]).to.deep.equal([0, 0, 41, 2, 0, 0, 0, 0x80, 0, 0, 0]);
    expect([...answer.subarray(-15, -11)]).to.deep.equal([...ADDRESS]);
  });

  it("does not repeat the options inside OPT", () => {
    const cookie = [0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 12, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
    const answer = ask({ type: AAAA, extra: cookie });
    expect(countsOf(answer)).to.deep.equal([1, 0, 0, 1]);
    expect([...answer.subarray(-11)]).to.deep.equal([0, 0, 41, 2, 0, 0, 0, 0, 0, 0, 0]);
  });

  it("answers a later EDNS version with BADVERS and no address (RFC 6891, 6.1.3)", () => {
    const answer = ask({ extra: [0, 0, 41, 4, 0xd0, 0, 1, 0, 0, 0, 0] });
    expect(countsOf(answer)).to.deep.equal([1, 0, 0, 1]);
    expect(answer[answer.length - 6]).to.equal(1);
    expect(codeOf(answer)).to.equal(0);
  });

  it("answers other opcodes with NOTIMP and a header alone", () => {
    const answer = ask({ flags: 0x2800 });
    expect(answer.length).to.equal(12);
    expect(answer.readUInt16BE(2).toString(16)).to.equal("a804");
  });

  const malformed: readonly (readonly [string, Uint8Array])[] = [
    ["no question", query({ counts: [0, 0, 0, 0] })],
    ["two questions", query({ counts: [2, 0, 0, 0] })],
    ["an answer inside", query({ counts: [1, 1, 0, 0] })],
    ["a name cut off", query().slice(0, 20)],
    ["a type cut off", query().slice(0, -3)],
    ["a compressed name", Uint8Array.from([...query().slice(0, 12), 0xc0, 12, 0, 1, 0, 1])],
    ["a label of type 01", Uint8Array.from([...query().slice(0, 12), 0x41, 0, 0, 1, 0, 1])],
    ["a name of 321 bytes", query({ name: Array(5).fill("a".repeat(63)).join(".") })],
    ["OPT cut off", query({ extra: OPT_RECORD.slice(0, -1) })],
    ["OPT longer than the message", query({ extra: [...OPT_RECORD.slice(0, -1), 9] })],
    ["OPT twice", query({ extra: [...OPT_RECORD, ...OPT_RECORD], counts: [1, 0, 0, 2] })],
    ["OPT under a name", query({ extra: [1, 97, ...OPT_RECORD] })],
    ["200 additional records", query({ extra: OPT_RECORD, counts: [1, 0, 0, 200] })],
    ["more than 512 bytes", Uint8Array.from([...query(), ...Array(512).fill(0)])],
  ];
  for (const [label, bytes] of malformed) {
    it(`answers FORMERR to ${label}`, () => {
      const answer = Buffer.from(answerDns(bytes, ADDRESS) ?? []);
      expect(answer.length).to.equal(12);
      expect(codeOf(answer)).to.equal(1);
      expect(countsOf(answer)).to.deep.equal([0, 0, 0, 0]);
    });
  }

  it("takes a name of exactly 255 bytes and stays under 512", () => {
    const name = [63, 63, 63, 61].map((count) => "a".repeat(count)).join(".");
    expect(nameBytes(name).length).to.equal(255);
    const answer = ask({ name, extra: OPT_RECORD });
    expect(countsOf(answer)).to.deep.equal([1, 1, 0, 1]);
    expect(answer.length).to.be.below(512);
  });

  it("ignores answers and anything shorter than a header", () => {
    expect(answerDns(query({ flags: 0x8180 }), ADDRESS)).to.equal(undefined);
    expect(answerDns(query().slice(0, 11), ADDRESS)).to.equal(undefined);
    expect(answerDns(new Uint8Array(0), ADDRESS)).to.equal(undefined);
  });

  it("never throws, never answers with more than 512 bytes, and never answers its own answers (20 000 mutated queries)", () => {
    const random = generator(20_251);
    let answered = 0;
    let addressed = 0;
    for (let i = 0; i < 20_000; i++) {
      const bytes = query({
        type: [A, AAAA, HTTPS][i % 3] ?? A,
        ...(i % 2 === 0 ? { extra: OPT_RECORD } : {}),
      });
      for (let flips = random() % 4; flips > 0; flips--) bytes[random() % bytes.length] = random() % 256;
      const sent = random() % 3 === 0 ? bytes.slice(0, random() % (bytes.length + 1)) : bytes;
      const answer = answerDns(sent, ADDRESS);
      if (!answer) continue;
      answered++;
      expect(answer.length).to.be.within(12, 512);
      expect([answer[0], answer[1]]).to.deep.equal([sent[0], sent[1]]);
      expect(answerDns(answer, ADDRESS)).to.equal(undefined);
      if ((answer[7] ?? 0) === 1) addressed++;
    }
    expect(answered).to.be.above(10_000);
    expect(addressed).to.be.above(1_000);
  });
});

/** Numerical Recipes' LCG: the upper 16 bits. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 16;
  };
}
