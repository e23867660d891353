// What must not be in flash. Modules of the firmware are run when they are linked (preload), and what they created at their top level is
// frozen into flash. A regular expression there would crash the chip: XS of SDK 8.2.3 takes the memory for its matches from malloc
// (xsre.c, fxAllocateRegExpData lacks an `else`), loses it each time, and a garbage collection meanwhile writes into malloc's own data.
// One inside a function is created in RAM when it is reached, and is fine.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Node, parse } from "acorn";
import { expect } from "chai";
import { transformSync } from "esbuild";

const FUNCTIONS: readonly string[] = ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"];

/** Regular expressions that exist as soon as the module has run. */
function regExpsOf(source: string): readonly string[] {
  const { code } = transformSync(source, { loader: "ts", format: "esm", target: "es2022" });
  const found: string[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(walk);
    if (typeof value !== "object" || value === null) return;
    const node = value as Node & Record<string, unknown>;
    if (FUNCTIONS.includes(node.type)) return;
    if (node.type === "PropertyDefinition" && node.static !== true) return;
    const isMade =
      node.type === "NewExpression" && (node.callee as Node & { name?: string }).name === "RegExp";
    if (isMade || (node.type === "Literal" && "regex" in node)) found.push(code.slice(node.start, node.end));
    Object.values(node).forEach(walk);
  };
  walk(parse(code, { ecmaVersion: "latest", sourceType: "module" }).body);
  return found;
}

describe("the firmware in flash", () => {
  it("has no regular expression", () => {
    const files = readdirSync("firmware", { recursive: true, encoding: "utf8" }).filter((file) =>
      /^(?!.*\.d\.ts$).*\.ts$/.test(file),
    );
    expect(files).to.include.members(["core/update/release.ts", "platform/start.ts", "portal/setup-page.ts"]);
    const found = files.flatMap((file) =>
      regExpsOf(readFileSync(join("firmware", file), "utf8")).map((regExp) => `${file}: ${regExp}`),
    );
    expect(found).to.deep.equal([]);
  });

  it("is searched in every place where one can be", () => {
    const sources = [
      "const NAME = /a/;",
      "export const NAMES = Object.freeze([/a/g]);",
      'const made = new RegExp("a");',
      "class Reader { static pattern = /a/; }",
      'const is = "a".match(/a/);',
    ];
    for (const source of sources) expect(regExpsOf(source), source).to.have.length(1);
    const inRam = [
      "const isName = (text: string) => /a/.test(text);",
      "export function read(text: string) { const name = /a/; return name.exec(text); }",
      "class Reader { pattern = /a/; read() { return /b/; } }",
    ];
    for (const source of inRam) expect(regExpsOf(source), source).to.deep.equal([]);
  });
});
