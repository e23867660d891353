import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { buildXs } from "../../host-sim/xs/build.js";
import { runTestsInXs } from "./run-tests-in-xs.js";

const CORE = fileURLToPath(new URL("../firmware/core/", import.meta.url));
const files = readdirSync(CORE).filter((name) => name.endsWith(".test.ts"));
const { program } = buildXs();

describe("the tests of firmware/core inside XS", () => {
  for (const file of files) {
    it(`${file}: all pass`, async () => {
      const outcomes = await runTestsInXs([CORE + file], program);
      expect(outcomes.filter(({ error }) => error !== "")).deep.equal([]);
      expect(outcomes.length, "tests in the file").above(0);
    });
  }
});
