// The virtual SDK modules against what the SDK printed on an ESP32-C3: whole programs, over all their boots, through bundler,
// image, boot loader and engine. Differences between V8 and XS that cannot be hidden are listed here, line by line.

import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { runProgram } from "../../../host-sim/run-program.js";
import { readVectorFile } from "../../vectors.js";

const FOLDER = fileURLToPath(new URL("../../vectors/moddable/", import.meta.url));

/** Programs that have to restart by an uncaught error end with 1. */
const STATUS: Readonly<Record<string, number>> = { panic: 1 };

/** Labels whose line may differ, with the reason. A listed line that does not differ is fine: it depends on Node. */
const DIFFERENCES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  globals: {
    "typeof Compartment": "not offered: one firmware, one realm",
    "typeof ModuleSource": "not offered: one firmware, one realm",
    "typeof Float16Array": "V8 has it from Node 24 on",
    "typeof JSON.rawJSON": "V8 has it from Node 22 on",
    "typeof Symbol.dispose": "V8 has it from Node 24 on, and it cannot be taken away",
  },
  "engine-xs": {
    "add to a prototype": "V8's own message",
    "JSON of BigInt": "V8's own message",
    "undefined property": "V8's own message",
    "call of undefined": "V8's own message",
    "assign to const": "V8's own message",
    undeclared: "V8's own message",
    "JSON.parse error": "V8's own message",
    "string length of an emoji": "V8's strings are UTF-16, XS counts characters",
  },
};

const labelOf = (line: string): string => line.split(" => ")[0] ?? "";

describe("golden programs of the SDK", function () {
  this.timeout(30_000);
  const names = existsSync(FOLDER)
    ? readdirSync(FOLDER)
        .filter((file) => file.endsWith(".js"))
        .map((file) => file.slice(0, -3))
    : [];

  it("are there", () => {
    expect(names.length).to.be.greaterThan(25);
  });

  for (const name of names) {
    it(`${name} prints what the chip printed`, async () => {
      const expected = new TextDecoder()
        .decode(readVectorFile(`moddable/${name}.out`)!)
        .trimEnd()
        .split("\n");
      let printed = "";
      const status = await runProgram(`${FOLDER}${name}.js`, {
        out: (text) => {
          printed += text;
        },
        interface: name === "nonet" ? "none" : "unlinked",
      });
      const lines = printed.trimEnd().split("\n");
      const got = lines.slice(0, lines.indexOf("DONE") + 1);
      const allowed = DIFFERENCES[name] ?? {};
      expect(got.map(labelOf)).to.deep.equal(expected.map(labelOf));
      const compared = got.map((line, index) => (labelOf(line) in allowed ? expected[index] : line));
      expect(compared).to.deep.equal(expected);
      expect(status).to.equal(STATUS[name] ?? 0);
    });
  }

  it("throws the same kind of error where only the message is V8's", async () => {
    let printed = "";
    await runProgram(`${FOLDER}engine-xs.js`, {
      out: (text) => {
        printed += text;
      },
    });
    const expected = new TextDecoder().decode(readVectorFile("moddable/engine-xs.out")!);
    const kinds = (text: string) => text.match(/^.* => \w+Error/gm);
    expect(kinds(printed)).to.deep.equal(kinds(expected));
  });
});
