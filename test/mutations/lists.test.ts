// Keeps the lists of mutations current: each still changes its file, its result can be parsed, and unit tests import the file.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import { transformSync } from "esbuild";
import { mutate } from "./mutation.js";
import { readConcerned } from "./runner/concerned.js";
import { readLists } from "./runner/lists.js";

describe("the lists of mutations", () => {
  it("fit the source, and have unit tests to catch them", async () => {
    const concerned = await readConcerned();
    const mutations = (await readLists()).flatMap((list) => list.mutations);
    expect(mutations.length).to.be.at.least(66);
    for (const mutation of mutations) {
      const mutant = mutate(readFileSync(mutation.file, "utf8"), mutation);
      expect(() => transformSync(mutant, { loader: "ts" }), mutation.what).not.to.throw();
      expect(concerned(mutation.file), mutation.what).not.to.be.empty;
    }
  });
});
