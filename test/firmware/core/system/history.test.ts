import { expect } from "chai";
import { utf8Length } from "../../../../firmware/core/bytes.js";
import {
  type History,
  type HistoryEntry,
  hasFailed,
  MAX_ENTRY_COUNT,
  MAX_HISTORY_LENGTH,
  readHistory,
  withEntry,
  writeHistory,
} from "../../../../firmware/core/system/history.js";

const entry = (version: string, result: HistoryEntry["result"] = "finished", reason = ""): HistoryEntry => ({
  version,
  result,
  reason,
  time: 1_800_000_000,
});

const filled = (count: number, reason = ""): History => {
  let history: History = [];
  for (let i = 0; i < count; i++) history = withEntry(history, entry(`1.0.${i}`, "failed", reason));
  return history;
};

describe("the history of updates", () => {
  it("has the newest first, and ten at most", () => {
    const history = filled(25);
    expect(history).length(MAX_ENTRY_COUNT);
    expect(history[0]?.version).equal("1.0.24");
    expect(history.at(-1)?.version).equal("1.0.15");
  });

  it("is read as it was written", () => {
    const history = withEntry(filled(3, 'it said "no", ünd so weiter'), entry("2.0.0"));
    expect(readHistory(writeHistory(history))).deep.equal(history);
    expect(writeHistory([entry("2.0.0", "failed", "late")])).equal('[["2.0.0",0,"late",1800000000]]');
  });

  it("does not have the same end twice", () => {
    const history = withEntry(filled(2), entry("2.0.0", "failed", "late"));
    expect(withEntry(history, { ...entry("2.0.0", "failed", "late"), time: 1_800_000_005 })).length(3);
    expect(withEntry(history, entry("2.0.0", "failed", "other"))).length(4);
    expect(withEntry(history, entry("2.0.0"))).length(4);
  });

  it("knows by the last attempt whether a version has failed", () => {
    const history = withEntry(filled(2), entry("1.0.0"));
    expect(hasFailed(history, "1.0.1")).equal(true);
    expect(hasFailed(history, "1.0.0"), "it worked then").equal(false);
    expect(hasFailed(history, "3.0.0")).equal(false);
  });

  it("never exceeds its place in NVS: the oldest are left out", () => {
    for (const reason of [
      "r".repeat(1_000),
      "\u{1f600}".repeat(500),
      "\u0001".repeat(500),
      '"'.repeat(500),
    ]) {
      const text = writeHistory(filled(MAX_ENTRY_COUNT, reason));
      expect(utf8Length(text)).most(MAX_HISTORY_LENGTH);
      expect(readHistory(text)[0]?.version).equal("1.0.9");
    }
  });

  it("is empty if it cannot be read, and skips what is no entry", () => {
    for (const text of [undefined, "", "{}", "null", "[", '["2.0.0"]', "[[1,1,1,1]]"])
      expect(readHistory(text)).deep.equal([]);
    expect(readHistory('[[1],["2.0.0",1,"",5],["2.0.1",1,""]]')).deep.equal([
      { version: "2.0.0", result: "finished", reason: "", time: 5 },
    ]);
    const long = JSON.stringify(Array.from({ length: 20 }, () => ["2.0.0", 1, "", 5]));
    expect(readHistory(long)).length(MAX_ENTRY_COUNT);
  });
});
