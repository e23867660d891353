import { expect } from "chai";
import {
  checkSuccessor,
  isElected,
  NO_VOTES,
  parseRoot,
  type Root,
  type SignedRoot,
  voteOf,
  votesMissing,
  withVote,
} from "../../../../firmware/core/trust/root.js";
import { MAX_ROOT_LENGTH } from "../../../../firmware/core/wire.js";
import { BY_TWO, type FakeSigner, point, ROOT, rootText, sign } from "../roots.js";

const signed = (payload: unknown = ROOT, signers?: readonly FakeSigner[]): SignedRoot => {
  const parsed = parseRoot(rootText(payload, signers));
  if (!parsed.ok) throw new Error(parsed.failure.message);
  return parsed.value;
};
const sentence = (text: string): string => {
  const parsed = parseRoot(text);
  return parsed.ok ? "accepted" : parsed.failure.message;
};
const HELD: Root = signed().root;

describe("trust root", () => {
  it("is read with its keys, roles and thresholds", () => {
    const { root, signatures } = signed({ ...ROOT, fastForward: { base: 7 } });
    expect(root).deep.equal({ ...ROOT, fastForward: [{ type: "base", sequence: 7 }] });
    expect(signatures.map(({ key, of }) => [key, of])).deep.equal([
      [0, "new"],
      [1, "new"],
    ]);
    expect(signatures[1]?.signature).deep.equal(new Uint8Array(64).fill(2));
  });

  it("tells where its payload is, and the header of each signature as it was signed", () => {
    const text = rootText();
    const { payloadStart, payloadEnd, signatures } = signed();
    const { payload, signatures: entries } = JSON.parse(text);
    expect(text.slice(payloadStart, payloadEnd)).equal(payload);
    expect(signatures[0]?.header).equal(entries[0].protected);
  });

  it("is not read when it is longer than one string in NVS may be", () => {
    const padded = (length: number) => rootText().padEnd(length);
    expect(sentence(padded(MAX_ROOT_LENGTH))).equal("accepted");
    expect(sentence(padded(MAX_ROOT_LENGTH + 1))).match(/1537 characters long, at most 1536/);
  });

  it("fits with six keys and two signatures, and with five keys and three", () => {
    const large = { ...ROOT, version: 99_999, fastForward: { base: 1_900_000_000 } };
    expect(rootText(large).length).most(MAX_ROOT_LENGTH);
    const three = { ...large, keys: ROOT.keys.slice(0, 5), release: [3], freshness: [4] };
    expect(rootText(three, [...BY_TWO, { number: 3, key: 2 }]).length).most(MAX_ROOT_LENGTH);
  });

  for (const [what, changes, expected] of [
    ["version 0", { version: 0 }, /version/],
    ["a version that is a text", { version: "2" }, /version/],
    ["a version with a fraction", { version: 1.5 }, /version/],
    ["no expiry", { expires: undefined }, /expires/],
    ["a threshold of 0", { threshold: 0 }, /threshold is not a number of 1 to 3/],
    ["a threshold above the number of its keys", { threshold: 4 }, /threshold is not a number of 1 to 3/],
    ["a key twice", { keys: [...ROOT.keys.slice(0, 5), point(1)] }, /key 5 is there twice/],
    ["eleven keys", { keys: Array(11).fill(0) }, /at most 10/],
    ["a key of 31 bytes", { keys: [{ x: "A".repeat(42), y: point(1).y }, ...ROOT.keys.slice(1)] }, /key 0/],
    ["a key that is a text", { keys: ["x", ...ROOT.keys.slice(1)] }, /key 0/],
    ["an index beyond its keys", { root: [0, 1, 6] }, /indices/],
    ["an index twice", { root: [0, 1, 1] }, /indices/],
    ["a negative index", { release: [-1] }, /indices/],
    ["six keys that sign roots", { root: [0, 1, 2, 3, 4, 5] }, /indices/],
    ["four keys of freshness", { freshness: [0, 1, 2, 3] }, /indices/],
    ["no key that signs roots", { root: [], threshold: 1 }, /threshold/],
    ["no key that signs releases", { release: [] }, /releaseThreshold/],
    ["two signatures of releases by one key", { release: [3], releaseThreshold: 2 }, /releaseThreshold/],
    ["three signatures of releases", { release: [0, 3, 4], releaseThreshold: 3 }, /releaseThreshold/],
    ["no least security version", { minSecurityVersion: undefined }, /minSecurityVersion/],
    ["a security version below 0", { minSecurityVersion: -1 }, /minSecurityVersion/],
    ["five types", { fastForward: { a: 1, b: 1, c: 1, d: 1, e: 1 } }, /fastForward/],
    ["a sequence of 0", { fastForward: { base: 0 } }, /fastForward/],
    ["a type that is no name", { fastForward: { "a b": 1 } }, /fastForward/],
    ["a list as fastForward", { fastForward: [] }, /fastForward/],
  ] as const)
    it(`with ${what} is refused`, () => {
      expect(sentence(rootText({ ...ROOT, ...changes }))).match(expected);
    });

  for (const [what, header] of [
    ["another algorithm", { alg: "none" }],
    ["what a release has as its type", { typ: "skyslot-release" }],
    ["an extension that it calls critical", { crit: ["exp"], exp: 1 }],
    ["a signer of neither root", { of: "both" }],
    ["a signer that is no index", { key: "0" }],
    ["a signer beyond ten keys", { key: 10 }],
  ] as const)
    it(`whose signature names ${what} is refused`, () => {
      expect(sentence(rootText(ROOT, [{ number: 1, key: 0, header }]))).match(/header of alg ES256/);
    });

  it("without a signature, or with six, is refused", () => {
    expect(sentence(rootText(ROOT, []))).match(/0 signatures/);
    const small = { ...ROOT, threshold: 1, keys: [point(1)], root: [0], release: [0], freshness: [] };
    expect(sentence(rootText(small, Array(5).fill(BY_TWO[0])))).equal("accepted");
    const six = JSON.stringify({ payload: "e30", signatures: Array(6).fill({}) });
    expect(sentence(six)).match(/6 signatures, 1 to 5/);
  });

  it("of another form is refused, whatever it is", () => {
    for (const text of [
      "",
      "{}",
      "[]",
      "null",
      "a.b.c",
      '{"payload":1,"signatures":[]}',
      '{"payload":"e30"}',
    ])
      expect(sentence(text)).match(/General JSON/);
    const { payload } = JSON.parse(rootText());
    for (const [signature, expected] of [
      [null, /64 bytes/],
      [{ ...sign(BY_TWO[0] as FakeSigner), signature: "AA" }, /64 bytes/],
      [{ ...sign(BY_TWO[0] as FakeSigner), protected: "e30" }, /64 bytes/],
    ] as const)
      expect(sentence(JSON.stringify({ payload, signatures: [signature] }))).match(expected);
    const signatures = BY_TWO.map(sign);
    for (const one of ["e30", "bnVsbA", "_w", "***"])
      expect(sentence(JSON.stringify({ payload: one, signatures }))).match(/^trust root: /);
    // a payload that the text spells with an escape is not found in it
    expect(sentence(rootText().replace('"payload":"e', '"payload":"\\u0065'))).match(/not base64url/);
  });
});

describe("the next trust root", () => {
  /** With fewer keys, so that four signatures fit. */
  const NEXT = { ...ROOT, version: 2, keys: [1, 2, 3].map(point), release: [2], freshness: [] };
  /** Key 7 takes the place of key 3. */
  const REPLACED = { ...NEXT, keys: [1, 2, 7].map(point) };
  const problem = (payload: unknown, signers?: readonly FakeSigner[], held = HELD): string => {
    const checked = checkSuccessor(held, signed(payload, signers));
    return checked.ok ? "may follow" : checked.failure.message;
  };

  it("may follow when its signers reach the threshold of the old root and its own", () => {
    expect(problem(NEXT)).equal("may follow");
    expect(problem(REPLACED)).equal("may follow");
  });

  it("is the version after the one that is held, and no other", () => {
    for (const version of [1, 3, 4, 0xffffffff])
      expect(problem({ ...NEXT, version })).match(/after version 1 comes 2/);
  });

  it("never lets the least security version fall", () => {
    const held = { ...HELD, minSecurityVersion: 3 };
    expect(problem({ ...NEXT, minSecurityVersion: 2 }, BY_TWO, held)).match(/security version is 2/);
    expect(problem({ ...NEXT, minSecurityVersion: 3 }, BY_TWO, held)).equal("may follow");
  });

  it("needs the old threshold, whatever its own says", () => {
    const easy = { ...NEXT, threshold: 1 };
    expect(problem(easy, [{ number: 1, key: 0 }])).match(/signed by 1 keys of version 1, which asks for 2/);
    // all of its own signers are new
    const stolen = { ...NEXT, keys: [7, 8, 9].map(point) };
    expect(problem(stolen)).match(/signed by 0 keys of version 1, which asks for 2, and by 2 of its own/);
  });

  it("needs its own threshold, so that nobody hands the trust to keys that nobody has", () => {
    const signers: readonly FakeSigner[] = [
      { number: 1, key: 0, of: "old" },
      { number: 2, key: 1, of: "old" },
    ];
    const handed = { ...NEXT, keys: [7, 8, 9].map(point) };
    expect(problem(handed, signers)).match(/2 keys of version 1, which asks for 2, and by 0 of its own/);
    expect(problem(handed, [...signers, { number: 7, key: 0 }, { number: 8, key: 1 }])).equal("may follow");
  });

  it("counts no key twice, by whatever name it signs", () => {
    const twice: readonly FakeSigner[] = [
      { number: 1, key: 0 },
      { number: 1, key: 0 },
      { number: 1, key: 0, of: "old" },
    ];
    expect(problem(NEXT, twice)).match(/signed by 1 keys/);
    // in another place of the list it is the same key
    const moved = { ...NEXT, keys: [2, 1, 3].map(point) };
    expect(
      problem(moved, [
        { number: 1, key: 0, of: "old" },
        { number: 1, key: 1, of: "new" },
      ]),
    ).match(/signed by 1 keys/);
  });

  it("does not count who signs something else", () => {
    const byRelease: readonly FakeSigner[] = [
      { number: 1, key: 0 },
      { number: 4, key: 3, of: "old" },
      { number: 3, key: 2 },
    ];
    expect(problem({ ...NEXT, root: [0, 1], threshold: 2 }, byRelease)).match(/signed by 1 keys/);
    expect(
      problem(NEXT, [
        { number: 1, key: 0 },
        { number: 2, key: 9 },
      ]),
    ).match(/signed by 1 keys/);
  });

  it("counts a signature for both roots where both name the key, and for one where only one does", () => {
    const { root, signatures } = signed(REPLACED, [
      { number: 1, key: 0 },
      { number: 3, key: 2, of: "old" },
      { number: 7, key: 2 },
      { number: 6, key: 5, of: "old" },
    ]);
    expect(signatures.map((one) => voteOf(HELD, root, one))).deep.equal([
      { point: point(1), oldKey: 0, newKey: 0 },
      { point: point(3), oldKey: 2, newKey: -1 },
      { point: point(7), oldKey: -1, newKey: 2 },
      undefined,
    ]);
  });

  it("is elected by good signatures only", () => {
    const { root, signatures } = signed(REPLACED, [
      { number: 1, key: 0 },
      { number: 3, key: 2, of: "old" },
      { number: 7, key: 2 },
    ]);
    let votes = NO_VOTES;
    const seen = signatures.map((one) => {
      const vote = voteOf(HELD, root, one);
      if (vote) votes = withVote(votes, vote);
      return isElected(HELD, root, votes);
    });
    expect(seen).deep.equal([false, false, true]);
    expect(votesMissing(HELD, root, NO_VOTES)).match(
      /by 0 keys of version 1, which asks for 2, and by 0 of its own/,
    );
  });
});
