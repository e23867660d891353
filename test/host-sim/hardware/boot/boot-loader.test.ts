// The boot loader's choice and its writes to otadata, against ESP-IDF's own.

import { expectGolden } from "../../../golden.js";

describe("boot loader", () => {
  for (const [name, title] of [
    ["boot-rollback", "with rollback"],
    ["boot-plain", "without rollback"],
    ["boot-powercut", "when power fails at one of its flash operations"],
  ] as const) {
    it(`chooses, starts and writes what ESP-IDF's does ${title}`, () => {
      expectGolden(name, { casesMin: 100 });
    });
  }
});
