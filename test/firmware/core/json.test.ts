import { expect } from "chai";
import { writeJson } from "../../../firmware/core/json.js";

describe("writing JSON", () => {
  it("writes what JSON.stringify writes, also for values that contain constants", () => {
    const constant = Object.freeze({ list: Object.freeze([1, Object.freeze({ a: "é" })]), none: undefined });
    for (const value of [constant, { constant, more: [constant.list] }, [], "text", 1.5, null, undefined])
      expect(writeJson(value)).equal(JSON.stringify(value));
  });
});
