// What a statement of freshness is, and which question it answers.

import { expect } from "chai";
import type { Root } from "../../../../firmware/core/event.js";
import { checkStatement, parseStatement } from "../../../../firmware/core/trust/statement.js";
import { MAX_STATEMENT_LENGTH } from "../../../../firmware/core/wire.js";
import { ASKING_ROOT, point } from "../roots.js";
import { STATEMENT, statementText } from "../statements.js";

const HELD: Root = { ...ASKING_ROOT, fastForward: [] };
const QUESTION = { nonce: STATEMENT.nonce, type: "base" };
const withdrawn = Array.from({ length: 16 }, (_, i) => `${i}`.padStart(16, "0"));

const problemOf = (text: string): string => {
  const parsed = parseStatement(text);
  if (!parsed.ok) return parsed.failure.message;
  const checked = checkStatement(HELD, parsed.value, QUESTION);
  return checked.ok ? "" : checked.failure.message;
};
const with_ = (changes: object) => statementText({ ...STATEMENT, ...changes });

describe("a statement of freshness", () => {
  it("is read field by field, and names the key to verify it with", () => {
    const parsed = parseStatement(with_({ newest: 7, withdrawn }));
    if (!parsed.ok) throw new Error(parsed.failure.message);
    expect(parsed.value.statement).deep.equal({ ...STATEMENT, newest: 7, withdrawn });
    expect(checkStatement(HELD, parsed.value, QUESTION)).deep.equal({ ok: true, value: point(6) });
  });

  it("fits, with a type of 64 characters and as many withdrawn releases as there may be", () => {
    const text = with_({ type: "t".repeat(64), time: 4_294_967_294, expires: 4_294_967_295, withdrawn });
    expect(text.length).most(MAX_STATEMENT_LENGTH);
    expect(parseStatement(text).ok).equal(true);
    expect(problemOf(text + "A".repeat(1024))).match(/at most 1024 are read/);
  });

  it("answers this question, of this type, and is by a key that the root names for it", () => {
    expect(problemOf(with_({ nonce: "1".repeat(32) }))).match(/another question/);
    expect(problemOf(with_({ type: "led" }))).match(/type "led", this device is a "base"/);
    // a root key, a release key, and one that nobody knows
    for (const number of [1, 4, 9])
      expect(problemOf(statementText(STATEMENT, number))).match(/does not name for it/);
    expect(problemOf(statementText())).equal("");
  });

  it("is refused where a field or the header is anything else", () => {
    for (const changes of [
      { nonce: "0".repeat(31) },
      { nonce: "A".repeat(32) },
      { nonce: undefined },
      { type: "" },
      { type: "a b" },
      { time: -1 },
      { time: 1.5 },
      { time: "1795000000" },
      { time: 4_294_967_296 },
      { expires: STATEMENT.time },
      { expires: undefined },
      { newest: -1 },
      { newest: undefined },
      { withdrawn: undefined },
      { withdrawn: ["0".repeat(15)] },
      { withdrawn: [7] },
      { withdrawn: [...withdrawn, "a".repeat(16)] },
    ])
      expect(problemOf(with_(changes)), JSON.stringify(changes)).match(/^statement of freshness: /);
    for (const header of [{ typ: "skyslot-release" }, { alg: "none" }, { crit: ["x"] }, { kid: 7 }])
      expect(problemOf(statementText(STATEMENT, 6, header)), JSON.stringify(header)).match(/header must say/);
    for (const text of ["", "a.b", "{}", statementText().slice(0, -1), `${statementText()}.x`])
      expect(problemOf(text), text).not.equal("");
  });
});
