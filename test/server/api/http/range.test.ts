import { expect } from "chai";
import { readRange } from "../../../../server/api/http/range.js";

const ETAG = '"abc"';
const read = (range: string | undefined, ifRange?: string) => readRange(range, ifRange, ETAG, 1000);
const part = (start: number, end: number) => ({ kind: "part", start, end });

describe("a byte range", () => {
  it("is parsed as in RFC 9110", () => {
    expect(read(undefined)).to.deep.equal({ kind: "whole" });
    expect(read("bytes=0-0")).to.deep.equal(part(0, 0));
    expect(read("bytes=100-")).to.deep.equal(part(100, 999));
    expect(read("bytes=100-99999")).to.deep.equal(part(100, 999));
    expect(read("bytes=-100")).to.deep.equal(part(900, 999));
    expect(read("bytes=-5000")).to.deep.equal(part(0, 999));
  });

  it("cannot be satisfied past the end", () => {
    expect(read("bytes=1000-")).to.deep.equal({ kind: "unsatisfiable" });
    expect(read("bytes=1000-1001")).to.deep.equal({ kind: "unsatisfiable" });
    expect(read("bytes=-0")).to.deep.equal({ kind: "unsatisfiable" });
  });

  it("may be several, which are answered in the requested order", () => {
    expect(read("bytes=0-1, 5-6,-2")).to.deep.equal({
      kind: "parts",
      parts: [
        { start: 0, end: 1 },
        { start: 5, end: 6 },
        { start: 998, end: 999 },
      ],
    });
    expect(read("bytes=5-6,2000-3000"), "one of them is within the file").to.deep.equal(part(5, 6));
    expect(read("bytes=2000-,3000-")).to.deep.equal({ kind: "unsatisfiable" });
  });

  it("never makes the server send more than the file", () => {
    expect(read("bytes=0-999,0-999")).to.deep.equal({ kind: "whole" });
    expect(read(`bytes=${Array.from({ length: 17 }, (_, at) => `${at}-${at}`).join()}`)).to.deep.equal({
      kind: "whole",
    });
  });

  it("is ignored when it is malformed, backwards, or of another unit", () => {
    for (const range of [
      "bytes=",
      "bytes=-",
      "bytes=5-4",
      "bytes=0-1,6-5",
      "bytes=0-1,",
      "lines=0-1",
      "bytes=a-b",
      "bytes 0-1",
      "0-1",
    ]) {
      expect(read(range), range).to.deep.equal({ kind: "whole" });
    }
  });

  it("counts only if If-Range is the strong validator of the same file", () => {
    expect(read("bytes=5-9", ETAG)).to.deep.equal(part(5, 9));
    for (const other of ['"xyz"', `W/${ETAG}`, "abc", "Sat, 21 Nov 2026 12:00:00 GMT"]) {
      expect(read("bytes=5-9", other), other).to.deep.equal({ kind: "whole" });
    }
  });
});
