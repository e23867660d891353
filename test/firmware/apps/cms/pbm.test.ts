import { expect } from "chai";
import {
  MAX_PBM_HEADER_BYTES,
  pbmHeader,
  pbmRowsBytes,
  readPbmHeader,
} from "../../../../firmware/apps/cms/core/pbm.js";
import { utf8Encode } from "../../../../firmware/core/bytes.js";

const read = (text: string) => readPbmHeader(utf8Encode(text));

describe("a portable bitmap", () => {
  it("is read as it is written", () => {
    expect(read(pbmHeader(200, 96))).deep.equal({ width: 200, height: 96, offset: 10 });
  });

  it("may have comments and any white space in its header, but a single byte at its end", () => {
    expect(read("P4\n# made by hand\n 16\t# wide\n2\nAAAA")).deep.equal({ width: 16, height: 2, offset: 31 });
    expect(read("P4 8 1 \n")).deep.equal({ width: 8, height: 1, offset: 7 });
  });

  it("is refused if it is of another kind, has no size, or a size out of range", () => {
    for (const text of [
      "",
      "P1\n8 8\n",
      "P4\n8\n",
      "P4 8 8",
      "P4\n0 8\n",
      "P4\n8 4097\n",
      "P48 8\n",
      "P4\n-8 8\n",
    ])
      expect(read(text), text).equal(undefined);
    expect(read(`P4\n#${"x".repeat(MAX_PBM_HEADER_BYTES)}\n8 8\n`)).equal(undefined);
  });

  it("ends each row with a whole byte", () => {
    expect([pbmRowsBytes(8, 3), pbmRowsBytes(9, 3), pbmRowsBytes(200, 200)]).deep.equal([3, 6, 5000]);
  });
});
