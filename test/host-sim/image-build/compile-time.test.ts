import { expect } from "chai";
import { compileTime } from "../../../host-sim/image-build/compile-time.js";

describe("the compile time of an image", () => {
  it("is written as C's __DATE__ and __TIME__", () => {
    expect(compileTime({ SOURCE_DATE_EPOCH: "1767225600" })).deep.equal({
      date: "Jan  1 2026",
      time: "00:00:00",
    });
    expect(compileTime({ SOURCE_DATE_EPOCH: "1795995245" })).deep.equal({
      date: "Nov 29 2026",
      time: "23:34:05",
    });
  });

  it("is now without SOURCE_DATE_EPOCH, and an error with one that is no time", () => {
    expect(compileTime({}).date).match(/^[A-Z][a-z]{2} [ \d]\d 20\d\d$/);
    for (const SOURCE_DATE_EPOCH of ["", "soon", "-1", "1e9", "999999999999"])
      expect(() => compileTime({ SOURCE_DATE_EPOCH }), SOURCE_DATE_EPOCH).throw("seconds since 1970");
  });
});
