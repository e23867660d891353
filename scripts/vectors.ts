// Checks golden vectors, measured on ESP-IDF's and Moddable's own code, against the virtual hardware and modules:
//
//   npm run vectors -- [DIR] [--json]     default: those in test/vectors, and those in a folder beside the project
//
// One line per file; the exit status is 1 if anything differs.

import { existsSync, statSync } from "node:fs";
import { parseArgs } from "node:util";
import { checkFolder, type FolderReport } from "../host-sim/vectors/check.js";
import type { Difference, FileReport } from "../host-sim/vectors/comparison.js";
import { defaultVectorFolder, VectorFolder } from "../host-sim/vectors/folder.js";
import { buildXs } from "../host-sim/xs/build.js";
import { xsEngine } from "../host-sim/xs/engine.js";

const USAGE = "usage: npm run vectors -- [DIR] [--json]";

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { json: { type: "boolean" } },
  });
  const [path, ...rest] = positionals;
  if (rest.length > 0) throw new Error(USAGE);
  if (path !== undefined && !(existsSync(path) && statSync(path).isDirectory())) {
    throw new Error(`there is no folder ${path}; ${USAGE}`);
  }
  const folder = path === undefined ? defaultVectorFolder() : new VectorFolder(path);
  const isJson = values.json ?? false;
  if (!isJson) print(`golden vectors of ${folder.path}`);
  const report = await checkFolder(folder, {
    xs: xsOrReason(),
    ...(isJson ? {} : { onReport: (file: FileReport) => print(describe(file)) }),
  });
  const total = totalOf(report);
  if (isJson) print(JSON.stringify({ folder: folder.path, ...total, ...report }));
  else printEnd(report, total);
  return total.different === 0 ? 0 : 1;
}

/** The XS engine, or why it is missing: no compiler, or its sources cannot be fetched. */
function xsOrReason(): ReturnType<typeof xsEngine> | string {
  try {
    return xsEngine({ program: buildXs().program, keepsNames: true });
  } catch (error) {
    return `XS cannot be built: ${(error as Error).message.split("\n")[0]}`;
  }
}

function totalOf({ files }: FolderReport): { cases: number; equal: number; different: number } {
  const sum = (count: (file: FileReport) => number) => files.reduce((total, file) => total + count(file), 0);
  return {
    cases: sum((file) => file.cases),
    equal: sum((file) => file.equal),
    different: sum((file) => file.different),
  };
}

function describe({ file, cases, equal, different, parts, first, onPurpose }: FileReport): string {
  const counts = `${number(cases)} cases${parts ? ` (${parts.count} ${parts.unit})` : ""}`;
  const purpose = onPurpose.length > 0 ? `, ${onPurpose.length} on purpose` : "";
  const line = `${file.padEnd(34)} ${counts}, ${equal} equal, ${different} different${purpose}`;
  const reasons = onPurpose.map(({ at, reason }) => `    on purpose: ${at}: ${reason}`);
  return [line, ...reasons, ...(first ? describeDifference(first) : [])].join("\n");
}

function describeDifference({ at, found, expected }: Difference): string[] {
  return [
    `    first difference: ${at}`,
    `      found    ${JSON.stringify(found)}`,
    `      expected ${JSON.stringify(expected)}`,
  ];
}

function printEnd(report: FolderReport, { cases, equal, different }: ReturnType<typeof totalOf>): void {
  for (const { file, reason } of report.notCovered) print(`${file.padEnd(34)} ${reason}`);
  print(`${cases} cases in ${report.files.length} files: ${equal} equal, ${different} different`);
}

const number = (count: number): string => String(count).padStart(6);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`vectors: ${(error as Error).message}\n`);
  process.exitCode = 2;
}
