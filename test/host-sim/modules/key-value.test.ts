// What programs store and read back through `embedded:storage/key-value`, beyond the golden programs.

import { expect } from "chai";
import { runSource } from "../run-source.js";

describe("embedded:storage/key-value", () => {
  it("keeps a zero inside a string and a key, and half a surrogate pair", async () => {
    const { lines } = await runSource(`
      import KeyValue from "embedded:storage/key-value";
      const store = KeyValue.open({ path: "test", format: "string" });
      const values = ["a\\0b", "\\0", "x\\ud83dy", "grüß €😀"];
      values.forEach((value, index) => store.write("key" + index, value));
      trace(JSON.stringify(values.map((value, index) => store.read("key" + index) === value)) + "\\n");
      store.write("a\\0b", "one");
      store.write("a", "two");
      trace(JSON.stringify([store.read("a\\0b"), store.read("a"), store.read("a\\0c")]) + "\\n");
    `);
    expect(lines).to.deep.equal(["[true,true,true,true]", '["one","two",null]']);
  });

  it("counts a zero as the two bytes that it takes in a key", async () => {
    const { lines } = await runSource(`
      import KeyValue from "embedded:storage/key-value";
      const store = KeyValue.open({ path: "test", format: "string" });
      for (const key of ["\\0".repeat(7), "\\0".repeat(8)]) {
        try { store.write(key, "x"); trace("written\\n"); } catch (error) { trace(error.message + "\\n"); }
      }
    `);
    expect(lines).to.deep.equal(["written", "ESP_ERR_NVS_KEY_TOO_LONG"]);
  });
});
