// The check of a folder of golden vectors: it has to notice differences, and to report what it does not compare.

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { checkFile, checkFolder } from "../../../host-sim/vectors/check.js";
import { compare } from "../../../host-sim/vectors/comparison.js";
import { VectorFolder } from "../../../host-sim/vectors/folder.js";
import { vectorFolder } from "../../golden.js";

const PROJECT = fileURLToPath(new URL("../../..", import.meta.url));
const WITHOUT_XS = { xs: "not in this test" };

type Case = Record<string, unknown>;

describe("a folder of golden vectors", () => {
  let path: string;
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), "skyslot-vectors-"));
  });
  afterEach(() => rmSync(path, { recursive: true }));

  const write = (name: string, cases: readonly unknown[]): void =>
    writeFileSync(
      join(path, `${name}.jsonl.gz`),
      gzipSync(cases.map((test) => JSON.stringify(test)).join("\n")),
    );
  const someOf = (name: string): Case[] => {
    const file = vectorFolder.list().find((file) => file.startsWith(`${name}.`))!;
    return vectorFolder.cases<Case>(file).slice(0, 5);
  };

  for (const [name, change] of [
    ["boot-rollback", (test: Case) => ({ ...test, boot: "ota_7" })],
    ["boot-plain", (test: Case) => ({ ...test, selected: 5 })],
    ["boot-powercut", (test: Case) => ({ ...test, ops: [] })],
    ["partition-csv", (test: Case) => ({ ...test, binary_base64: "AAAA" })],
    ["partition-tables", (test: Case) => ({ ...test, count: 77 })],
    ["nvs-scripts", (test: Case) => ({ ...test, listing: [["a", "b", "u8", "1"]] })],
    ["nvs-powercut", (test: Case) => ({ ...test, total_units: 1 })],
    ["nvs-powercut-mount", (test: Case) => ({ ...test, mount_ops: 99 })],
  ] as const) {
    it(`differs when one case of ${name} does, and shows where`, async () => {
      const cases = someOf(name);
      write(name, cases);
      expect(checkFile(new VectorFolder(path), name)).to.deep.include({ cases: 5, equal: 5, different: 0 });
      write(name, [...cases.slice(0, 4), change(cases[4]!)]);
      const { files } = await checkFolder(new VectorFolder(path), WITHOUT_XS);
      expect(files).to.have.length(1);
      expect(files[0]).to.include({ cases: 5, equal: 4, different: 1 });
      expect(files[0]!.first!.at).to.match(/^case 4 \(.+\)/);
    });
  }

  it("takes missing files from another folder, and differs in scripts with eFuses too", () => {
    const [first, ...rest] = someOf("anti-rollback-boot");
    const both = new VectorFolder(path, vectorFolder);
    write("anti-rollback-boot", [first, ...rest]);
    expect(both.list().filter((file) => file.startsWith("anti-rollback-boot"))).length(1);
    expect(both.list()).to.include("ota-layouts.json");
    expect(checkFile(both, "anti-rollback-boot")).to.include({ cases: 5, equal: 5 });
    write("anti-rollback-boot", [
      { ...first, steps: [{ op: "reboot", result: "boot", booted: "moon" }] },
      ...rest,
    ]);
    const changed = checkFile(new VectorFolder(path, vectorFolder), "anti-rollback-boot");
    expect(changed).to.include({ cases: 5, different: 1 });
  });

  it("counts a case that cannot be run as different", () => {
    write("image-mutations", [
      { kind: "x", image: "images/none.bin", chip: "esp32", patches: [], truncate: null },
    ]);
    const report = checkFile(new VectorFolder(path), "image-mutations");
    expect(report).to.include({ cases: 1, different: 1 });
    expect(report.first!.found).to.contain("none.bin");
  });

  it("counts each line that a program prints differently, and the missing lines", async () => {
    mkdirSync(join(path, "moddable"));
    writeFileSync(join(path, "moddable", "two.js"), `trace("a => 1\\n", "b => 2\\n", "DONE\\n", "more\\n");`);
    writeFileSync(join(path, "moddable", "two.out"), "a => 1\nb => 3\nc => 4\nDONE\n");
    const { files, notCovered } = await checkFolder(new VectorFolder(path), WITHOUT_XS);
    expect(files).to.deep.equal([
      {
        file: "moddable/two.js on V8",
        cases: 4,
        equal: 1,
        different: 3,
        onPurpose: [],
        first: { at: "line 2", found: "b => 2", expected: "b => 3" },
      },
    ]);
    expect(notCovered).to.deep.equal([{ file: "moddable/two.js on XS", reason: "not in this test" }]);
  });

  it("reports files and folders that nothing compares", async () => {
    write("boot-plain", someOf("boot-plain"));
    write("surprise", [{}]);
    mkdirSync(join(path, "tides"));
    writeFileSync(join(path, "tides", "ok.jsonl.gz"), gzipSync("{}"));
    const { notCovered } = await checkFolder(new VectorFolder(path), WITHOUT_XS);
    expect(notCovered).to.deep.equal([
      { file: "surprise.jsonl", reason: "no checker knows this file" },
      { file: "tides/ (1 files)", reason: "no checker knows this folder" },
    ]);
  });

  it("is refused when there is nothing to compare, or a line is malformed", async () => {
    let message = "";
    await checkFolder(new VectorFolder(path), WITHOUT_XS).catch((error: Error) => {
      message = error.message;
    });
    expect(message).to.contain("has no golden vectors");
    writeFileSync(join(path, "boot-plain.jsonl.gz"), gzipSync('{}\n{"kind":'));
    expect(() => checkFile(new VectorFolder(path), "boot-plain")).to.throw("boot-plain.jsonl, line 2");
  });

  it("is checked by a command that exits with 1 on a difference and with 2 on a wrong folder", async () => {
    const run = (...args: string[]) =>
      new Promise<{ status: number; out: string; err: string }>((resolve) => {
        const command = ["--import", "tsx", "scripts/vectors.ts", ...args];
        execFile(process.execPath, command, { cwd: PROJECT }, (error, out, err) =>
          resolve({ status: error ? Number(error.code) : 0, out, err }),
        );
      });
    const [first, ...rest] = someOf("boot-plain");
    write("boot-plain", [{ ...first, boot: "moon" }, ...rest]);
    const text = await run(path);
    expect(text.status).to.equal(1);
    expect(text.out).to.match(/^boot-plain\.jsonl +5 cases, 4 equal, 1 different$/m);
    expect(text.out)
      .to.match(/^ +found +\S/m)
      .and.to.match(/^ +expected "moon"/m);
    const json = await run(path, "--json");
    expect(JSON.parse(json.out)).to.deep.include({ cases: 5, equal: 4, different: 1, notCovered: [] });
    const nowhere = await run(join(path, "nowhere"));
    expect([nowhere.status, nowhere.out]).to.deep.equal([2, ""]);
    expect(nowhere.err).to.match(/^vectors: there is no folder .*nowhere; usage: /);
  });
});

describe("the comparison of two results", () => {
  it("names the path of the first difference", () => {
    expect(compare({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] })).to.equal(undefined);
    expect(compare({ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] })).to.deep.equal({
      at: "a.1.b",
      found: 2,
      expected: 3,
    });
    expect(compare({ a: 1, extra: 2 }, { a: 1 })).to.deep.equal({
      at: "extra",
      found: 2,
      expected: undefined,
    });
    expect(compare([], {})).to.deep.equal({ at: "", found: [], expected: {} });
    expect(compare(null, {})).to.deep.equal({ at: "", found: null, expected: {} });
  });

  it("shows bytes from where they differ, and notices truncation", () => {
    expect(compare(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 9, 3), "image")).to.deep.equal({
      at: "image, byte 0x1",
      found: "0203 … of 3 bytes",
      expected: "0903 … of 3 bytes",
    });
    expect(compare(Uint8Array.of(1), Uint8Array.of(1, 2))?.at).to.equal("byte 0x1");
  });
});
