// `skyslot export` and `skyslot import`: all data of a server as lines of JSON, from one store into another.

import type { Command } from "commander";
import { databaseUrl } from "./environment.js";
import { printJson, printLine, UsageError, yellow } from "./output.js";

interface ExportFlags {
  readonly data: string;
  readonly out?: string;
  readonly blobs: boolean;
  readonly json?: boolean;
}
interface ImportFlags {
  readonly data: string;
  readonly json?: boolean;
}
interface Moved {
  readonly rowCount: number;
  readonly blobCount: number;
  readonly missing: readonly string[];
}

const ENVIRONMENT = `
Environment:
  DATABASE_URL, BLOB_STORE    the store, as for \`skyslot server\`; default: the folder DATA`;

export function exportCommand(program: Command): void {
  program
    .command("export")
    .description("write a consistent snapshot of all data of a server, which may be running")
    .option("--data <folder>", "data folder of the server", "data")
    .option("--out <file>", "file to write, readable by you only (default: standard output)")
    .option("--no-blobs", "leave the firmware files out")
    .option(
      "--json",
      "print a summary as one JSON object, on standard error if the export goes to standard output",
    )
    .addHelpText("after", ENVIRONMENT)
    .action(runExport);
}

export function importCommand(program: Command): void {
  program
    .command("import [file]")
    .description("fill a new store with an export, from a file or standard input")
    .option("--data <folder>", "data folder of the server, which must not be running", "data")
    .option("--json", "print one JSON object")
    .addHelpText("after", ENVIRONMENT)
    .action(runImport);
}

async function runExport(flags: ExportFlags): Promise<void> {
  const { open } = await import("node:fs/promises");
  const { exportStore } = await import("../backup/export.js");
  const { warnIfGitSees } = await import("./git-ignore.js");
  if (databaseUrl() === undefined) await mustHaveDatabase(flags.data);
  const { database, blobs } = await openPlaces(flags.data);
  // An export contains the secrets of the database.
  const file = flags.out === undefined ? undefined : await open(flags.out, "wx", 0o600);
  if (flags.out !== undefined) await warnIfGitSees(flags.out, "the export");
  const out = file?.createWriteStream({ flush: true }) ?? process.stdout;
  try {
    const result = await exportStore(
      { database, blobs: flags.blobs ? blobs : undefined, now: Date.now },
      (line) => writeAll(out, `${JSON.stringify(line)}\n`),
    );
    if (file)
      await new Promise<void>((resolve, reject) =>
        out.end((error?: Error | null) => (error ? reject(error) : resolve())),
      );
    if (flags.json) {
      if (file) printJson(viewMoved(result));
      else process.stderr.write(`${JSON.stringify(viewMoved(result))}\n`);
    } else {
      for (const sha256 of result.missing)
        process.stderr.write(yellow(`file ${sha256} is missing in the store\n`));
      process.stderr.write(`${result.rowCount} rows and ${result.blobCount} files exported\n`);
    }
    if (result.missing.length > 0) process.exitCode = 1;
  } finally {
    await Promise.all([database.db.destroy(), blobs.close()]);
  }
}

async function runImport(file: string | undefined, flags: ImportFlags): Promise<void> {
  const { stat } = await import("node:fs/promises");
  if (file === undefined && process.stdin.isTTY)
    throw new UsageError("give the file of an export, or pipe it to standard input");
  // Before anything is made.
  if (file !== undefined && (await stat(file)).isDirectory()) throw new UsageError(`${file} is a folder`);
  const { makePrivateFiles, openPrivateFolder } = await import("../runtime/private-folder.js");
  const { lockFolder } = await import("../runtime/folder-lock.js");
  makePrivateFiles();
  await openPrivateFolder(flags.data);
  const lock = databaseUrl() === undefined ? lockFolder(flags.data) : undefined;
  try {
    await importInto(file === undefined ? process.stdin : bytesOf(file), flags);
  } finally {
    lock?.release();
  }
}

async function importInto(source: AsyncIterable<Uint8Array>, flags: ImportFlags): Promise<void> {
  const { readLines } = await import("../backup/format.js");
  const { importStore } = await import("../backup/import.js");
  const { database, blobs } = await openPlaces(flags.data);
  try {
    const result = await importStore({ database, blobs }, readLines(source));
    if (flags.json) return printJson(viewMoved(result));
    for (const sha256 of result.missing)
      process.stderr.write(yellow(`file ${sha256} was missing in the export\n`));
    printLine(`${result.rowCount} rows and ${result.blobCount} files imported`);
  } finally {
    await Promise.all([database.db.destroy(), blobs.close()]);
  }
}

/** Opened when it is read: an error before that would have no listener, and end the process. */
async function* bytesOf(file: string): AsyncGenerator<Uint8Array> {
  const { createReadStream } = await import("node:fs");
  yield* createReadStream(file);
}

const viewMoved = ({ rowCount, blobCount, missing }: Moved) => ({
  rows: rowCount,
  files: blobCount,
  missing,
});

async function openPlaces(data: string) {
  const { join } = await import("node:path");
  const { connect } = await import("../store/open.js");
  const { openBlobs } = await import("../blobs/open.js");
  const { BLOB_STORE } = process.env;
  return {
    database: await connect({ databaseUrl: databaseUrl(), file: join(data, "skyslot.db") }),
    blobs: await openBlobs({ url: BLOB_STORE, folder: join(data, "blobs") }),
  };
}

/** Opening would create an empty one. */
async function mustHaveDatabase(data: string): Promise<void> {
  const { access } = await import("node:fs/promises");
  const { join } = await import("node:path");
  await access(join(data, "skyslot.db"));
}

function writeAll(out: NodeJS.WritableStream, text: string): Promise<void> | undefined {
  if (out.write(text)) return undefined;
  return new Promise((resolve, reject) => {
    out.once("error", reject);
    out.once("drain", () => {
      out.removeListener("error", reject);
      resolve();
    });
  });
}
