// Every command can print JSON, for programs.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Command } from "commander";
import { redirectOutput } from "../../../server/cli/output.js";
import { createProgram } from "../../../server/cli/program.js";
import { openSqliteStore } from "../../../server/store/sqlite.js";
import { sampleDevice } from "../../contract/store/samples.js";

/** Servers and devices run on and print their log, programs print what they like, and a completion is for the shell. */
const WITHOUT: readonly string[] = ["server", "sim run", "completion"];

describe("--json", () => {
  it("is an option of every command with a result", () => {
    const silent = (command: Command, path: readonly string[]): string[] => [
      ...(hasAction(command) && !command.options.some(({ long }) => long === "--json")
        ? [path.join(" ")]
        : []),
      ...command.commands.flatMap((inner) => silent(inner, [...path, inner.name()])),
    ];
    const hasAction = (command: Command) =>
      (command as unknown as { readonly _actionHandler: unknown })._actionHandler != null;
    const all = silent(createProgram(), []);
    expect(all.sort()).to.deep.equal([...WITHOUT].sort());
  });

  it("prints what was exported, imported and backed up", async () => {
    const folder = await mkdtemp(join(tmpdir(), "skyslot-json-"));
    const at = (name: string) => join(folder, name);
    const run = async (...args: string[]) => {
      let out = "";
      const putBack = redirectOutput((text) => {
        out += text;
      });
      await createProgram()
        .parseAsync([...args, "--json"], { from: "user" })
        .finally(putBack);
      return JSON.parse(out);
    };
    try {
      const store = await openSqliteStore(at("skyslot.db"));
      await store.putDevice(sampleDevice());
      await store.close();
      const exported = await run("export", "--data", folder, "--out", at("all.skyslot"));
      expect(exported).to.include({ files: 0 });
      expect(exported.rows).to.be.greaterThan(0);
      expect(await run("import", at("all.skyslot"), "--data", at("new"))).to.deep.equal(exported);
      const listed = await run("server", "migrations", "--data", at("new"));
      expect(listed.migrations[0]).to.include({ name: "0001_first", is_known: true });
      const backed = await run("server", "backup", at("copy"), "--data", at("new"));
      expect(backed).to.include({ folder: at("copy"), copied_files: 0 });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
