// All documents: their links lead somewhere, their commands exist, and their blocks of commands are run by a test or say why not.

import { existsSync, readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { createProgram } from "../../server/cli/program.js";
import { readDocument, runDocument } from "./document.js";
import { readBlocks } from "./markdown.js";
import { findCommand } from "./shell.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const DOCUMENTS: readonly string[] = [
  ...["README.md", "ARCHITECTURE.md", "CHANGELOG.md"],
  ...readdirSync(join(ROOT, "docs")).flatMap((name) => (name.endsWith(".md") ? [`docs/${name}`] : [])),
  ...readdirSync(join(ROOT, "examples")).map((name) => `examples/${name}/README.md`),
];
/** Their blocks are run by the tests of this folder. */
const RUN: readonly string[] = [
  ...[
    "README.md",
    "docs/device-protocol.md",
    "docs/http-api.md",
    "docs/keys.md",
    "docs/secure-boot.md",
    "docs/troubleshooting.md",
  ],
  ...DOCUMENTS.filter((path) => path.startsWith("examples/")),
];

describe("README.md", () => {
  runDocument("README.md", {
    under: {
      "Use it": async (stage) => {
        const device = {
          device_id: "base-3eece8",
          device_type: "base",
          current_version: "1.0.0",
          current_build: 0,
        };
        await stage.call("POST", "/api/ota/check", device);
      },
    },
  });
});

for (const path of DOCUMENTS)
  describe(`the document ${path}`, () => {
    const text = readDocument(path);

    it("links to files and headings that exist", () => {
      const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => `${link}`);
      for (const link of links.filter((each) => !/^[a-z]+:/.test(each))) {
        const [file = "", anchor] = link.split("#");
        const target = file === "" ? path : normalize(join(dirname(path), file));
        expect(existsSync(join(ROOT, target)), `${link} is not there`).to.be.true;
        if (anchor !== undefined) expect(anchorsOf(readDocument(target)), link).to.include(anchor);
      }
    });

    // The changelog also names what was renamed since.
    const commands = path === "CHANGELOG.md" ? [] : commandsIn(text);
    it("names commands of skyslot that exist, with options that they have", () => {
      for (const words of commands.filter(([name]) => name !== "help")) {
        const command = findCommand(createProgram(), words);
        expect(command, `skyslot ${words.join(" ")}`).not.to.equal(undefined);
        const isGroup = command !== undefined && command.commands.length > 0 && command.options.length === 0;
        const [, below] = words;
        expect(isGroup && below !== undefined && /^[a-z-]+$/.test(below), `skyslot ${words.join(" ")}`).to.be
          .false;
        const known = command?.options.flatMap(({ long, short }) => [long, short]) ?? [];
        const unknown = words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.split("=")[0]);
        expect(
          unknown.filter((word) => !known.includes(word) && word !== "--help"),
          `skyslot ${words.join(" ")}`,
        ).to.deep.equal([]);
      }
    });

    if (!RUN.includes(path))
      it("says of each block of commands why it is not run", () => {
        const silent = readBlocks(text).filter(({ language, marker }) => language === "sh" && !marker);
        expect(silent.map(({ line }) => line)).to.deep.equal([]);
      });
  });

/** As GitHub makes them of headings. */
const anchorsOf = (markdown: string): readonly string[] =>
  [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    `${heading}`
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(/\s/g, "-"),
  );

/** The words of each command, in blocks and in the text, up to a comment, a pipe or the end. */
function commandsIn(markdown: string): readonly (readonly string[])[] {
  const blocks = readBlocks(markdown).flatMap(({ text, language }) =>
    language === "sh" ? text.split("\n") : [],
  );
  const inline = [...markdown.replaceAll(/```[\s\S]*?```/g, "").matchAll(/`([^`\n]+)`/g)].map(
    ([, code]) => `${code}`,
  );
  return [...blocks, ...inline].flatMap((line) => {
    const [, command] = /(?:^|\(|npx )skyslot ([a-z][^#|;)]*)/.exec(line) ?? [];
    return command === undefined ? [] : [command.trim().split(/\s+/)];
  });
}
