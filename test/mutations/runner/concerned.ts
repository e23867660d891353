// Which test files of the unit tier concern a source file: those that import it, directly or not. The nearest come first, because
// the first that fails ends the run.

import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { build } from "esbuild";

const CONFIGURATION = ".mocharc.unit.json";

/** By source file, relative to the project: test files. */
export type Concerned = (file: string) => readonly string[];

export async function readConcerned(): Promise<Concerned> {
  const tests = unitTests();
  const importsOf = new Map(
    await Promise.all(tests.map(async (test) => [test, await importsFrom(test)] as const)),
  );
  return (file) =>
    tests
      .filter((test) => importsOf.get(test)?.has(file))
      .sort((a, b) => distance(a, file) - distance(b, file) || a.localeCompare(b));
}

function unitTests(): readonly string[] {
  const { spec } = JSON.parse(readFileSync(CONFIGURATION, "utf8")) as { readonly spec: readonly string[] };
  const files = readdirSync("test", { recursive: true, encoding: "utf8" }).map((file) => `test/${file}`);
  const patterns = spec.map(toRegExp);
  return files.filter((file) => patterns.some((pattern) => pattern.test(file))).sort();
}

/** The regular expression of a pattern with `**`, `*` and `{a,b}`. */
const toRegExp = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replaceAll(".", "\\.")
      .replace(/\{(.*?)\}/g, (_all, names: string) => `(${names.replaceAll(",", "|")})`)
      .replaceAll("**/", "(.+/)?")
      .replace(/(?<!\.)\*|(?<=[^)])\*/g, "[^/]*")}$`,
  );

/** All files that a test file imports, directly or not. */
async function importsFrom(test: string): Promise<ReadonlySet<string>> {
  const { metafile } = await build({
    entryPoints: [test],
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    metafile: true,
    write: false,
    logLevel: "error",
  });
  return new Set(Object.keys(metafile.inputs));
}

/** 0: the test that has the file's name; 1: in the folder that mirrors the file's; 2: any other. */
function distance(test: string, file: string): number {
  if (dirname(test) !== `test/${dirname(file)}`) return 2;
  return basename(test, ".test.ts") === basename(file, ".ts") ? 0 : 1;
}
