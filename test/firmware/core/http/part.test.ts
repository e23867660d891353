// What servers make of a request for a part of a file: what is right in an unusual 206 is taken; whatever refuses a range, or answers with
// something else, leads to the whole file.

import { expect } from "chai";
import { judgePart, type Part, rangeHeader } from "../../../../firmware/core/http/part.js";

const PART: Part = { start: 1000, end: 5000, totalBytes: 20_000 };
const FIRST: Part = { start: 0, end: 5000, totalBytes: 20_000 };
const WHOLE: Part = { start: 0, end: 20_000, totalBytes: 20_000 };
const LEAST = 512;

const judge = (part: Part, status: number, headers: Record<string, string> = {}) => {
  const verdict = judgePart(part, { status, headers }, LEAST);
  return verdict.isTaken ? verdict.end : `${verdict.failure.code}${verdict.isRangeRefused ? ", whole" : ""}`;
};
const ranged = (range: string, length?: string) =>
  judge(PART, 206, { "content-range": range, ...(length === undefined ? {} : { "content-length": length }) });

describe("a request for a part", () => {
  it("has a range, one for the whole file has none", () => {
    expect(rangeHeader(PART)).deep.equal({ range: "bytes=1000-4999" });
    expect(rangeHeader(FIRST)).deep.equal({ range: "bytes=0-4999" });
    expect(rangeHeader(WHOLE)).deep.equal({});
  });

  it("takes the part however its range is written, with a length or without", () => {
    for (const range of [
      "bytes 1000-4999/20000",
      "bytes 1000-4999/*",
      "Bytes 1000-4999/20000",
      "BYTES   1000 - 4999 / 20000",
      "bytes 001000-004999/020000",
    ])
      for (const length of [undefined, "4000"]) expect(ranged(range, length), range).equal(5000);
  });

  it("takes as much as is right of a longer or shorter one that starts right", () => {
    expect(ranged("bytes 1000-19999/20000", "19000")).equal(5000);
    expect(ranged("bytes 1000-1999/20000", "1000")).equal(2000);
    expect(ranged("bytes 1000-1511/20000", "512")).equal(1512);
    expect(ranged("bytes 1000-1510/20000", "511"), "not worth a request").equal("RANGE_IGNORED, whole");
  });

  for (const range of [
    "",
    "bytes",
    "bytes */20000",
    "bytes 0-3999/20000",
    "bytes 999-4999/20000",
    "bytes 1001-4999/20000",
    "bytes 1000-4999/20001",
    "bytes 1000-4999/19999",
    "bytes 1000-4999",
    "bytes 1000-4999/",
    "bytes 1000-999/20000",
    "bytes 1000-20000/20000",
    "bytes -1000-4999/20000",
    "bytes 1000-/20000",
    "bytes 1e3-4999/20000",
    "bytes 0x3e8-4999/20000",
    "bytes=1000-4999/20000",
    "lines 1000-4999/20000",
    "bytes 1000-4999/20000, bytes 1000-5000/20000",
    "bytes 1000-4999/20000/1",
    "bytes 9007199254740993-9007199254740994/*",
  ])
    it(`does not take range "${range}"`, () => expect(ranged(range, "4000")).equal("RANGE_IGNORED, whole"));

  it("does not take a 206 without a range, of several parts, or whose length contradicts its range", () => {
    expect(judge(PART, 206)).equal("RANGE_IGNORED, whole");
    const type = { "content-type": "multipart/byteranges; boundary=x", "content-length": "4100" };
    expect(judge(PART, 206, type)).equal("RANGE_IGNORED, whole");
    for (const length of ["3999", "4001", "0"])
      expect(ranged("bytes 1000-4999/20000", length), length).equal("RANGE_IGNORED, whole");
  });

  it("that is refused leads to the whole file, whatever the status", () => {
    for (const part of [PART, FIRST]) {
      expect(judge(part, 200, { "content-length": "20000" })).equal("RANGE_IGNORED, whole");
      for (const status of [
        201, 202, 204, 207, 226, 300, 302, 304, 400, 401, 403, 404, 405, 410, 412, 416, 417,
      ])
        expect(judge(part, status), `${status}`).equal("HTTP_STATUS, whole");
    }
  });

  it("is made again where the server only asks for patience, or is broken", () => {
    for (const status of [408, 425, 429, 500, 501, 502, 503, 504, 599, 999])
      expect(judge(PART, status), `${status}`).equal("HTTP_STATUS");
  });
});

describe("a request for the whole file", () => {
  it("takes it with the signed length, or with none, and no other", () => {
    expect(judge(WHOLE, 200, { "content-length": "20000" })).equal(20_000);
    expect(judge(WHOLE, 200)).equal(20_000);
    expect(judge(WHOLE, 200, { "transfer-encoding": "chunked" })).equal(20_000);
    for (const length of ["19999", "20001", "0"])
      expect(judge(WHOLE, 200, { "content-length": length }), length).equal("BODY_TRUNCATED");
  });

  it("takes a 206 that is all of it, and has nothing else to ask for", () => {
    expect(judge(WHOLE, 206, { "content-range": "bytes 0-19999/20000" })).equal(20_000);
    expect(judge(WHOLE, 206, { "content-range": "bytes 1-19999/20000" })).equal("RANGE_IGNORED");
    for (const status of [204, 304, 404, 416]) expect(judge(WHOLE, status), `${status}`).equal("HTTP_STATUS");
  });
});
