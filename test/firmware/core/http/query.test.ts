import { expect } from "chai";
import { isSwitchedOn, queryValue } from "../../../../firmware/core/http/query.js";

describe("the query of a request", () => {
  it("has values by their names, with or without a path before it", () => {
    for (const target of ["/api/ota/install?device=both&force", "device=both&force"]) {
      expect(queryValue(target, "device")).equal("both");
      expect(queryValue(target, "force")).equal("");
      expect(queryValue(target, "devic")).equal(undefined);
      expect(queryValue(target, "both")).equal(undefined);
    }
    expect(queryValue("/a?x=1=2", "x")).equal("1");
    expect(queryValue("/a?x=1&x=2", "x")).equal("1");
    expect(queryValue("/device=both", "device")).equal(undefined);
  });

  it("switches something on by its name alone, by 1 or by true", () => {
    for (const target of ["/a?force", "/a?force=", "/a?b=2&force=1", "/a?force=true&b"])
      expect(isSwitchedOn(target, "force"), target).equal(true);
    for (const target of ["/a", "/a?force=0", "/a?force=no", "/a?enforce", "/force"])
      expect(isSwitchedOn(target, "force"), target).equal(false);
  });
});
