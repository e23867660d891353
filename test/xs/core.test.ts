import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { buildXs } from "../../host-sim/xs/build.js";
import { runTestsInXs } from "./run-tests-in-xs.js";

const FIRMWARE = fileURLToPath(new URL("../firmware/", import.meta.url));
const files = ["core", "apps"].flatMap((folder) =>
  readdirSync(FIRMWARE + folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => `${folder}/${name}`),
);
const { program } = buildXs();

describe("the tests of firmware inside XS", () => {
  for (const file of files) {
    it(`${file}: all pass`, async () => {
      const outcomes = await runTestsInXs([FIRMWARE + file], program);
      expect(outcomes.filter(({ error }) => error !== "")).deep.equal([]);
      expect(outcomes.length, "tests in the file").above(0);
    });
  }
});
